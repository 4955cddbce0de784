package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/ending"
	"wsprovision/provision"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

// applyOptions are the flags of apply that are not configuration.
type applyOptions struct {
	anyPlatform bool
	adopt       bool
	detailed    bool
	plans       bool   // the report is all that comes of the run
	out         string // the file that a plan is written to
	fromPlan    string // the file of the plan that apply goes by
	wait        time.Duration
}

func (a *app) applyCommand() *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Bring the host into the configured state, and prove it",
		Long: `Bring the host into the configured state, step by step: EPEL, packages, SELinux,
validation, server block, service, and a WebSocket handshake as the proof.
Every step is checked before the first one changes anything, and again after
it was applied. A host that is as asked for is left alone.
With --from-plan nothing else is done than that plan showed, or nothing at all.

` + exitStatusesDoc,
		Example: `  wsprovision apply --server-name ws.example.com --backend 127.0.0.1:3000
  wsprovision apply --config /etc/wsprovision/wsprovision.yaml --output json
  wsprovision apply --from-plan /root/plan.json`,
		Args:   cmdline.NoArguments,
		PreRun: ending.OutliveTerminal,
		RunE:   func(cmd *cobra.Command, _ []string) error { return a.apply(cmd, o) },
	}
	cmdline.AddSettings(cmd, false)
	addRunFlags(cmd, &o)
	cmdline.AddWait(cmd.Flags(), &o.wait)
	cmd.Flags().StringVar(&o.fromPlan, "from-plan", "",
		"do what the plan in this `file` showed, and nothing else: what plan --out wrote")
	return cmd
}

func addRunFlags(cmd *cobra.Command, o *applyOptions) {
	cmd.Flags().BoolVar(&o.anyPlatform, "any-platform", false, "go on although this is not RHEL 7 or a rebuild of it")
	cmd.Flags().BoolVar(&o.adopt, "adopt", false,
		"take over files and port labels of somebody else that are in the way; revert brings them back")
	cmd.Flags().BoolVar(&o.detailed, "detailed-exitcode", false,
		"exit with 2 where something changed or would, 3 where something is deferred")
}

func (a *app) apply(cmd *cobra.Command, o applyOptions) error {
	if o.fromPlan != "" {
		if err := a.takePlan(cmd, &o); err != nil {
			return err
		}
	}
	run, out, err := a.prepare(cmd, o)
	if err != nil {
		return err
	}
	if run.Euid != 0 {
		return provision.ErrNotRoot
	}
	if err := splay(cmd.Context(), out, run); err != nil {
		return err
	}
	report, err := a.answerLocked(cmd.Context(), out, o, run, metered(out, run.Host, run.Config, a.asPlanned(run)))
	send(cmd.Context(), out, run.Config, run.Where.Offline(), report)
	return err
}

// answerLocked is answer while the run has the lock, and hands back what was reported.
func (a *app) answerLocked(ctx context.Context, out *output, o applyOptions, run *provision.Run, do act) (
	report *engine.Report, err error) {
	release, err := run.Lock(ctx, o.wait)
	if err != nil {
		return nil, err
	}
	defer release()
	err = a.answer(ctx, out, o, func(ctx context.Context) (*engine.Report, error) {
		report, err = do(ctx)
		return report, err
	})
	return report, err
}

// prepare reads the configuration and finds out where the agent runs.
func (a *app) prepare(cmd *cobra.Command, o applyOptions) (*provision.Run, *output, error) {
	c, err := a.load(cmd)
	if err == nil {
		err = a.requireSites(c)
	}
	if err != nil {
		return nil, nil, err
	}
	where, err := a.where()
	if err != nil {
		return nil, nil, err
	}
	out := a.newOutput(cmd.Name())
	if !o.plans {
		out.telling(where)
	}
	run := provision.NewRun(host.New(where, out.log, out.notice, a.seam), c, out.listener())
	run.AnyPlatform, run.Adopt, run.Agent = o.anyPlatform, o.adopt, version
	return run, out, nil
}

// answer makes the run and reports it.
func (a *app) answer(ctx context.Context, out *output, o applyOptions,
	act func(context.Context) (*engine.Report, error)) error {
	out.cutShort()
	report, err := act(ctx)
	out.stop()
	if err != nil {
		return err
	}
	switch err := out.report(report); {
	case err != nil && o.plans:
		return err
	case err != nil:
		out.say(err.Error() + "; wsprovision status tells what was done")
	}
	return outcomeOf(report, o.detailed)
}
