package cmdline

import (
	"fmt"
	"strings"

	"wsprovision/cmd/wsprovision/screen"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpColumns is how wide help is where nobody says: nobody reads longer lines with ease.
const helpColumns = 80

func Help(s screen.Screen, cmd *cobra.Command) {
	if s.Columns == 0 || s.Columns > helpColumns {
		s.Columns = helpColumns
	}
	writeParagraphs(&s, cmd.Long)
	if cmd.Long == "" {
		s.Line(screen.Styled(screen.Plainly, cmd.Short))
	}
	heading(&s, "Usage")
	s.Item(2, screen.Plainly, useLine(cmd))
	writeCommands(&s, cmd)
	if cmd.Example != "" {
		heading(&s, "Examples")
		for line := range strings.Lines(cmd.Example) {
			s.Command(2, screen.Plainly, strings.TrimSpace(line))
		}
	}
	own, settings, common := flagsOf(cmd)
	writeFlags(&s, "Options", own)
	writeFlags(&s, "Options that stand for keys of the configuration, see wsprovision.yaml(5)", settings)
	writeFlags(&s, "Options of every command that makes use of them", common)
	if cmd.HasAvailableSubCommands() {
		s.Line(screen.Span{})
		s.Line(screen.Styled(screen.Plainly, fmt.Sprintf("%q says more about a command.", cmd.CommandPath()+
			" COMMAND --help")))
	}
}

func heading(s *screen.Screen, text string) {
	s.Line(screen.Span{})
	s.Line(screen.Styled(screen.Bold, text+":"))
}

func useLine(cmd *cobra.Command) string {
	line := cmd.CommandPath()
	switch {
	case cmd.HasAvailableSubCommands() && cmd.HasParent() && cmd.Runnable():
		line += " [COMMAND]"
	case cmd.HasAvailableSubCommands():
		line += " COMMAND"
	}
	line += " [options]"
	if _, arguments, found := strings.Cut(cmd.Use, " "); found {
		line += " " + arguments
	}
	return line
}

// writeParagraphs fills what was written for 80 columns anew. A line that begins with a blank stands for itself, with
// what follows its first words below them.
func writeParagraphs(s *screen.Screen, text string) {
	var filled []string
	end := func() {
		if len(filled) > 0 {
			s.Put(nil, "", screen.Plainly, strings.Join(filled, " "))
		}
		filled = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "":
			end()
			s.Line(screen.Span{})
		case strings.HasPrefix(line, " "):
			end()
			s.Put(nil, "      ", screen.Plainly, line)
		default:
			filled = append(filled, line)
		}
		if strings.HasSuffix(line, ":") {
			end()
		}
	}
	end()
}

func writeCommands(s *screen.Screen, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	heading(s, "Commands")
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			s.Put([]screen.Span{screen.Styled(screen.Plainly, fmt.Sprintf("  %-11s ", c.Name()))},
				strings.Repeat(" ", 14), screen.Plainly, c.Short)
		}
	}
}

// flagsOf are a command's own flags, those of the configuration, and the root's.
func flagsOf(cmd *cobra.Command) (own, settings, common []*pflag.Flag) {
	cmd.InheritedFlags() // has cobra add them
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		_, setting := f.Annotations[SettingOf]
		switch {
		case f.Hidden:
		case setting:
			settings = append(settings, f)
		case cmd.Root().PersistentFlags().Lookup(f.Name) != nil:
			common = append(common, f)
		default:
			own = append(own, f)
		}
	})
	return own, settings, common
}

// flagColumns is where the words about a flag begin.
const flagColumns = 26

func writeFlags(s *screen.Screen, title string, flags []*pflag.Flag) {
	if len(flags) == 0 {
		return
	}
	heading(s, title)
	for _, f := range flags {
		value, usage := pflag.UnquoteUsage(f)
		name := "      --" + f.Name
		if f.Shorthand != "" {
			name = "  -" + f.Shorthand + ", --" + f.Name
		}
		if f.NoOptDefVal == "" {
			name += " " + value
		}
		usage += standard(f)
		hang := strings.Repeat(" ", flagColumns)
		if screen.Width(name) >= flagColumns-1 {
			s.Line(screen.Styled(screen.Plainly, name))
			name = ""
		}
		s.Put([]screen.Span{screen.Styled(screen.Plainly, fmt.Sprintf("%-*s", flagColumns, name))}, hang,
			screen.Plainly, usage)
	}
}

// standard is the default of a flag that takes a value, for the end of its words.
func standard(f *pflag.Flag) string {
	switch {
	case f.NoOptDefVal != "" || strings.Contains(f.Usage, "(default"):
		return ""
	case f.DefValue == "" || f.DefValue == "[]":
		return " (default none)"
	}
	return " (default " + f.DefValue + ")"
}
