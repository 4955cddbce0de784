package main

import (
	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
)

// help writes the help of a command, no wider than the screen.
func (a *app) help(cmd *cobra.Command, _ []string) {
	if _, rest, _ := cmd.Root().Find(a.args); cmd.HasSubCommands() && cmd.Name() != "help" {
		if word := cmdline.FirstWord(cmd, rest); word != "" {
			a.helpless = cmdline.UnknownCommand(cmd, word)
			return
		}
	}
	cmdline.Help(*a.stdout, cmd)
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
				return cmdline.UnknownCommand(of, append(rest, args...)[0])
			}
			of.InitDefaultHelpFlag()
			a.help(of, nil)
			return nil
		},
	}
}
