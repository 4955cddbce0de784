package rpm

import (
	"context"
	"fmt"
	"time"

	"wsprovision/provision/plaintext"
	"wsprovision/rpm/locks"
)

const lockPoll = 2 * time.Second // as often as yum itself looks

// waiting is how much of LockWait is used up. Time is counted in sleeps, so a suspended machine does not use it up.
type waiting struct {
	h      Host
	waited time.Duration
	told   string
}

// free returns once nobody holds a lock, or with a LockedError when LockWait is used up.
func (w *waiting) free(ctx context.Context) error {
	for {
		o, err := locks.Locks{Root: w.h.Root}.Holder()
		if err != nil {
			return err
		}
		if o == nil {
			return nil
		}
		if o.Reused {
			return &locks.ReusedPidError{File: o.File, Pid: o.Process.PID, Program: o.Process.Command}
		}
		if err := w.pause(ctx, o.String()); err != nil {
			return err
		}
	}
}

// pause sleeps once on account of holder and tells a person: at first, when the holder changes, and every minute.
func (w *waiting) pause(ctx context.Context, holder string) error {
	if w.waited >= w.h.LockWait {
		return &locks.LockedError{Holder: holder, Waited: w.waited}
	}
	if w.told != holder || w.waited%time.Minute == 0 {
		w.h.notice("%s for %s; waiting up to %s", holder, plaintext.Duration(w.waited),
			plaintext.Duration(w.h.LockWait))
		w.told = holder
	}
	step := min(lockPoll, w.h.LockWait-w.waited)
	if err := w.h.sleep(ctx, step); err != nil {
		return fmt.Errorf("%s: %w", holder, err)
	}
	w.waited += step
	return nil
}
