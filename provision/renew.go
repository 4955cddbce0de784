package provision

import (
	"context"
	"slices"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

// Renew has nginx serve the certificates that are on the disk. What the last apply came to stays what status tells: the
// report is kept among the others where anything was done.
func (r *Run) Renew(ctx context.Context) (*engine.Report, error) {
	start := time.Now()
	if err := r.begin(ctx); err != nil {
		return nil, err
	}
	defer host.Disconnect(r.Host)
	if r.on.Began != nil {
		r.on.Began("renew-hook", r.annals.id(start))
	}
	r.engine.Steps = []engine.Step{{Name: stepnames.Certificates, Check: r.renewal.Check, Apply: r.renewal.Apply}}
	report := r.report(ctx, "renew-hook", start, (*engine.Engine).Apply)
	did := slices.ContainsFunc(report.Steps, func(s engine.StepReport) bool { return s.Status != engine.Unchanged })
	if did {
		if err := state.KeepReport(r.Files, report); err != nil {
			r.notice(err.Error() + "; wsprovision report will not know of this run")
		}
	}
	return report, nil
}
