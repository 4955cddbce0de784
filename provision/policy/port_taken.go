package policy

import (
	"context"
	"fmt"
	"slices"

	"wsprovision/provision/engine"
	"wsprovision/provision/managed"
	"wsprovision/provision/state"
	"wsprovision/selinux"
)

// PortName is the name of a port's entry.
func PortName(port int) string { return fmt.Sprintf("tcp/%d", port) }

// sayTaken says from whom a port is taken that is to get another label. A local
// label is somebody's decision: it is refused, or taken over by --adopt.
func (po Ports) sayTaken(f *engine.Finding, port int, before selinux.PortState) error {
	local, name := LocalType(before, port), PortName(port)
	switch {
	case local == state.Absent && before.Stored != "" && !slices.Contains(generalTypes, before.Stored):
		f.Notes = append(f.Notes, fmt.Sprintf("port %s is taken from %s, the policy's type for %s",
			name, before.Stored, usersOf(before.Stored)))
	case local == state.Absent:
	case po.Managed.Consented(state.KindPort, name, local):
		f.Warnings = append(f.Warnings, fmt.Sprintf("port %s has the local label %s (for %s), which somebody gave it, "+
			"and is taken over (--adopt): the ledger keeps the label, and a revert brings it back", name, local,
			usersOf(local)))
	default:
		return engine.NewDecision(fmt.Errorf("port %s has the local label %s, which somebody gave it for %s, and not "+
			"the agent: give the site another port, or have the label taken over with --adopt, after which a revert "+
			"brings it back", name, local, usersOf(local)))
	}
	return nil
}

// ForeignPorts are the local labels in the way, as consents have them.
func (po Ports) ForeignPorts(ctx context.Context) []string {
	var all []string
	for _, port := range po.labelledPorts(ctx) {
		edit, before, err := po.SELinux.LabelPort(ctx, "tcp", port, HTTPPortType)
		local := LocalType(before, port)
		unbuilt := err != nil && local != HTTPPortType         // checkUnbuilt: the record is all that there is
		if (edit != nil || unbuilt) && local != state.Absent { // what cannot be read the step says
			all = append(all, managed.Consent(state.KindPort, PortName(port), local))
		}
	}
	return all
}
