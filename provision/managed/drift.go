package managed

import (
	"fmt"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
)

func (m *Files) SayDrift(f *engine.Finding, s File) error {
	if !s.drifted {
		return nil
	}
	if !s.Kept && m.Config.OnDrift == config.DriftFail {
		return engine.NewDecision(fmt.Errorf("%s was edited since the agent wrote it, and on_drift is fail: take the "+
			"edit into the configuration; or leave the file as it is (on_drift: keep); or have it replaced and a "+
			"copy kept (on_drift: replace), or move it away:\n%s",
			s.Path, engine.Unified(s.Path, s.Content, s.Have.Content)))
	}
	warning := m.DriftWords(s)
	if m.Planning && s.Kept && s.Content != nil && s.Have.Content != nil { // else it is among the changes
		warning += ":\n" + engine.Unified(s.Path, s.Content, s.Have.Content)
	}
	f.Warnings = append(f.Warnings, warning)
	return nil
}

func (m *Files) DriftWords(s File) string {
	switch {
	case s.Have.Content == nil:
		return s.Path + " was removed since the agent wrote it, and is not brought back" + m.original(s)
	case s.Content == nil && s.Kept:
		return s.Path + " is no longer asked for, but was edited since the agent wrote it: it is left; remove it by " +
			"hand"
	case s.Kept:
		return s.Path + " was edited since the agent wrote it, and is left as it is" + m.original(s)
	}
	return fmt.Sprintf("%s was edited since the agent wrote it, and is replaced (on_drift: replace); the edit is "+
		"kept as %s", s.Path, m.Files.CopyFor(s.Path, s.Have.Content))
}

// original says where a revert leaves what it does not bring back.
func (m *Files) original(s File) string {
	if !m.Reverting || len(s.Content) == 0 {
		return ""
	}
	return "; what was there before the agent came is kept as " + m.Files.CopyFor(s.Path, s.Content)
}
