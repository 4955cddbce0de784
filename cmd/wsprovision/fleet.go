package main

import (
	"context"
	"time"

	"wsprovision/provision"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/fleet"
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
func metered(out *output, run *provision.Run, do act) act {
	return func(ctx context.Context) (*engine.Report, error) {
		report, err := do(ctx)
		if report != nil {
			writeMetrics(ctx, out, run, report)
		}
		return report, err
	}
}

func writeMetrics(ctx context.Context, out *output, run *provision.Run, report *engine.Report) {
	if run.Where.Offline() {
		return
	}
	m := fleet.Metrics{Files: run.Files, Config: run.Config, Now: time.Now()}
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
			writeMetrics(ctx, out, run, report)
			release()
		}
		return report, err
	}
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
