package managed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"wsprovision/provision/host"
	"wsprovision/provision/state"
)

// Put records a file's present state and then writes it, or removes it where
// nothing is wanted there. What somebody has written since the file was judged
// is not replaced by that judgement.
func (m *Files) Put(s File) error {
	have, err := m.Files.Read(s.Path)
	if err != nil {
		return err
	}
	if !host.Same(have.Content, s.Have.Content) {
		return fmt.Errorf("%s was changed by somebody else just now: run this again", s.Path)
	}
	if s.replacesEdit() {
		if err := m.Files.KeepCopy(s.Path, have.Content); err != nil {
			return err
		}
	}
	announce := func() error { return m.announce(s, have) }
	if s.Lines != nil {
		announce = func() error { return announceLines(m.Ledger, s.Lines) }
	}
	if err := announce(); err != nil {
		return err
	}
	return m.restore(s.Want)
}

// announce records what is about to be replaced. What was taken over before, and
// given up, is not lost for it.
func (m *Files) announce(s File, have host.File) error {
	e := m.entryOf(s.Path, have, s.Content)
	e.Adopts = s.Foreign
	old, recorded := m.Ledger.Find(state.KindFile, s.Path)
	if s.Foreign && recorded && old.Before != state.Absent && old.Before != e.Before {
		if err := m.Files.KeepCopy(s.Path, old.Bytes); err != nil {
			return err
		}
	}
	return m.Ledger.Record(e)
}

func (m *Files) record(path string, have host.File, content []byte) error {
	return m.Ledger.Record(m.entryOf(path, have, content))
}

func (m *Files) entryOf(path string, have host.File, content []byte) state.Entry {
	return state.Entry{Kind: state.KindFile, Name: path, Before: state.Digest(have.Content),
		Left: state.Digest(content), Bytes: have.Content,
		Mode:  have.Mode,
		Label: m.Files.CustomLabel(path, have), Owner: have.Owner}
}

// restore writes a file as it was, or removes it.
func (m *Files) restore(w Want) error {
	if w.Content == nil {
		return m.Files.Remove(w.Path)
	}
	return m.Files.Put(w.Path, host.File{Content: w.Content, Mode: w.Mode, Owner: w.Owner, Label: w.Custom})
}

// Staged are the files that a run left beside their targets when it died, or
// what somebody else has put there. The next write of the same file takes its
// one away, but nothing may want that file any more. nginx reads none of them,
// so that no reload is owed.
func (m *Files) Staged() ([]string, error) {
	var left []string
	for _, e := range m.Ledger.Entries {
		path := host.Staging(e.Name)
		switch e.Kind {
		case state.KindFile:
		case state.KindLine:
			path = host.Staging(host.NginxConf)
		default:
			continue
		}
		fi, err := os.Lstat(m.Root + path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case fi.IsDir():
			return nil, fmt.Errorf("%s, where the file is staged, is a directory: remove it", path)
		default:
			left = append(left, path)
		}
	}
	return left, nil
}
