package main

import (
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// wantsTime: a log in a file or a pipe has nobody who says when a line was written. A terminal's reader saw it, and the
// journal notes it.
func wantsTime(log io.Writer) bool {
	file, ok := log.(*os.File)
	return ok && terminalOf(log) == nil && !isJournal(int(file.Fd()))
}

// journalSocket is what a unit's output is connected to. JOURNAL_STREAM (systemd.exec(5)) says the same only since
// systemd 231; RHEL 7 has 219.
const journalSocket = "/run/systemd/journal/stdout"

func isJournal(fd int) bool {
	peer, err := unix.Getpeername(fd)
	socket, ok := peer.(*unix.SockaddrUnix)
	return err == nil && ok && socket.Name == journalSocket
}

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
	a.stderr.put([]span{{plainly, stamp + "wsprovision: "}}, "  ", plainly, lines[0])
	for _, line := range lines[1:] {
		a.stderr.put(nil, "    ", plainly, line)
	}
}
