package packages

import (
	"context"

	"wsprovision/provision/stepnames"
)

// incomplete are dependencies that a transaction of the last run failed to
// bring: yum says Complete! where a dependency's script fails, and rpm has what
// needs it all the same, so that nothing seems to be missing any more. rpm is
// asked only where the last run's packages failed.
func (p *Packages) incomplete(ctx context.Context) ([]string, error) {
	if p.Euid != 0 || !p.History.LastFailedAt(stepnames.Packages, p.Where.Offline()) {
		return nil, nil
	}
	var there []string
	for _, name := range []string{Nginx, Semanage} {
		if len(p.packages[name]) > 0 {
			there = append(there, name)
		}
	}
	return p.RPM.DB.Unsatisfied(ctx, there...)
}
