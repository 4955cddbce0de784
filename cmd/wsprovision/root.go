package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/ending"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/provision/config"
	"wsprovision/provision/fleet"
	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
	"wsprovision/provision/planfile"
)

const (
	defaultConfig = "/etc/wsprovision/wsprovision.yaml"
	sitesDir      = "/etc/wsprovision/sites.d"
	nginxSites    = "/etc/nginx/conf.d/*.conf"
)

// app is what every command is given: where it reads from and answers to.
type app struct {
	args, environ  []string
	stdout, stderr *screen.Screen
	raw            io.Writer // standard output as it is: for connect --raw, and the live line's own control sequence
	timed          bool      // a line of the log says when it was written
	// hostLog is the journal, or syslog; nil where there is none.
	hostLog func() fleet.Sender
	// planned is the plan that apply goes by, nil for none.
	planned *planfile.Plan
	// All that changes the host goes through the seam; a second signal ends the
	// run there.
	seam  *host.Seam
	ender *ending.Ender
	// helpless is why there was no help to give.
	helpless error
	// What the flags of the root say.
	configFile     string
	output, color  string
	verbose, quiet bool
	// offline and live overrule where the agent believes to run.
	offline, live bool
}

// run is the whole program but for the process around it.
func run(args, environ []string, stdout, stderr io.Writer) int {
	a := newApp(environ, stdout, stderr)
	a.args = args
	a.ender = &ending.Ender{Seam: a.seam, Say: a.say, Exit: func() { os.Exit(exitFailed) }}
	ctx, stop := ending.UntilSignalled(context.Background(), a.ender.Again)
	defer stop()
	root := a.command()
	root.SetArgs(args)
	err := errors.Join(root.ExecuteContext(ctx), a.helpless)
	a.complain(err)
	return exitStatus(err)
}

func (a *app) command() *cobra.Command {
	var asked bool
	root := &cobra.Command{
		Use:   "wsprovision",
		Short: "Provision nginx as a WebSocket proxy on RHEL 7, and prove it",
		Example: `  wsprovision plan  --server-name ws.example.com --backend 127.0.0.1:3000
  wsprovision apply --server-name ws.example.com --backend 127.0.0.1:3000`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              cmdline.NoArguments,
		PersistentPreRunE: a.begin,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asked {
				return a.sayVersion()
			}
			_ = cmd.Help()
			return cmdline.Misused(fmt.Errorf("no command: start with %q", "wsprovision plan --help"))
		},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return cmdline.FlagError(cmd, a.args, err) })
	root.SetHelpFunc(a.help)
	root.SetHelpCommand(a.helpCommand())
	// Not cobra's own, whose template would link text/template, and with it three megabytes.
	root.Flags().BoolVarP(&asked, "version", "V", false, "say which version this is, and of what it was built")
	root.CompletionOptions.DisableDefaultCmd = true
	a.addCommands(root, a.addFlags(root))
	cmdline.CompleteValues(root)
	return root
}

// addFlags registers what every command takes that makes use of it.
func (a *app) addFlags(root *cobra.Command) *pflag.FlagSet {
	flags := root.PersistentFlags()
	flags.StringVar(&a.configFile, "config", "", "read the configuration from this `file` (default "+defaultConfig+")")
	cmdline.AddChoice(root, flags, &a.output, "output", "o", "how to answer", "text", "json")
	cmdline.AddChoice(root, flags, &a.color, "color", "", "colours: auto is on a terminal, unless NO_COLOR is set",
		"auto",
		"always", "never")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "log every program that is run, also those that only read")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "say only what failed, and what is warned of")
	a.addPlace(flags)
	flags.BoolP("help", "h", false, "say what a command does, and what it takes")
	return flags
}

// addCommands registers the commands, and keeps from each the options that it makes no use of.
func (a *app) addCommands(root *cobra.Command, flags *pflag.FlagSet) {
	echo, connect, status, firstBoot, revert, about := a.echoCommand(), a.connectCommand(), a.statusCommand(),
		a.firstBootCommand(), a.revertCommand(), a.versionCommand()
	configure, reports, gather := a.configCommand(), a.reportCommand(), a.supportCommand()
	root.AddCommand(a.applyCommand(), a.planCommand(), a.verifyCommand(), a.renewHookCommand(), status, revert, echo,
		connect, firstBoot, about, configure, reports, gather, a.completionCommand())
	root.InitDefaultHelpCmd()
	cmdline.Withhold(flags, []string{"config"}, status, firstBoot, revert)
	cmdline.Withhold(flags, []string{"config", "output", "verbose", "quiet", "color", "offline", "live"}, echo, connect)
	cmdline.Withhold(flags, []string{"config", "verbose", "quiet", "color", "offline", "live"}, about)
	cmdline.Withhold(flags, []string{"config", "verbose", "quiet", "offline", "live"}, reports)
	cmdline.Withhold(flags, []string{"output", "verbose", "quiet", "color", "offline", "live"}, configure)
	cmdline.Withhold(flags, []string{"config", "output", "verbose", "color", "offline", "live"},
		configure.Commands()...)
	for _, cmd := range root.Commands() {
		if name := cmd.Name(); name == "help" || name == "completion" {
			all := []string{"config", "output", "verbose", "quiet", "color", "offline", "live"}
			if name == "help" {
				all = slices.DeleteFunc(all, func(name string) bool { return name == "color" })
			}
			cmdline.Withhold(flags, all, append(cmd.Commands(), cmd)...)
		}
	}
}

// begin settles what every command needs, before it runs.
func (a *app) begin(cmd *cobra.Command, _ []string) error {
	a.stdout.Colour(a.color, a.environ)
	a.stderr.Colour(a.color, a.environ)
	err := cmdline.CheckFlags(cmd)
	if a.quiet && a.verbose {
		err = errors.Join(err, cmdline.Misused(errors.New("--quiet and --verbose exclude one another")))
	}
	return err
}

// input is where a command's configuration comes from: the files, the environment, and the flags that were typed.
func (a *app) input(cmd *cobra.Command) config.Input {
	if a.planned != nil {
		return plannedInput(a.planned)
	}
	typed := map[string]string{}
	for _, f := range config.Flags() {
		if flag := cmd.Flags().Lookup(f.Name); flag != nil && flag.Changed {
			typed[f.Name] = flag.Value.String()
		}
	}
	return config.Input{File: a.configFile, DefaultFile: defaultConfig, SitesDir: sitesDir, Environ: a.environ,
		Flags: typed}
}

// load reads the configuration.
func (a *app) load(cmd *cobra.Command) (config.Config, error) {
	// What a command does as root is for root to say; one that only looks takes what it is given.
	root, changes := os.Geteuid() == 0, cmd.Name() == "apply" || cmd.Name() == "renew-hook"
	in := a.input(cmd)
	in.Trusted = root && changes
	c, err := config.Load(in)
	if err != nil {
		return c, err
	}
	if root && !changes && c.Source != "" {
		for _, d := range hostfile.Doubts(c.Source) {
			a.say(fmt.Sprintf("warning: apply will refuse %s: %s", c.Source, d.Error()))
		}
	}
	for _, why := range c.Unrecorded {
		a.say("warning: " + why)
	}
	return c, nil
}

// requireSites says how to describe a site where there is none.
func (a *app) requireSites(c config.Config) error {
	err := c.RequireSites(defaultConfig)
	if ours := sitesOfOptions(); err != nil && len(ours) > 0 && a.configFile == "" {
		err = fmt.Errorf("%w\n  on this host the site %s is the agent's, which options of an earlier run described: "+
			"give them once more to apply, with --name, and it remembers them", err, strings.Join(ours, ", "))
	}
	return err
}

// sitesOfOptions are the sites on this host that are ours. Where no file of the configuration has any, options made
// them: version 1.0.0 wrote down none.
func sitesOfOptions() []string {
	paths, _ := filepath.Glob(nginxSites)
	var names []string
	for _, path := range paths {
		head, err := hostfile.Head(context.Background(), path, 200)
		name := strings.TrimSuffix(filepath.Base(path), ".conf")
		if err == nil && strings.HasPrefix(string(head), "# managed by wsprovision") && !strings.HasPrefix(name, "_") {
			names = append(names, name)
		}
	}
	return names
}
