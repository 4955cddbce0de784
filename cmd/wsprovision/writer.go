package main

import (
	"fmt"
	"io"
	"strings"

	"wsprovision/provision/plaintext"
)

// newApp hands out the writers of every command. What they write others have written in part: a backend, a client, a
// mirror, whoever gave a process its title. It is shown as text, on a terminal and in a log, and steers neither. JSON
// has the same escapes as its own.
func newApp(environ []string, stdout, stderr io.Writer) *app {
	return &app{environ: environ, seam: newSeam(),
		stdout: plaintext.NewWriter(stdout), stderr: plaintext.NewWriter(stderr), raw: stdout}
}

// writeLine writes one line, whatever line ends its parts have.
func writeLine(w io.Writer, format string, parts ...any) {
	fmt.Fprintln(w, plaintext.Line(fmt.Sprintf(format, parts...)))
}

// writeIndented writes text of several lines, each behind the indent.
func writeIndented(w io.Writer, indent, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintln(w, indent+strings.TrimSuffix(line, "\n"))
	}
}

// writeItem writes text behind its indent. Further lines stand deeper, so that none looks like another item.
func writeItem(w io.Writer, indent, text string) {
	first, rest, more := strings.Cut(text, "\n")
	fmt.Fprintln(w, indent+first)
	if more {
		writeIndented(w, indent+"  ", rest)
	}
}

// writeSaid writes an entry of the log. Further lines are indented, so that none looks like another entry.
func writeSaid(w io.Writer, text string) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines[1:] {
		if line != "" && line[0] != ' ' && line[0] != '\t' {
			lines[i+1] = "  " + line
		}
	}
	fmt.Fprintln(w, "wsprovision: "+strings.Join(lines, "\n"))
}
