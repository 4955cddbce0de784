package managed

import (
	"errors"
	"fmt"

	"wsprovision/provision/host"
	"wsprovision/provision/state"
)

// Proven is a file as it is before the agent changes it.
func (m *Files) Proven(s File) state.Proven {
	e, recorded := m.Ledger.Find(state.KindFile, s.Path)
	now := state.Digest(s.Have.Content)
	p := state.Proven{Path: s.Path, Absent: s.Have.Content == nil, Content: s.Have.Content, Mode: s.Have.Mode,
		Owner:  s.Have.Owner,
		Theirs: recorded && now != e.Before && !e.IsAgents(now)}
	if s.Foreign {
		p.Label = m.Files.CustomLabel(s.Path, s.Have)
	}
	return p
}

// PutBack goes on where the ledger cannot be written, which may be why the
// reload failed: the entry then still has the old content as its Prior. What
// somebody else had put there is not recorded: it is not the agent's, back in
// its place as little as before.
func (m *Files) PutBack(p state.Proven) (back bool, err error) {
	if p.Path == host.NginxConf {
		return m.linesBack(p)
	}
	w := WantedAgain(p)
	have, err := m.Files.Read(p.Path)
	if err != nil {
		return false, err
	}
	if host.Same(have.Content, w.Content) && (p.Absent || have.Mode == p.Mode && have.Owner == p.Owner) {
		return true, nil
	}
	if e, recorded := m.Ledger.Find(state.KindFile, p.Path); !recorded || !e.IsAgents(state.Digest(have.Content)) {
		return false, fmt.Errorf("%s was edited since the agent wrote it: it is left as it is; mend it, or put back "+
			"what was there, and run again", p.Path)
	}
	var unrecorded error
	if !p.Theirs {
		unrecorded = m.record(p.Path, have, w.Content)
	}
	if err := m.restore(w); err != nil {
		return false, errors.Join(unrecorded, err)
	}
	return true, unrecorded
}
