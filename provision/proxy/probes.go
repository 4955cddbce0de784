package proxy

import (
	"context"
	"fmt"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/credentials"
	"wsprovision/provision/engine"
)

// checkProbes refuses what the proof could not send. Who is not root cannot read it.
func (v *Candidate) checkProbes(ctx context.Context) error {
	if v.Reverting || v.Euid != 0 {
		return nil
	}
	var all *multierror.Error
	for _, s := range v.Config.Sites {
		for _, l := range s.Locations {
			if _, err := credentials.Read(ctx, v.Root, l.Probe); err != nil {
				all = multierror.Append(all, fmt.Errorf("site %s, location %s: %w", s.Name, l.Path, err))
			}
		}
	}
	return engine.Lines(all)
}
