package provision

import (
	"context"
	"errors"
	"fmt"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/systemd"
)

// way is the way back from a reload that failed. Where it killed nginx, no
// other master has taken anything since.
func (r *Run) way(s service) ([]Proven, error) {
	master, err := r.master(s)
	if err != nil {
		master = ""
	}
	_, noted, err := r.owed.Due()
	return wayBack(master, noted), err
}

// putBack restores the files as nginx last took them: the way back that the
// mark of the owed reload carries. What somebody has edited since the agent
// wrote it is left, and named in the error.
func (r *Run) putBack(way []Proven) error {
	var all *multierror.Error
	for _, p := range way {
		if err := r.putBackOne(p); err != nil {
			all = multierror.Append(all, fmt.Errorf("put the previous configuration back: %w", err))
		}
	}
	return together(all)
}

func (r *Run) putBackOne(p Proven) error {
	have, err := r.Files.Read(p.Path)
	if err != nil || same(have.Content, p.content()) && (p.Absent || have.Mode == p.Mode) {
		return err
	}
	if e, recorded := r.ledger.Find(KindFile, p.Path); !recorded || !e.agents(digest(have.Content)) {
		return fmt.Errorf("%s was edited since the agent wrote it: it is left as it is, and nginx still serves the configuration before it; mend it and run again, or put it back by hand", p.Path)
	}
	return r.put(p.Path, p.content(), p.Mode)
}

// reloadBack has nginx take the previous configuration again, and says which
// state serves now.
func (r *Run) reloadBack(ctx context.Context, units systemd.Units, pid int) error {
	ctx = context.WithoutCancel(ctx)
	problems, err := r.Nginx.Test(ctx, nil)
	if err != nil {
		return fmt.Errorf("test the previous configuration: %w", err)
	}
	for _, p := range problems {
		if p.Fatal() {
			return fmt.Errorf("the previous configuration was put back, and nginx -t says of it: %s", p)
		}
	}
	if err := r.reloadOnce(ctx, units, pid); err != nil {
		return fmt.Errorf("the previous configuration was put back, but reloading it: %w", err)
	}
	if err := r.owed.Settle(); err != nil {
		return err
	}
	return errors.New("the previous configuration was put back, was proved by a reload, and serves")
}
