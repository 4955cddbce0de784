package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/provision/config"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show the configuration that is in effect, or judge a file",
		Long: `Print the configuration that is in effect as YAML, every default spelled out,
each value with where it was written: a file and its line, a variable, an option,
or nowhere. Credentials are hidden. Changes nothing.

Exit status:
  0   it is right
  64  usage
  78  it is wrong; all that is wrong is said`,
		Example: `  wsprovision config
  wsprovision config --server-name ws.example.com --backend 127.0.0.1:3000`,
		Args: cmdline.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := config.Explain(a.input(cmd))
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
	cmdline.AddSettings(cmd, false)
	cmd.AddCommand(a.configCheckCommand())
	return cmd
}

func (a *app) configCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Judge a configuration file, on any machine",
		Long: `Judge a configuration file as apply would, on any machine: nothing of the host
is looked at, and neither options nor variables count. Who may write the file is
not judged either.

Exit status:
  0   it is right
  64  usage
  78  it is wrong; all that is wrong is said`,
		Example: "  wsprovision config check site.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cmdline.Misused(fmt.Errorf("config check takes one file, and not %d", len(args)))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.configCheck(args[0]) },
	}
}

func (a *app) configCheck(file string) error {
	c, err := config.Load(config.Input{File: file})
	if err != nil || a.quiet {
		return err
	}
	sites := "no site"
	switch n := len(c.Sites); {
	case n == 1:
		sites = "the site " + c.Sites[0].Name
	case n > 1:
		sites = fmt.Sprintf("%d sites", n)
	}
	a.stdout.Line(screen.Styled(screen.Plainly, fmt.Sprintf("%s is right: it has %s", file, sites)))
	return a.stdout.Err
}
