package main

import (
	"errors"

	"wsprovision/cmd/wsprovision/cmdline"

	"github.com/spf13/cobra"
)

var errNoShell = errors.New(`no shell: start with "wsprovision completion bash"`)

// completionCommand prints what a shell sources to complete what is typed. RHEL 7 has no other shells that could.
func (a *app) completionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "completion",
		Short: "Print the completion script for a shell",
		Long: `Print what a shell reads to complete commands, options and values. The package has
it installed for bash (where bash-completion is), zsh and fish: a new session of
the shell has it.`,
		Example: "  source <(wsprovision completion bash)",
		Args:    cmdline.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return cmdline.Misused(errNoShell)
		},
	}
	var plain bool
	for _, shell := range []struct {
		name, long string
		print      func(root *cobra.Command) error
	}{
		{"bash", "The script needs the package bash-completion.",
			func(root *cobra.Command) error { return root.GenBashCompletionV2(a.stdout, !plain) }},
		{"zsh", "The script belongs into a folder of fpath, under the name _wsprovision.",
			func(root *cobra.Command) error {
				if plain {
					return root.GenZshCompletionNoDesc(a.stdout)
				}
				return root.GenZshCompletion(a.stdout)
			}},
		{"fish", "The script belongs into ~/.config/fish/completions, under the name wsprovision.fish.",
			func(root *cobra.Command) error { return root.GenFishCompletion(a.stdout, !plain) }},
	} {
		of := &cobra.Command{
			Use:     shell.name,
			Short:   "Print the completion script for " + shell.name,
			Long:    "Print the completion script for " + shell.name + ".\n" + shell.long,
			Example: "  wsprovision completion " + shell.name,
			Args:    cmdline.NoArguments,
			RunE:    func(cmd *cobra.Command, _ []string) error { return shell.print(cmd.Root()) },
		}
		of.Flags().BoolVar(&plain, "no-descriptions", false, "offer words without what they mean")
		cmd.AddCommand(of)
	}
	return cmd
}
