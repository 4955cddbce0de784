package proxy

import (
	"context"
	"slices"

	"wsprovision/provision/engine"
	"wsprovision/provision/managed"
	"wsprovision/provision/sitecheck"
	"wsprovision/provision/state"
)

func (p *Sites) Check(context.Context) (engine.Finding, error) {
	var f engine.Finding
	files, err := p.All()
	if err != nil {
		return f, err
	}
	if err := p.Managed.Check(&f, files); err != nil {
		return f, err
	}
	if err := p.sayStockLine(&f); err != nil {
		return f, err
	}
	sitecheck.Group(p.Host, &f, p.SitesDir())
	if err := p.sayLines(&f); err != nil {
		return f, err
	}
	left, err := p.Managed.Staged()
	for _, path := range left {
		f.Changes = append(f.Changes, engine.Change{Object: "file " + path, From: "in the way of the next write",
			To: "removed"})
	}
	return f, err
}

// Apply notes that a reload is owed and how to go back, and then puts
// every file in its place.
func (p *Sites) Apply(ctx context.Context) error {
	files, err := p.All()
	if err != nil {
		return err
	}
	if err := p.Managed.Check(&engine.Finding{}, files); err != nil { // somebody's, since the survey
		return err
	}
	var way []state.Proven
	for _, s := range files {
		if s.Differs() {
			way = append(way, p.Managed.Proven(s))
		}
	}
	if err := p.Unit.owe(ctx, way); err != nil {
		return err
	}
	differing := slices.DeleteFunc(slices.Clone(files), func(s managed.File) bool { return !s.Differs() })
	if err := p.Managed.PutAll(InOrder(differing, func(s managed.File) (string, []byte, []byte) {
		return s.Path, s.Have.Content, s.Content
	})); err != nil {
		return err
	}
	left, err := p.Managed.Staged()
	for _, path := range left {
		if err := p.Files.Unlink(path); err != nil {
			return err
		}
	}
	return err
}

// OweReload notes that nginx is to start its workers anew, although no file is to change.
func (n *Unit) OweReload(ctx context.Context) error {
	s, err := n.State(ctx)
	if err != nil || !s.Running() {
		return err
	}
	master, err := n.taker(ctx, s)
	if err != nil {
		return err
	}
	return n.Owed.Note(master)
}

// owe notes the reload of files that are about to change.
func (n *Unit) owe(ctx context.Context, way []state.Proven) error {
	if n.Where.Offline() || len(way) == 0 {
		return nil
	}
	s, err := n.State(ctx)
	if err != nil {
		return err
	}
	master, err := n.taker(ctx, s)
	if err != nil {
		return err
	}
	if err := n.Owed.Note(master, way...); err != nil {
		return err
	}
	n.wrote = way
	return nil
}
