package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/ending"
	"wsprovision/provision"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/firstboot"
	"wsprovision/provision/fleet"
	"wsprovision/provision/host"
)

// firstBootCommand is what wsprovision-firstboot.service runs.
func (a *app) firstBootCommand() *cobra.Command {
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "first-boot",
		Short: "Finish what was deferred where this host was installed",
		Long: `Finish what was deferred where this host was installed: what
wsprovision-firstboot.service runs, once. "wsprovision status" says how far it
has come.

Exit status:
  0   nothing is deferred any more
  1   it gave up: see "wsprovision status"
  64  usage
  75  another run holds the lock
  77  not permitted: root is needed
  78  what was deferred cannot be trusted, or read`,
		Hidden: true,
		Args:   cmdline.NoArguments,
		PreRun: ending.OutliveTerminal,
		RunE:   func(cmd *cobra.Command, _ []string) error { return a.firstBoot(cmd.Context(), patience) },
	}
	cmdline.AddDuration(cmd.Flags(), &patience, "patience", 30*time.Minute, "keep trying for this `duration`")
	return cmd
}

func (a *app) firstBoot(ctx context.Context, patience time.Duration) error {
	out := a.newOutput("first-boot")
	boot := firstboot.Finisher{StrikeOff: a.strikeOff(out), Rest: a.rest(out), Patience: patience, Notice: out.notice}
	c, outstanding, _ := boot.Deferred() // Finish reads it too, and says what is wrong with it
	boot.Attempt = a.attempt(out, &c)
	out.cutShort()
	where, err := a.where()
	if err == nil {
		out.telling(where)
	}
	if outstanding && err == nil && !where.Offline() {
		if err := fleet.Splay(ctx, c.Splay, out.notice); err != nil {
			return err
		}
	}
	report, err := boot.Finish(ctx)
	out.stop()
	if report != nil {
		if err := out.report(report); err != nil {
			out.say(err.Error())
		}
	}
	send(ctx, out, c, where.Offline(), report)
	if err != nil || report == nil {
		return err
	}
	return outcomeOf(report, false)
}

// attempt is one apply, of the configuration that is then in last. The lock is free between two of them, so that an
// administrator can step in.
func (a *app) attempt(out *output, last *config.Config) func(context.Context, config.Config) (*engine.Report, error) {
	return func(ctx context.Context, c config.Config) (*engine.Report, error) {
		*last = c
		return a.locked(ctx, out, c, func(run *provision.Run) (*engine.Report, error) {
			return metered(out, run.Host, c, run.Resume)(ctx)
		})
	}
}

func (a *app) strikeOff(out *output) func(context.Context) (*engine.Report, error) {
	return func(ctx context.Context) (*engine.Report, error) {
		return a.locked(ctx, out, config.Config{}, func(run *provision.Run) (*engine.Report, error) {
			return run.StrikeOff(ctx)
		})
	}
}

func (a *app) rest(out *output) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := a.locked(ctx, out, config.Config{}, func(run *provision.Run) (*engine.Report, error) {
			return nil, provision.Rest(run.Files)
		})
		return err
	}
}

// locked makes a run that has the lock for its time. Whether this is the right
// system was settled when it was installed.
func (a *app) locked(ctx context.Context, out *output, c config.Config,
	do func(*provision.Run) (*engine.Report, error)) (*engine.Report, error) {
	where, err := a.where()
	if err != nil {
		return nil, err
	}
	run := provision.NewRun(host.New(where, out.log, out.notice, a.seam), c, out.listener())
	run.AnyPlatform, run.Agent = true, version
	if run.Euid != 0 {
		return nil, provision.ErrNotRoot
	}
	release, err := run.Lock(ctx, time.Minute)
	if err != nil {
		return nil, err
	}
	defer release()
	return do(run)
}
