package main

import (
	"strings"
	"time"

	"wsprovision/cmd/wsprovision/screen"
)

// stamp is what a line of the log begins with where its reader has no clock.
func (a *app) stamp() string {
	if !a.timed {
		return ""
	}
	return time.Now().Format(time.RFC3339) + " "
}

// say writes an entry of the log.
func (a *app) say(text string) { a.tell(a.stamp(), text) }

// tell writes an entry for whoever typed the command. Further lines are indented, so that none looks like another
// entry.
func (a *app) tell(stamp, text string) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i, line := range lines[1:] {
		if line != "" && line[0] != ' ' && line[0] != '\t' {
			line = "  " + line
		}
		lines[i+1] = line
	}
	a.stderr.Put([]screen.Span{screen.Styled(screen.Plainly, stamp+"wsprovision: ")}, "  ", screen.Plainly, lines[0])
	for _, line := range lines[1:] {
		a.stderr.Put(nil, "    ", screen.Plainly, line)
	}
}
