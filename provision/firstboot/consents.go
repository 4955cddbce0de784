package firstboot

import (
	"context"
	"slices"

	"wsprovision/provision/managed"
	"wsprovision/provision/state"
)

// What stands where ours belongs, and no ledger knows, is somebody else's: it is
// refused, or taken over by --adopt, which has the ledger keep it. What is
// already as wanted is nobody else's: a ledger was lost, or an image was made
// elsewhere. It is taken in, and said.

// consents are what the first boot may take over: what this run was told to, and
// what an earlier one had deferred. It goes with the deferred work.
func (d *Deferral) consents(ctx context.Context) []string {
	all := slices.Clone(d.Config.Adopt)
	if before, ok, err := (Finisher{Root: d.Root}).Deferred(); ok && err == nil {
		all = append(all, before.Adopt...)
	}
	if d.Managed.Adopt {
		for _, s := range d.Ours() {
			if s.Foreign {
				all = append(all, managed.Consent(state.KindFile, s.Path, state.Digest(s.Have.Content)))
			}
		}
		all = append(all, d.Policy.Ports().ForeignPorts(ctx)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
