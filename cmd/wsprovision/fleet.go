package main

import (
	"context"
	"os"
	"time"

	"wsprovision/provision"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/fleet"
	"wsprovision/provision/host"
)

// splay puts the run off, where it asks mirrors.
func splay(ctx context.Context, out *output, run *provision.Run) error {
	if run.Where.Offline() {
		return nil
	}
	return fleet.Splay(ctx, run.Config.Splay, out.notice)
}

// act makes a run.
type act func(context.Context) (*engine.Report, error)

// metered has a run write what it came to for a collector, while it has the lock.
func metered(out *output, h *host.Host, c config.Config, do act) act {
	return func(ctx context.Context) (*engine.Report, error) {
		report, err := do(ctx)
		if report != nil {
			writeMetrics(ctx, out, h, c, report)
		}
		return report, err
	}
}

func writeMetrics(ctx context.Context, out *output, h *host.Host, c config.Config, report *engine.Report) {
	if h.Where.Offline() {
		return
	}
	m := fleet.Metrics{Files: h.Files, Config: c, Now: time.Now()}
	if err := m.Run(context.WithoutCancel(ctx), report); err != nil {
		out.say("warning: " + err.Error())
	}
}

// planned is a plan, which tells a collector what it found, where it is root's. It waits for no other run, which writes
// its own.
func planned(out *output, run *provision.Run) act {
	return func(ctx context.Context) (*engine.Report, error) {
		report, err := run.Plan(ctx)
		if report == nil || run.Euid != 0 || run.Config.MetricsFile == "" {
			return report, err
		}
		if release, locked := run.Lock(ctx, 0); locked == nil {
			writeMetrics(ctx, out, run.Host, run.Config, report)
			release()
		}
		return report, err
	}
}

// forFleet is the configuration of a run that goes by none, for who is told of it. One that is wrong stops no revert.
func (a *app) forFleet(out *output, offline bool) config.Config {
	if offline {
		return config.Config{}
	}
	c, err := config.Load(config.Input{DefaultFile: defaultConfig, SitesDir: sitesDir, Environ: a.environ,
		Trusted: os.Geteuid() == 0})
	if err != nil {
		out.say("warning: the configuration is wrong, so that report_url and metrics_file cannot be told of this " +
			"run: " + err.Error())
		return config.Config{}
	}
	return c
}

// interruptedSend is how long the report of a run that was interrupted may take.
const interruptedSend = 5 * time.Second

// send posts the report, when the lock is let go of.
func send(ctx context.Context, out *output, c config.Config, offline bool, report *engine.Report) {
	if report == nil || offline || c.ReportURL == "" {
		return
	}
	if ctx.Err() != nil {
		var cancel func()
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), interruptedSend)
		defer cancel()
	}
	if err := (fleet.Receiver{URL: c.ReportURL, ID: out.id}).Send(ctx, report); err != nil {
		out.say("warning: " + err.Error())
	}
}
