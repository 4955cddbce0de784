package managed

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
)

// Files compares the files of the agent with what is there, and writes them.
type Files struct {
	*host.Host
	Config    config.Config
	Ledger    *state.Ledger
	Adopt     bool
	Reverting bool
	Planning  bool
	Blind     bool // only root may read the ledger
	// Elsewhere says how the file of a path gets another one; "" where it has no other place.
	Elsewhere func(path string) string
}

func (m *Files) ReadAll(all []Want) ([]File, error) {
	var err error
	files := make([]File, len(all))
	together := 0
	labels := m.labelsOf(all)
	for i, w := range all {
		if files[i], err = m.file(w, labels); err != nil {
			return nil, err
		}
		if files[i].Differs() {
			together += len(files[i].Have.Content) + len(files[i].Content)
		}
	}
	if together > host.MaxTogether {
		return nil, fmt.Errorf("the files that are to change have %d bytes together, and one run changes at most %d: "+
			"change fewer at a time", together, host.MaxTogether)
	}
	return files, nil
}

// labelsOf are the policy's labels of all files, by their paths: its rules are thousands, and it goes through them
// once. What it cannot tell is said where the label of a file is asked for.
func (m *Files) labelsOf(all []Want) map[string]string {
	modes := map[string]fs.FileMode{}
	for _, w := range all {
		if w.Content != nil {
			modes[w.Path] = w.Mode
		}
	}
	return m.Files.PolicyLabels(modes)
}

func (m *Files) File(w Want) (File, error) { return m.file(w, nil) }

func (m *Files) file(w Want, labels map[string]string) (File, error) {
	f := File{Want: w}
	var err error
	if f.Have, err = m.Files.Read(w.Path); err != nil {
		if errors.Is(err, host.ErrNotRegular) && w.Content != nil && !m.Reverting &&
			m.Elsewhere != nil && m.Elsewhere(w.Path) != "" {
			err = fmt.Errorf("%w; if somebody needs it, %s", err, m.Elsewhere(w.Path))
		}
		return f, err
	}
	if w.Content != nil {
		if f.label, err = m.label(w, labels); err != nil {
			return f, fmt.Errorf("find the label of %s: %w", w.Path, err)
		}
		f.label = cmp.Or(w.Custom, f.label)
	}
	if len(w.Content) > host.MaxFile && !m.Reverting {
		return f, fmt.Errorf("%s would have %d bytes, and the agent writes at most %d: divide the site into several",
			w.Path, len(w.Content), host.MaxFile)
	}
	m.Judge(&f)
	return f, f.fits()
}

func (m *Files) label(w Want, asked map[string]string) (string, error) {
	if label, told := asked[w.Path]; told {
		return label, nil
	}
	return m.Files.PolicyLabel(w.Path, w.Mode)
}

// Judge says whose the file is that stands where ours is wanted.
func (m *Files) Judge(f *File) {
	if f.Lines != nil {
		return
	}
	entry, recorded := m.Ledger.Find(state.KindFile, f.Path)
	now := state.Digest(f.Have.Content)
	unknown := f.Have.Content != nil && f.Content != nil && !m.Reverting && (!recorded || entry.IsTheirs(now))
	switch {
	case host.Same(f.Have.Content, f.Content):
		f.found = unknown && !recorded
	case unknown:
		f.Foreign = true
	case f.Have.Content != nil || m.Reverting:
		f.drifted = recorded && !entry.IsAgents(now)
		// What somebody has rewritten, or removed, is theirs, where all that is asked
		// of it is to be gone or to be as it was before the agent came.
		f.Kept = f.drifted && (f.Content == nil || m.Reverting || m.Config.OnDrift == config.DriftKeep)
	}
}

// AddObsolete adds the removal of files of ours that are not wanted any more.
func (m *Files) AddObsolete(all []Want, which func(path string) bool) ([]Want, error) {
	asked := map[string]bool{}
	for _, w := range all {
		asked[w.Path] = true
	}
	for _, e := range m.Ledger.Entries {
		if e.Kind != state.KindFile || !which(e.Name) || asked[e.Name] {
			continue
		}
		gone, err := m.Obsolete(e)
		if err != nil {
			return nil, err
		}
		all = append(all, gone...)
	}
	return all, nil
}

// Obsolete says whether a file of ours that nobody asks for any more is still
// there, also where a run died before it could remove it. What was there before
// the agent came is there again, or still, and never the agent's to remove.
func (m *Files) Obsolete(e state.Entry) ([]Want, error) {
	have, err := m.Files.Read(e.Name)
	if err != nil || have.Content == nil {
		return nil, err
	}
	now := state.Digest(have.Content)
	if now == e.Before || e.Left == state.Absent && now != e.Prior {
		return nil, nil // somebody else's, as ever or by now
	}
	return []Want{{Path: e.Name}}, nil
}

// wayAround is how to leave somebody else's file alone.
func wayAround(elsewhere func(path string) string, path string) string {
	if elsewhere != nil && elsewhere(path) != "" {
		return elsewhere(path)
	}
	return "move it away if nobody needs it"
}
