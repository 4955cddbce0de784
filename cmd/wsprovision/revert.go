package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/ending"
	"wsprovision/provision"
	"wsprovision/provision/host"
)

func (a *app) revertCommand() *cobra.Command {
	var (
		packages, plan, detailed bool
		wait                     time.Duration
	)
	cmd := &cobra.Command{
		Use:   "revert",
		Short: "Undo what the agent did to the host, and nothing else",
		Long: `Undo what the agent recorded in /var/lib/wsprovision/ledger.json, in the reverse
order: server blocks, enablement of nginx, SELinux labels and boolean, repository
and key. What somebody else has changed since is left alone and named. Packages
stay unless --packages is given. A running nginx is reloaded and not stopped.
To take away one site of several, take it out of the configuration and apply
that. Of the configuration only report_url and metrics_file are read.

Exit status:
  0   what the agent did is undone, or what would be undone is shown
  1   a step failed
  2   with --detailed-exitcode: something was undone, or would be
  3   with --detailed-exitcode: the rest is deferred to the first boot
  64  usage
  75  another run holds the lock
  77  not permitted: root is needed
  78  somebody else than root could have written what it goes by; nothing was
      touched`,
		Example: `  wsprovision revert --plan
  wsprovision revert --packages`,
		Args:   cmdline.NoArguments,
		PreRun: ending.OutliveTerminal,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.revert(cmd.Context(), applyOptions{detailed: detailed, plans: plan, wait: wait}, packages)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&packages, "packages", false, "also remove the packages that the agent brought")
	flags.BoolVar(&plan, "plan", false, "show what would be undone, and change nothing")
	flags.BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 where something was undone or would be")
	cmdline.AddWait(flags, &wait)
	return cmd
}

func (a *app) revert(ctx context.Context, o applyOptions, packages bool) error {
	where, err := a.where()
	if err != nil {
		return err
	}
	out := a.newOutput("revert")
	if !o.plans {
		out.telling(where)
	}
	r := provision.NewRevert(host.New(where, out.log, out.notice, a.seam), out.listener(), packages)
	r.Agent = version
	switch {
	case o.plans:
		return a.answer(ctx, out, o, r.Plan)
	case r.Euid != 0:
		return provision.ErrNotRoot
	}
	c := a.forFleet(out, where.Offline()) // the revert takes away what options had written down
	report, err := a.answerLocked(ctx, out, o, r.Run, metered(out, r.Run.Host, c, r.Apply))
	send(ctx, out, c, where.Offline(), report)
	return err
}
