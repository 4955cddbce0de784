package provision

import (
	"context"
	"errors"
	"fmt"

	"wsprovision/systemd"
)

// putBack restores the files as nginx last took them: the way back that the
// mark of the owed reload carries.
func (r *Run) putBack() error {
	_, way, err := r.owed.Due()
	if err != nil {
		return err
	}
	for _, p := range way {
		content := p.Content
		if p.Absent {
			content = nil
		} else if content == nil {
			content = []byte{}
		}
		if err := r.put(p.Path, content, p.Mode); err != nil {
			return fmt.Errorf("put the previous configuration back: %w", err)
		}
	}
	return nil
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
