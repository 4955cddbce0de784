package host

import (
	"context"
	"time"
)

// Sleep waits, and ends early with ctx, whose cause is the error.
func Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
