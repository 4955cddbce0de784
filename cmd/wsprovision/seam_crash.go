//go:build crash

package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"wsprovision/provision"
)

// newSeam is the seam of a test build, which never ships: CRASH_LOG names a
// file that gets every point's name, and CRASH_AT is the number of the point,
// from 1, at which the agent kills itself as kill -9 would.
func newSeam() *provision.Seam {
	at, _ := strconv.Atoi(os.Getenv("CRASH_AT"))
	n := 0
	return &provision.Seam{Hook: func(point string) error {
		n++
		if name := os.Getenv("CRASH_LOG"); name != "" {
			log, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
			if err != nil {
				return err
			}
			defer log.Close()
			fmt.Fprintf(log, "%d %s\n", n, point)
		}
		if n == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}}
}
