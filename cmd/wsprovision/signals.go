package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// untilSignalled is a context that SIGINT or SIGTERM ends: the step that is
// under way is finished, and no further one begun. A terminal that goes away
// (SIGHUP) or a reader that no longer reads (SIGPIPE) ends nothing: the host
// matters more than who watches.
func untilSignalled(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE)
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case s := <-caught:
			cancel(fmt.Errorf("caught %s", s))
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(caught)
		cancel(nil)
	}
}
