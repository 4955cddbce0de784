package provision

import (
	"context"
	"errors"
	"fmt"
	"strings"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/systemd"
)

// way is the way back from a reload that failed. Where it killed nginx, no
// other master has taken anything since.
func (n *Service) way(ctx context.Context, s service) ([]Proven, error) {
	master, err := n.taker(context.WithoutCancel(ctx), s)
	if err != nil {
		master = ""
	}
	_, noted, err := n.owed.Due()
	return wayBack(master, noted), err
}

// startBack is the way back from a start that failed: to what was there before
// this run. What an earlier run noted another nginx may have taken since.
func (n *Service) startBack() error {
	if len(n.wrote) == 0 {
		return nil
	}
	var paths []string
	for _, p := range n.wrote {
		paths = append(paths, p.Path)
	}
	whole, err := n.putBack(n.wrote)
	if !whole {
		return err
	}
	return errors.Join(err, fmt.Errorf("what was there before was put back (%s); nginx does not run",
		strings.Join(paths, ", ")))
}

// putBack restores the files as nginx last took them. What somebody has edited
// since the agent wrote it is left, and named in the error; whole says that
// nothing was.
func (n *Service) putBack(way []Proven) (whole bool, err error) {
	var all *multierror.Error
	whole = true
	way = inOrder(way, func(p Proven) (string, []byte, []byte) {
		have, _ := n.Files.Read(p.Path) // what cannot be read is told of below
		return p.Path, have.Content, p.wanted().content
	})
	for _, p := range way {
		back, err := n.files.putBackOne(p)
		if err != nil {
			all = multierror.Append(all, fmt.Errorf("put the previous configuration back: %w", err))
		}
		whole = whole && back
	}
	return whole, engine.Lines(all)
}

// putBackOne goes on where the ledger cannot be written, which may be why the
// reload failed: the entry then still has the old content as its Prior. What
// somebody else had put there is not recorded: it is not the agent's, back in
// its place as little as before.
func (m *managedFiles) putBackOne(p Proven) (back bool, err error) {
	w := p.wanted()
	have, err := m.Files.Read(p.Path)
	if err != nil {
		return false, err
	}
	if host.Same(have.Content, w.content) && (p.Absent || have.Mode == p.Mode && have.Owner == p.Owner) {
		return true, nil
	}
	if e, recorded := m.ledger.Find(KindFile, p.Path); !recorded || !e.agents(digest(have.Content)) {
		return false, fmt.Errorf("%s was edited since the agent wrote it: it is left as it is; mend it, or put back "+
			"what was there, and run again", p.Path)
	}
	var unrecorded error
	if !p.Theirs {
		unrecorded = m.record(p.Path, have, w.content)
	}
	if err := m.restore(w); err != nil {
		return false, errors.Join(unrecorded, err)
	}
	return true, unrecorded
}

// reloadBack has nginx take the previous configuration again, and says which
// state serves now.
func (n *Service) reloadBack(ctx context.Context, units systemd.Units, pid int) error {
	ctx = context.WithoutCancel(ctx)
	problems, err := n.Nginx.Test(ctx, nil)
	if err != nil {
		return fmt.Errorf("test the previous configuration: %w", err)
	}
	for _, p := range problems {
		if p.Fatal() {
			return fmt.Errorf("the previous configuration was put back, and nginx -t says of it: %s", p)
		}
	}
	if err := n.reloadOnce(ctx, units, pid); err != nil {
		return fmt.Errorf("the previous configuration was put back, but reloading it: %w", err)
	}
	if err := n.owed.Settle(); err != nil {
		return err
	}
	return errors.New("the previous configuration was put back, was proved by a reload, and serves")
}
