package main

import (
	"io"

	"wsprovision/provision/fleet"
)

// newApp hands out the writers of every command. What they write others have written in part: a backend, a client, a
// mirror, whoever gave a process its title. It is shown as text, on a terminal and in a log, and steers neither. JSON
// has the same escapes as its own.
func newApp(environ []string, stdout, stderr io.Writer) *app {
	return &app{environ: environ, seam: newSeam(), timed: wantsTime(stderr), hostLog: fleet.HostLog,
		stdout: newScreen(stdout, environ), stderr: newScreen(stderr, environ), raw: stdout}
}
