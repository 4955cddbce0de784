package provision

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

// What stands where ours belongs, and no ledger knows, is somebody else's: it is
// refused, or taken over by --adopt, which has the ledger keep it. What is
// already as wanted is nobody else's: a ledger was lost, or an image was made
// elsewhere. It is taken in, and said.

// consent is an agreement to take over what was at a place: "file PATH sha256:…"
// or "port tcp/3000 postgresql_port_t". It is to that alone.
func consent(kind Kind, name, now string) string { return fmt.Sprintf("%s %s %s", kind, name, now) }

func (m *managedFiles) consented(kind Kind, name, now string) bool {
	return m.Adopt || slices.Contains(m.Config.Adopt, consent(kind, name, now))
}

// consents are what the first boot may take over: what this run was told to, and
// what an earlier one had deferred. It goes with the deferred work.
func (d *Deferral) consents(ctx context.Context) []string {
	all := slices.Clone(d.Config.Adopt)
	if before, ok, err := (FirstBoot{Root: d.Root}).Deferred(); ok && err == nil {
		all = append(all, before.Adopt...)
	}
	if d.files.Adopt {
		for _, s := range d.ours() {
			if s.foreign {
				all = append(all, consent(KindFile, s.path, digest(s.have.Content)))
			}
		}
		all = append(all, d.policy.foreignPorts(ctx)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// theirs reports whether what is there now is not the agent's although it has an
// entry: the agent has never come to replace it, a revert has brought it back, or
// it came after the agent had removed its own.
func (e Entry) theirs(now string) bool {
	return e.Prior != "" && now == e.Before || e.Left == Absent && now != e.Prior
}

// whose says whose the file is that stands where ours is wanted.
func (m *managedFiles) whose(f *siteFile) {
	entry, recorded := m.ledger.Find(KindFile, f.path)
	now := digest(f.have.Content)
	unknown := f.have.Content != nil && f.content != nil && !m.reverting && (!recorded || entry.theirs(now))
	switch {
	case host.Same(f.have.Content, f.content):
		f.found = unknown && !recorded
	case unknown:
		f.foreign = true
	case f.have.Content != nil || m.reverting:
		f.drifted = recorded && !entry.agents(now)
		// What somebody has rewritten, or removed, is theirs, where all that is asked
		// of it is to be gone or to be as it was before the agent came.
		f.kept = f.drifted && (f.content == nil || m.reverting || m.Config.OnDrift == config.DriftKeep)
	}
}

// sayForeign refuses a file that is somebody else's, or says that it is taken over.
func (m *managedFiles) sayForeign(f *engine.Finding, s siteFile, difference string) error {
	switch {
	case !s.foreign:
	case m.blind:
		f.Warnings = append(f.Warnings, "cannot tell without root whether "+s.path+
			" is the agent's; it is refused where it is not (see --adopt)")
	case m.consented(KindFile, s.path, digest(s.have.Content)):
		f.Warnings = append(f.Warnings, s.path+" is not the agent's, and is taken over (--adopt): "+
			"the ledger keeps it, and a revert brings it back")
	default:
		return decision{fmt.Errorf("%s is not the agent's, no ledger knows it: %s, or have it taken over "+
			"with --adopt, after which a revert brings it back:\n%s", s.path, wayAround(s.path), difference)}
	}
	return nil
}

func isSite(path string) bool { return path != namesPath && filepath.Dir(path) == confDir }

// wayAround is how to leave somebody else's file alone.
func wayAround(path string) string {
	switch {
	case !isSite(path):
		return "move it away if nobody needs it"
	default:
		return "give the site another name (name, under sites in /etc/wsprovision/wsprovision.yaml)"
	}
}

// sayFound says that a file is as wanted and is not known.
func (m *managedFiles) sayFound(f *engine.Finding, s siteFile) {
	switch {
	case !s.found || m.blind:
	case s.differs():
		f.Notes = append(f.Notes, fmt.Sprintf("%s has the wanted content already, and no ledger knows it: "+
			"its %s is put right, and a revert leaves the file as it is now", s.path, s.attributes()))
	default:
		f.Notes = append(f.Notes, s.path+" is as wanted already, and no ledger knows it: "+
			"it is taken into the ledger as the agent's")
	}
}
