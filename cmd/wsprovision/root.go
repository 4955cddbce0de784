package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
)

// version is set when the agent is linked (-X main.version=…).
var version = "unreleased"

const defaultConfig = "/etc/wsprovision/wsprovision.yaml"

// app is what every command is given: where it reads from and answers to.
type app struct {
	environ        []string
	stdout, stderr io.Writer // which show what others wrote as text
	raw            io.Writer // standard output as it is: for connect --raw, and the live line's own control sequence
	// All that changes the host goes through the seam; a second signal ends the
	// run there.
	seam  *host.Seam
	ender *ender
	// What the flags of the root say.
	configFile string
	output     string
	verbose    bool
	// offline and live overrule where the agent believes to run.
	offline, live bool
}

// run is the whole program but for the process around it.
func run(args, environ []string, stdout, stderr io.Writer) int {
	a := newApp(environ, stdout, stderr)
	a.ender = &ender{seam: a.seam, say: func(line string) { writeSaid(a.stderr, line) }, exit: os.Exit}
	ctx, stop := untilSignalled(context.Background(), a.ender.again)
	defer stop()
	root := a.command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	a.complain(err)
	return exitStatus(err)
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:               "wsprovision",
		Short:             "Provision nginx as a WebSocket proxy on RHEL 7, and prove it",
		Version:           version,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              cobra.NoArgs,
		PersistentPreRunE: checkFlags,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return usageError{fmt.Errorf("no command: start with %q", "wsprovision plan --help")}
		},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %q", err, cmd.CommandPath()+" --help")}
	})
	flags := root.PersistentFlags()
	flags.StringVar(&a.configFile, "config", "", "read the configuration from this `file` (default "+defaultConfig+")")
	flags.StringVarP(&a.output, "output", "o", "text", "how to answer: `text or json`")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "log every program that is run, also those that only read")
	a.addPlace(flags)
	echo, connect, status, firstBoot, revert := a.echoCommand(), a.connectCommand(), a.statusCommand(),
		a.firstBootCommand(), a.revertCommand()
	withhold(flags, []string{"config"}, status, firstBoot, revert)
	withhold(flags, []string{"config", "output", "verbose", "offline", "live"}, echo, connect)
	root.AddCommand(a.verifyCommand(), echo, connect, status, firstBoot, a.applyCommand(), a.planCommand(), revert)
	return root
}

// unused is the value of a flag of the root's that a command makes no use of.
type unused struct{ pflag.Value }

func (unused) Set(string) error { return nil }

// withhold keeps flags of the root's from commands: checkFlags refuses them,
// and neither help nor completion has them.
func withhold(root *pflag.FlagSet, names []string, commands ...*cobra.Command) {
	for _, cmd := range commands {
		for _, name := range names {
			flag := *root.Lookup(name)
			flag.Value, flag.Hidden = unused{flag.Value}, true
			cmd.Flags().AddFlag(&flag)
		}
	}
}

// addSettings registers the flags that stand for configuration keys.
func addSettings(cmd *cobra.Command) {
	for _, f := range config.Flags() {
		cmd.Flags().String(f.Name, "", f.Usage)
		if f.Bool {
			cmd.Flags().Lookup(f.Name).NoOptDefVal = "true"
		}
	}
}

// checkFlags refuses an option that says nothing to the command, and one without a value, such as that of a shell
// variable which is not set: something else than was meant would be done. The configuration's own are refused with all
// that is wrong with them.
func checkFlags(cmd *cobra.Command, _ []string) (err error) {
	cmd.Flags().Visit(func(f *pflag.Flag) {
		setting := slices.ContainsFunc(config.Flags(), func(c config.Flag) bool { return c.Name == f.Name })
		switch _, idle := f.Value.(unused); {
		case idle:
			err = errors.Join(err, usageError{fmt.Errorf("--%s: %s makes no use of it: leave it out", f.Name,
				cmd.Name())})
		case f.Value.Type() == "string" && f.Value.String() == "" && !setting:
			err = errors.Join(err, usageError{fmt.Errorf("--%s is empty", f.Name)})
		}
	})
	return err
}

// load reads the configuration with the flags that were typed.
func (a *app) load(cmd *cobra.Command) (config.Config, error) {
	typed := map[string]string{}
	for _, f := range config.Flags() {
		if flag := cmd.Flags().Lookup(f.Name); flag != nil && flag.Changed {
			typed[f.Name] = flag.Value.String()
		}
	}
	// What a command does as root is for root to say; one that only looks takes what it is given.
	root, changes := os.Geteuid() == 0, cmd.Name() == "apply"
	c, err := config.Load(config.Input{File: a.configFile, DefaultFile: defaultConfig, Environ: a.environ, Flags: typed,
		Trusted: root && changes})
	if err != nil {
		return c, err
	}
	if root && !changes && c.Source != "" {
		for _, d := range hostfile.Doubts(c.Source) {
			fmt.Fprintf(a.stderr, "wsprovision: warning: apply will refuse %s: %s\n", c.Source, d.Error())
		}
	}
	return c, c.RequireSites(defaultConfig)
}

// checkOutput refuses an --output that is neither of the two.
func (a *app) checkOutput() error {
	if a.output != "text" && a.output != "json" {
		return usageError{fmt.Errorf("--output %q: it is text or json", a.output)}
	}
	return nil
}
