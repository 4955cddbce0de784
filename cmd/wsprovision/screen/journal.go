package screen

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// WantsTime: a log in a file or a pipe has nobody who says when a line was written. A terminal's reader saw it, and the
// journal notes it.
func WantsTime(log io.Writer) bool {
	file, ok := log.(*os.File)
	return ok && TerminalOf(log) == nil && !IsJournal(int(file.Fd()))
}

// journalSocket is what a unit's output is connected to. JOURNAL_STREAM (systemd.exec(5)) says the same only since
// systemd 231; RHEL 7 has 219.
const journalSocket = "/run/systemd/journal/stdout"

func IsJournal(fd int) bool {
	peer, err := unix.Getpeername(fd)
	socket, ok := peer.(*unix.SockaddrUnix)
	return err == nil && ok && socket.Name == journalSocket
}
