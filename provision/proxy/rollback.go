package proxy

import (
	"context"
	"errors"
	"fmt"
	"strings"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/managed"
	"wsprovision/provision/state"
	"wsprovision/systemd"
)

// way is the way back from a reload that failed. Where it killed nginx, no
// other master has taken anything since.
func (n *Unit) way(ctx context.Context, s ServiceState) ([]state.Proven, error) {
	master, err := n.taker(context.WithoutCancel(ctx), s)
	if err != nil {
		master = ""
	}
	_, noted, err := n.Owed.Due()
	return state.WayBack(master, noted), err
}

// startBack is the way back from a start that failed: to what was there before
// this run. What an earlier run noted another nginx may have taken since.
func (n *Unit) startBack() error {
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
func (n *Unit) putBack(way []state.Proven) (whole bool, err error) {
	var all *multierror.Error
	whole = true
	way = InOrder(way, func(p state.Proven) (string, []byte, []byte) {
		have, _ := n.Files.Read(p.Path) // what cannot be read is told of below
		return p.Path, have.Content, managed.WantedAgain(p).Content
	})
	for _, p := range way {
		back, err := n.Managed.PutBack(p)
		if err != nil {
			all = multierror.Append(all, fmt.Errorf("put the previous configuration back: %w", err))
		}
		whole = whole && back
	}
	return whole, engine.Lines(all)
}

// reloadBack has nginx take the previous configuration again, and says which
// state serves now.
func (n *Unit) reloadBack(ctx context.Context, units systemd.Units, pid int) error {
	ctx = context.WithoutCancel(ctx)
	problems, err := n.Nginx.Test(ctx, nil)
	if err != nil {
		return fmt.Errorf("test the previous configuration: %w", err)
	}
	for _, p := range problems {
		if p.KeepsFromStarting() {
			return fmt.Errorf("the previous configuration was put back, and nginx -t says of it: %s", p)
		}
	}
	if err := n.ReloadOnce(ctx, units, pid); err != nil {
		return fmt.Errorf("the previous configuration was put back, but reloading it: %w", err)
	}
	if err := n.Owed.Settle(); err != nil {
		return err
	}
	return errors.New("the previous configuration was put back, was proved by a reload, and serves")
}
