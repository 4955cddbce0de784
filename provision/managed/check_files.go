package managed

import (
	"fmt"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
)

// Check names every file that is in the way, not the first alone.
func (m *Files) Check(f *engine.Finding, files []File) error {
	var all *multierror.Error
	for _, s := range files {
		if err := m.checkFile(f, s); err != nil {
			all = multierror.Append(all, err)
		}
	}
	sayForms(f, files)
	return engine.Lines(all)
}

// checkFile says what there is to do about a file of ours, and who has edited it.
func (m *Files) checkFile(f *engine.Finding, s File) error {
	m.SayFound(f, s)
	if err := m.SayForeign(f, s, engine.Unified(s.Path, s.Have.Content, s.Content)); err != nil {
		return err
	}
	if err := m.SayDrift(f, s); err != nil || !s.Differs() {
		return err
	}
	if m.Euid == 0 {
		if err := m.Files.Writable(s.Path); err != nil {
			return err
		}
	}
	f.Changes = append(f.Changes, SiteChange(s))
	return nil
}

// SayForeign refuses a file that is somebody else's, or says that it is taken over.
func (m *Files) SayForeign(f *engine.Finding, s File, difference string) error {
	switch {
	case !s.Foreign:
	case m.Blind:
		f.Warnings = append(f.Warnings, "cannot tell without root whether "+s.Path+
			" is the agent's; it is refused where it is not (see --adopt)")
	case m.Consented(state.KindFile, s.Path, state.Digest(s.Have.Content)):
		f.Warnings = append(f.Warnings, s.Path+" is not the agent's, and is taken over (--adopt): the ledger keeps "+
			"it, and a revert brings it back")
	default:
		return engine.NewDecision(fmt.Errorf("%s is not the agent's, no ledger knows it: %s, or have it taken over "+
			"with --adopt, after which a revert brings it back:\n%s", s.Path, wayAround(m.Elsewhere, s.Path),
			difference))
	}
	return nil
}

// SayFound says that a file is as wanted and is not known.
func (m *Files) SayFound(f *engine.Finding, s File) {
	switch {
	case !s.found || m.Blind:
	case s.Differs():
		f.Notes = append(f.Notes, fmt.Sprintf("%s has the wanted content already, and no ledger knows it: its %s is "+
			"put right, and a revert leaves the file as it is now", s.Path, s.attributes()))
	default:
		f.Notes = append(f.Notes, s.Path+" is as wanted already, and no ledger knows it: it is taken into the ledger "+
			"as the agent's")
	}
}

func SiteChange(s File) engine.Change {
	if s.Lines != nil {
		return lineChange(s)
	}
	if host.Same(s.Have.Content, s.Content) {
		return engine.Change{Object: "file " + s.Path, From: s.attributes(),
			To: fmt.Sprintf("mode %04o, %s, %s", s.Mode, s.Owner.Words(), s.label)}
	}
	return ChangeOf(s.Path, s.Have.Content, s.Content)
}

// ChangeOf describes a file's change of content.
func ChangeOf(path string, have, want []byte) engine.Change {
	c := engine.Change{Object: "file " + path, From: state.Absent, To: "written",
		Diff: engine.Unified(path, have, want)}
	if have != nil {
		c.From, c.To = "there", "replaced"
	}
	if want == nil {
		c.To = "removed"
	}
	return c
}
