//go:build crash

package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"wsprovision/provision/host"
)

// newSeam is the seam of a test build, which never ships: CRASH_LOG names a
// file that gets every point's name, and with CRASH_STOP the agent stands still
// there until it is killed or continued.
func newSeam() *host.Seam {
	n := 0
	return &host.Seam{Hook: func(point string) error {
		n++
		name := os.Getenv("CRASH_LOG")
		if name == "" {
			return nil
		}
		log, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		defer log.Close()
		fmt.Fprintf(log, "%d %s\n", n, point)
		if os.Getenv("CRASH_STOP") != "" {
			return standStill()
		}
		return nil
	}}
}

// standStill stops the process before this thread leaves the kernel, so that
// SIGKILL finds it where it would have found it had it come at the point.
func standStill() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGSTOP)
}
