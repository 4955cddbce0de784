package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision"
	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/status"
	"wsprovision/systemd"
)

const statusDoc = `Say where the agent runs, what it found there, and how far the provisioning has
come: complete, deferred (to the first boot), running, failed, or none. What an
installation began and the first boot finished is one report. Then look at the
host itself and say whether it is as asked now: by the files in /etc/wsprovision,
or where they ask for no site by what the agent left. Changes nothing.

Exit status:
  0   complete, and the host is as asked now
  1   failed, or the host differs from what was asked
  3   deferred, running, or none
  64  usage
  77  not permitted: only root sees everything`

func (a *app) statusCommand() *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Say where the agent runs and how far the provisioning has come",
		Long:    statusDoc,
		Example: "  wsprovision status --wait 30m && echo 'the proxy serves'",
		Args:    cmdline.NoArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context(), wait) },
	}
	cmdline.AddDuration(cmd.Flags(), &wait, "wait", 0, "wait this `duration` for what is deferred or running to end")
	return cmd
}

func (a *app) status(ctx context.Context, wait time.Duration) error {
	where, err := a.where()
	if err != nil && !errors.Is(err, systemd.ErrInstaller) {
		return err
	}
	out := a.newOutput("status")
	host := host.New(where, out.log, out.notice, a.seam)
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	s := status.Of(ctx, host, version)
	if wait > 0 && !s.State.Settled() {
		status.WaitSettled(bounded, host, version)
		s = status.Of(context.WithoutCancel(ctx), host, version)
	}
	s.Now = a.now(context.WithoutCancel(ctx), host, s)
	if err := a.writeStatus(s); err != nil {
		return err
	}
	return outcomeOfStatus(s, host.Euid == 0)
}

// now looks once at the host. What it is asked to be is in its own files; neither options nor variables count.
func (a *app) now(ctx context.Context, h *host.Host, s status.Report) status.Now {
	if why := s.Surveyable(); why != "" {
		return status.NotSurveyed(why)
	}
	c, err := config.Load(config.Input{DefaultFile: defaultConfig, SitesDir: sitesDir})
	if err != nil {
		return status.NotSurveyed("what is asked for is not known: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return provision.Now(ctx, h, c)
}

func outcomeOfStatus(s status.Report, root bool) error {
	switch {
	case s.Whole():
		return nil
	case s.State == status.Untold, s.State == status.Complete && s.Now.State == status.Unseen && !root:
		return outcome(exitNoPerm)
	case s.State == status.Broken, s.State == status.Complete:
		return outcome(exitFailed)
	}
	return outcome(exitDeferred)
}

func (a *app) writeStatus(s status.Report) error {
	switch {
	case a.output == "json":
		return show.JSON(a.stdout, s)
	case a.quiet:
		return nil
	}
	show.Status(a.stdout, s)
	return a.stdout.Err
}
