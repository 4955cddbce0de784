package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// untilSignalled is a context that SIGINT, SIGTERM or a terminal that goes away
// (SIGHUP) ends: the step that is under way is finished, and no further one
// begun. A reader that no longer reads (SIGPIPE) ends nothing.
func untilSignalled(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signal.Ignore(syscall.SIGPIPE)
	ending := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup(1) has it
		ending = append(ending, syscall.SIGHUP)
	}
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, ending...)
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

// outliveTerminal is the PreRun of what changes the host, which matters more
// than who watches: no SIGHUP ends it, nor the programs that it runs.
func outliveTerminal(*cobra.Command, []string) { signal.Ignore(syscall.SIGHUP) }
