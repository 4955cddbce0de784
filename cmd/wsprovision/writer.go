package main

import (
	"io"

	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/provision/fleet"
)

// newApp hands out the writers of every command. What they write others have written in part: a backend, a client, a
// mirror, whoever gave a process its title. It is shown as text, on a terminal and in a log, and steers neither. JSON
// has the same escapes as its own.
func newApp(environ []string, stdout, stderr io.Writer) *app {
	return &app{environ: environ, seam: newSeam(), timed: screen.WantsTime(stderr), hostLog: fleet.HostLog,
		stdout: screen.New(stdout, environ), stderr: screen.New(stderr, environ), raw: stdout}
}
