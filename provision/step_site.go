package provision

import (
	"context"

	"wsprovision/provision/engine"
	"wsprovision/provision/managed"
	"wsprovision/provision/state"
)

func (p *Sites) checkSites(context.Context) (engine.Finding, error) {
	var f engine.Finding
	files, err := p.siteFiles()
	if err != nil {
		return f, err
	}
	if err := p.files.Check(&f, files); err != nil {
		return f, err
	}
	sayGroup(p.Host, &f, confDir)
	left, err := p.files.Staged()
	for _, path := range left {
		f.Changes = append(f.Changes, engine.Change{Object: "file " + path, From: "in the way of the next write",
			To: "removed"})
	}
	return f, err
}

// applySites notes that a reload is owed and how to go back, and then puts
// every file in its place.
func (p *Sites) applySites(ctx context.Context) error {
	files, err := p.siteFiles()
	if err != nil {
		return err
	}
	if err := p.files.Check(&engine.Finding{}, files); err != nil { // somebody's, since the survey
		return err
	}
	var way []state.Proven
	for _, s := range files {
		if s.Differs() {
			way = append(way, p.files.Proven(s))
		}
	}
	if err := p.unit.owe(ctx, way); err != nil {
		return err
	}
	for _, s := range inOrder(files, func(s managed.File) (string, []byte, []byte) {
		return s.Path, s.Have.Content, s.Content
	}) {
		if !s.Differs() {
			continue
		}
		if err := p.files.Put(s); err != nil {
			return err
		}
	}
	left, err := p.files.Staged()
	for _, path := range left {
		if err := p.Files.Unlink(path); err != nil {
			return err
		}
	}
	return err
}

// owe notes the reload of files that are about to change.
func (n *Service) owe(ctx context.Context, way []state.Proven) error {
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
