package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpColumns is how wide help is where nobody says: nobody reads longer lines with ease.
const helpColumns = 80

// help writes the help of a command, no wider than the screen.
func (a *app) help(cmd *cobra.Command, _ []string) {
	if _, rest, _ := cmd.Root().Find(a.args); cmd.HasSubCommands() && cmd.Name() != "help" {
		if word := firstWord(cmd, rest); word != "" {
			a.helpless = unknownCommand(cmd, word)
			return
		}
	}
	s := *a.stdout
	if s.columns == 0 || s.columns > helpColumns {
		s.columns = helpColumns
	}
	writeParagraphs(&s, cmd.Long)
	if cmd.Long == "" {
		s.line(span{plainly, cmd.Short})
	}
	heading(&s, "Usage")
	s.item(2, plainly, useLine(cmd))
	writeCommands(&s, cmd)
	if cmd.Example != "" {
		heading(&s, "Examples")
		for line := range strings.Lines(cmd.Example) {
			s.command(2, plainly, strings.TrimSpace(line))
		}
	}
	own, settings, common := flagsOf(cmd)
	writeFlags(&s, "Options", own)
	writeFlags(&s, "Options that stand for keys of the configuration, see wsprovision.yaml(5)", settings)
	writeFlags(&s, "Options of every command that makes use of them", common)
	if cmd.HasAvailableSubCommands() {
		s.line(span{})
		s.line(span{plainly, fmt.Sprintf("%q says more about a command.", cmd.CommandPath()+" COMMAND --help")})
	}
}

func heading(s *screen, text string) {
	s.line(span{})
	s.line(span{bold, text + ":"})
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
func writeParagraphs(s *screen, text string) {
	var filled []string
	end := func() {
		if len(filled) > 0 {
			s.put(nil, "", plainly, strings.Join(filled, " "))
		}
		filled = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "":
			end()
			s.line(span{})
		case strings.HasPrefix(line, " "):
			end()
			s.put(nil, "      ", plainly, line)
		default:
			filled = append(filled, line)
		}
		if strings.HasSuffix(line, ":") {
			end()
		}
	}
	end()
}

func writeCommands(s *screen, cmd *cobra.Command) {
	if !cmd.HasAvailableSubCommands() {
		return
	}
	heading(s, "Commands")
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			s.put([]span{{plainly, fmt.Sprintf("  %-11s ", c.Name())}}, strings.Repeat(" ", 14), plainly, c.Short)
		}
	}
}

// flagsOf are a command's own flags, those of the configuration, and the root's.
func flagsOf(cmd *cobra.Command) (own, settings, common []*pflag.Flag) {
	cmd.InheritedFlags() // has cobra add them
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		_, setting := f.Annotations[settingOf]
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

func writeFlags(s *screen, title string, flags []*pflag.Flag) {
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
		if width(name) >= flagColumns-1 {
			s.line(span{plainly, name})
			name = ""
		}
		s.put([]span{{plainly, fmt.Sprintf("%-*s", flagColumns, name)}}, hang, plainly, usage)
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

// helpCommand is "help" as a command, which fails where there is nothing to tell.
func (a *app) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Say what a command does, and what it takes",
		Long:  "Say what a command does, which options it takes, and what its exit statuses mean.",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			var names []string
			if of, rest, err := cmd.Root().Find(args); err == nil && len(rest) == 0 {
				for _, c := range of.Commands() {
					if c.IsAvailableCommand() {
						names = append(names, c.Name()+"\t"+c.Short)
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			of, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(of, append(rest, args...)[0])
			}
			of.InitDefaultHelpFlag()
			a.help(of, nil)
			return nil
		},
	}
}
