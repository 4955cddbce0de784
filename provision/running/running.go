// Package running is for running the programs of a host: what every package that needs some is given to run them by,
// and the wait between two tries.
package running

import (
	"context"
	"time"
)

// Run runs a program to its end, with LC_ALL=C and a fixed PATH, by a deadline. The status is data; err means that the
// program could not be started, or was ended by a signal or the deadline. It starts the child on the calling goroutine:
// nginx -t is called on a thread of its own, whose mount namespace the child has to inherit.
type Run func(ctx context.Context, stdin string, argv ...string) (stdout, stderr string, status int, err error)

// Sleep waits, and ends early with ctx, whose cause is the error.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
