package provision

import (
	"context"
	"slices"

	"wsprovision/provision/engine"
)

// incomplete are dependencies that a transaction of the last run failed to
// bring: yum says Complete! where a dependency's script fails, and rpm has what
// needs it all the same, so that nothing seems to be missing any more. rpm is
// asked only where the last run's packages failed.
func (p *Packages) incomplete(ctx context.Context) ([]string, error) {
	if p.Euid != 0 || !p.history.packagesFailed(p.Where.Offline()) {
		return nil, nil
	}
	var there []string
	for _, name := range []string{nginxPackage, semanagePackage} {
		if len(p.packages[name]) > 0 {
			there = append(there, name)
		}
	}
	return p.RPM.Unsatisfied(ctx, there...)
}

// packagesFailed reports whether the last run on this host did not bring its
// packages.
func (h *History) packagesFailed(offline bool) bool {
	last := h.Last
	if offline || last == nil {
		last = h.Install
	}
	return last != nil && slices.ContainsFunc(last.Steps, func(s engine.StepReport) bool {
		return s.Name == StepPackages && s.Status == engine.Failed
	})
}
