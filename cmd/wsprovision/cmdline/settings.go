package cmdline

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wsprovision/provision/config"
)

// unused is the value of a flag of the root's that a command makes no use of.
type unused struct{ pflag.Value }

func (unused) Set(string) error { return nil }

// Withhold keeps flags of the root's from commands: CheckFlags refuses them,
// and neither help nor completion has them.
func Withhold(root *pflag.FlagSet, names []string, commands ...*cobra.Command) {
	for _, cmd := range commands {
		for _, name := range names {
			flag := *root.Lookup(name)
			flag.Value, flag.Hidden = unused{flag.Value}, true
			cmd.Flags().AddFlag(&flag)
		}
	}
}

// AddSettings registers the flags that stand for configuration keys, or those of them that describe a site.
func AddSettings(cmd *cobra.Command, siteOnly bool) {
	for _, f := range config.Flags() {
		if siteOnly && !f.Site {
			continue
		}
		if f.Many {
			cmd.Flags().Var(new(repeated), f.Name, f.Usage)
		} else {
			cmd.Flags().String(f.Name, "", f.Usage)
		}
		flag := cmd.Flags().Lookup(f.Name)
		flag.DefValue = f.Default
		_ = cmd.Flags().SetAnnotation(f.Name, SettingOf, []string{"true"})
		if f.Bool {
			flag.NoOptDefVal = "true"
		}
	}
}

// CheckFlags refuses an option that says nothing to the command, and one without a value, such as that of a shell
// variable which is not set: something else than was meant would be done. The configuration's own are refused with all
// that is wrong with them.
func CheckFlags(cmd *cobra.Command) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		_, setting := f.Annotations[SettingOf]
		switch _, idle := f.Value.(unused); {
		case idle:
			err = errors.Join(err, Misused(fmt.Errorf("--%s: %s makes no use of it: leave it out", f.Name,
				cmd.Name())))
		case f.Value.Type() == "string" && f.Value.String() == "" && !setting:
			err = errors.Join(err, Misused(fmt.Errorf("--%s is empty", f.Name)))
		}
	})
	return err
}
