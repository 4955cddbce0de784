package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"

	multierror "github.com/hashicorp/go-multierror"
)

func (p *Sites) checkSites(context.Context) (engine.Finding, error) {
	var f engine.Finding
	files, err := p.siteFiles()
	if err != nil {
		return f, err
	}
	if err := p.files.checkFiles(&f, files); err != nil {
		return f, err
	}
	sayGroup(p.Host, &f, confDir)
	left, err := p.files.staged()
	for _, path := range left {
		f.Changes = append(f.Changes, engine.Change{Object: "file " + path, From: "in the way of the next write",
			To: "removed"})
	}
	return f, err
}

// checkFiles names every file that is in the way, not the first alone.
func (m *managedFiles) checkFiles(f *engine.Finding, files []siteFile) error {
	var all *multierror.Error
	for _, s := range files {
		if err := m.checkFile(f, s); err != nil {
			all = multierror.Append(all, err)
		}
	}
	m.sayForms(f, files)
	return engine.Lines(all)
}

// checkFile says what there is to do about a file of ours, and who has edited it.
func (m *managedFiles) checkFile(f *engine.Finding, s siteFile) error {
	m.sayFound(f, s)
	if err := m.sayForeign(f, s, engine.Unified(s.path, s.have.Content, s.content)); err != nil {
		return err
	}
	if err := m.sayDrift(f, s); err != nil || !s.differs() {
		return err
	}
	if m.Euid == 0 {
		if err := m.Files.Writable(s.path); err != nil {
			return err
		}
	}
	f.Changes = append(f.Changes, siteChange(s))
	return nil
}

// staged are the files that a run left beside their targets when it died, or
// what somebody else has put there. The next write of the same file takes its
// one away, but nothing may want that file any more. nginx reads none of them,
// so that no reload is owed.
func (m *managedFiles) staged() ([]string, error) {
	var left []string
	for _, e := range m.ledger.Entries {
		if e.Kind != KindFile {
			continue
		}
		path := host.Staging(e.Name)
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

func siteChange(s siteFile) engine.Change {
	if host.Same(s.have.Content, s.content) {
		return engine.Change{Object: "file " + s.path, From: s.attributes(),
			To: fmt.Sprintf("mode %04o, %s, %s", s.mode, s.owner.Words(), s.label)}
	}
	return fileChange(s.path, s.have.Content, s.content)
}

// fileChange describes a file's change of content.
func fileChange(path string, have, want []byte) engine.Change {
	c := engine.Change{Object: "file " + path, From: Absent, To: "written", Diff: engine.Unified(path, have, want)}
	if have != nil {
		c.From = "other content"
	}
	if want == nil {
		c.To = "removed"
	}
	return c
}

// applySites notes that a reload is owed and how to go back, and then puts
// every file in its place.
func (p *Sites) applySites(ctx context.Context) error {
	files, err := p.siteFiles()
	if err != nil {
		return err
	}
	if err := p.files.checkFiles(&engine.Finding{}, files); err != nil { // somebody's, since the survey
		return err
	}
	var way []Proven
	for _, s := range files {
		if s.differs() {
			way = append(way, p.files.proven(s))
		}
	}
	if err := p.unit.owe(ctx, way); err != nil {
		return err
	}
	for _, s := range inOrder(files, func(s siteFile) (string, []byte, []byte) {
		return s.path, s.have.Content, s.content
	}) {
		if !s.differs() {
			continue
		}
		if err := p.files.put(s); err != nil {
			return err
		}
	}
	left, err := p.files.staged()
	for _, path := range left {
		if err := p.Files.Unlink(path); err != nil {
			return err
		}
	}
	return err
}

// proven is a file as it is before the agent changes it.
func (m *managedFiles) proven(s siteFile) Proven {
	e, recorded := m.ledger.Find(KindFile, s.path)
	now := digest(s.have.Content)
	p := Proven{Path: s.path, Absent: s.have.Content == nil, Content: s.have.Content, Mode: s.have.Mode,
		Owner:  s.have.Owner,
		Theirs: recorded && now != e.Before && !e.agents(now)}
	if s.foreign {
		p.Label = m.Files.CustomLabel(s.path, s.have)
	}
	return p
}

// owe notes the reload of files that are about to change.
func (n *Service) owe(ctx context.Context, way []Proven) error {
	if n.Where.Offline() || len(way) == 0 {
		return nil
	}
	s, err := n.service(ctx)
	if err != nil {
		return err
	}
	master, err := n.taker(ctx, s)
	if err != nil {
		return err
	}
	if err := n.owed.Note(master, way...); err != nil {
		return err
	}
	n.wrote = way
	return nil
}

// put records a file's present state and then writes it, or removes it where
// nothing is wanted there. What somebody has written since the file was judged
// is not replaced by that judgement.
func (m *managedFiles) put(s siteFile) error {
	have, err := m.Files.Read(s.path)
	if err != nil {
		return err
	}
	if !host.Same(have.Content, s.have.Content) {
		return fmt.Errorf("%s was changed by somebody else just now: run this again", s.path)
	}
	if s.replacesEdit() {
		if err := m.Files.KeepCopy(s.path, have.Content); err != nil {
			return err
		}
	}
	if err := m.announce(s, have); err != nil {
		return err
	}
	return m.restore(s.wanted)
}

// announce records what is about to be replaced. What was taken over before, and
// given up, is not lost for it.
func (m *managedFiles) announce(s siteFile, have host.File) error {
	e := m.entryOf(s.path, have, s.content)
	e.adopts = s.foreign
	old, recorded := m.ledger.Find(KindFile, s.path)
	if s.foreign && recorded && old.Before != Absent && old.Before != e.Before {
		if err := m.Files.KeepCopy(s.path, old.Bytes); err != nil {
			return err
		}
	}
	return m.ledger.Record(e)
}

func (m *managedFiles) record(path string, have host.File, content []byte) error {
	return m.ledger.Record(m.entryOf(path, have, content))
}

func (m *managedFiles) entryOf(path string, have host.File, content []byte) Entry {
	return Entry{Kind: KindFile, Name: path, Before: digest(have.Content), Left: digest(content), Bytes: have.Content,
		Mode:  have.Mode,
		Label: m.Files.CustomLabel(path, have), Owner: have.Owner}
}
