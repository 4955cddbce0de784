package sitecheck

import (
	"context"
	"fmt"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/credentials"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/site"
)

// Probes refuses what the proof could not send. Who is not root cannot read it.
func Probes(ctx context.Context, h *host.Host, sites []site.Site) error {
	var all *multierror.Error
	for _, s := range sites {
		for _, l := range s.Locations {
			if _, err := credentials.Read(ctx, h.Root, l.Probe); err != nil {
				all = multierror.Append(all, fmt.Errorf("site %s, location %s: %w", s.Name, l.Path, err))
			}
		}
	}
	return engine.Lines(all)
}
