package provision

import (
	"fmt"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
)

// decision is a failure that only somebody's decision ends: no patience does.
type decision struct{ error }

func (d decision) Unwrap() error { return d.error }

func (m *managedFiles) sayDrift(f *engine.Finding, s siteFile) error {
	if !s.drifted {
		return nil
	}
	if !s.kept && m.Config.OnDrift == config.DriftFail {
		return decision{fmt.Errorf("%s was edited since the agent wrote it, and on_drift is fail: "+
			"take the edit into the configuration; or leave the file as it is (on_drift: keep); "+
			"or have it replaced and a copy kept (on_drift: replace), or move it away:\n%s",
			s.path, engine.Unified(s.path, s.content, s.have.Content))}
	}
	warning := m.drift(s)
	if m.planning && s.kept && s.content != nil && s.have.Content != nil { // else it is among the changes
		warning += ":\n" + engine.Unified(s.path, s.content, s.have.Content)
	}
	f.Warnings = append(f.Warnings, warning)
	return nil
}

func (m *managedFiles) drift(s siteFile) string {
	switch {
	case s.have.Content == nil:
		return s.path + " was removed since the agent wrote it, and is not brought back" + m.original(s)
	case s.content == nil && s.kept:
		return s.path + " is no longer asked for, but was edited since the agent wrote it: " +
			"it is left; remove it by hand"
	case s.kept:
		return s.path + " was edited since the agent wrote it, and is left as it is" + m.original(s)
	}
	return fmt.Sprintf("%s was edited since the agent wrote it, and is replaced (on_drift: replace); "+
		"the edit is kept as %s", s.path, m.Files.CopyFor(s.path, s.have.Content))
}

// original says where a revert leaves what it does not bring back.
func (m *managedFiles) original(s siteFile) string {
	if !m.reverting || len(s.content) == 0 {
		return ""
	}
	return "; what was there before the agent came is kept as " + m.Files.CopyFor(s.path, s.content)
}

// replacesEdit reports whether somebody's edit gives way to what is wanted.
func (s siteFile) replacesEdit() bool {
	return s.drifted && !s.kept && s.content != nil && s.have.Content != nil
}
