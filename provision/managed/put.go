package managed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"wsprovision/provision/host"
	"wsprovision/provision/state"
)

// Put is PutAll of one file.
func (m *Files) Put(s File) error { return m.PutAll([]File{s}) }

// PutAll records the present state of all files and then writes each in their order, or removes it where nothing is
// wanted there. All are announced together: the ledger has every file of the agent's, and to write it for each would
// take the longer the more there are. What somebody has written since a file was judged is not replaced by that
// judgement.
func (m *Files) PutAll(files []File) error {
	var entries []state.Entry
	for _, s := range files {
		have, err := m.unchanged(s)
		if err != nil {
			return err
		}
		announced, err := m.announcements(s, have)
		if err != nil {
			return err
		}
		entries = append(entries, announced...)
	}
	if err := m.Ledger.Record(entries...); err != nil {
		return err
	}
	for _, s := range files {
		if _, err := m.unchanged(s); err != nil {
			return err
		}
		if err := m.restore(s.Want); err != nil {
			return err
		}
	}
	return nil
}

// unchanged is what is there, as long as it is what the file was judged by.
func (m *Files) unchanged(s File) (host.File, error) {
	have, err := m.Files.Read(s.Path)
	if err == nil && !host.Same(have.Content, s.Have.Content) {
		err = fmt.Errorf("%s was changed by somebody else just now: run this again", s.Path)
	}
	return have, err
}

// announcements are what the ledger is to say of what is about to be replaced. An edit that gives way is kept, and what
// was taken over before, and given up, is not lost for it.
func (m *Files) announcements(s File, have host.File) ([]state.Entry, error) {
	if s.replacesEdit() {
		if err := m.Files.KeepCopy(s.Path, have.Content); err != nil {
			return nil, err
		}
	}
	if s.Lines != nil {
		return lineEntries(m.Ledger, s.Lines), nil
	}
	e := m.entryOf(s.Path, have, s.Content)
	e.Adopts = s.Foreign
	old, recorded := m.Ledger.Find(state.KindFile, s.Path)
	if s.Foreign && recorded && old.Before != state.Absent && old.Before != e.Before {
		if err := m.Files.KeepCopy(s.Path, old.Bytes); err != nil {
			return nil, err
		}
	}
	return []state.Entry{e}, nil
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
