package cmdline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wsprovision/provision/config/reading"
)

// FlagError says what is wrong with an option, and what to type instead.
func FlagError(cmd *cobra.Command, args []string, err error) error {
	var (
		unknown *pflag.NotExistError
		invalid *pflag.InvalidValueError
		lacking *pflag.ValueRequiredError
	)
	see := fmt.Sprintf("see %q", cmd.CommandPath()+" --help")
	switch {
	case errors.As(err, &unknown) && !cmd.HasParent():
		word := FirstWord(cmd, args)
		of, _, _ := cmd.Find([]string{word})
		if word != "" && of == cmd { // the option may be right, and its command is not
			return UnknownCommand(cmd, word)
		}
		return Misused(fmt.Errorf("unknown flag: %s%s", dashed(unknown.GetSpecifiedName()),
			instead(of, unknown.GetSpecifiedName(), see)))
	case errors.As(err, &unknown):
		return Misused(fmt.Errorf("unknown flag: %s%s", dashed(unknown.GetSpecifiedName()),
			instead(cmd, unknown.GetSpecifiedName(), see)))
	case errors.As(err, &invalid):
		return Misused(fmt.Errorf("--%s%s", invalid.GetFlag().Name, wrongValue(invalid)))
	case errors.As(err, &lacking):
		name, _ := pflag.UnquoteUsage(lacking.GetFlag())
		return Misused(fmt.Errorf("%s needs a value: %s; %s", dashed(lacking.GetSpecifiedName()), name, see))
	}
	return Misused(fmt.Errorf("%w; %s", err, see))
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// wrongValue says what a flag takes. What its Set says is in our own words, but for pflag's numbers and truths.
func wrongValue(e *pflag.InvalidValueError) string {
	switch e.GetFlag().Value.Type() {
	case "int":
		return fmt.Sprintf(" %q: it is a number", e.GetValue())
	case "bool":
		return fmt.Sprintf(" %q: it is true or false", e.GetValue())
	case "duration":
		return ": " + e.Unwrap().Error()
	}
	return fmt.Sprintf(" %q: %s", e.GetValue(), e.Unwrap())
}

// dryRuns are what other tools call their plan.
var dryRuns = []string{"check", "dry-run", "dryrun", "n", "C", "noop", "no-op", "simulate", "just-print", "whatif",
	"what-if", "test", "diff", "D"}

// lookers are the commands that change nothing of the host.
var lookers = []string{"plan", "verify", "status", "report", "config", "check"}

// instead is what to type in place of an option that a command does not have.
func instead(cmd *cobra.Command, name, see string) string {
	switch {
	case slices.Contains(dryRuns, name) && cmd.Flags().Lookup("plan") != nil:
		return fmt.Sprintf(": %q shows what it would do, and changes nothing", cmd.CommandPath()+" --plan")
	case slices.Contains(dryRuns, name) && slices.Contains(lookers, cmd.Name()):
		return fmt.Sprintf(": %s changes nothing as it is: leave it out", cmd.Name())
	case slices.Contains(dryRuns, name) && (cmd.Name() == "apply" || !cmd.HasParent()):
		return fmt.Sprintf(": %q shows what apply would do, and changes nothing", cmd.Root().Name()+" plan")
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	if near := reading.Nearest(name, names); near != "" && len(name) > 1 {
		return ": did you mean --" + near + "? " + upperFirst(see)
	}
	if owners := having(cmd.Root(), name); len(owners) > 0 {
		return fmt.Sprintf(": it is an option of %s, not of %s; %s", Listed(owners), cmd.Name(), see)
	}
	return "; " + see
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// Listed is "a, b and c".
func Listed(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// having are the commands that have the option.
func having(root *cobra.Command, name string) (names []string) {
	for _, c := range root.Commands() {
		if f := c.Flags().Lookup(name); f != nil && !f.Hidden && c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// FirstWord is the first argument that is neither an option nor an option's value.
func FirstWord(cmd *cobra.Command, args []string) string {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return ""
		}
		if !strings.HasPrefix(arg, "-") {
			return arg
		}
		name := strings.TrimLeft(arg, "-")
		f := cmd.Flags().Lookup(name)
		if f == nil && len(name) == 1 {
			f = cmd.Flags().ShorthandLookup(name)
		}
		if f != nil && f.NoOptDefVal == "" { // its value follows
			i++
		}
	}
	return ""
}

// UnknownCommand suggests the command that was meant.
func UnknownCommand(cmd *cobra.Command, word string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	see := fmt.Sprintf("see %q", cmd.CommandPath()+" --help")
	if near := reading.Nearest(word, names); near != "" {
		return Misused(fmt.Errorf("unknown command %q: did you mean %s? %s", word, near, upperFirst(see)))
	}
	return Misused(fmt.Errorf("unknown command %q; %s", word, see))
}

// NoArguments is for commands that take options only.
func NoArguments(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		return UnknownCommand(cmd, args[0])
	}
	return Misused(fmt.Errorf("%s takes options only, and no %q; see %q", cmd.Name(), args[0],
		cmd.CommandPath()+" --help"))
}

// Error is a command line that cannot be understood.
type Error struct{ error }

func Misused(err error) error { return Error{err} }

// SettingOf marks a flag that stands for a key of the configuration.
const SettingOf = "configuration"
