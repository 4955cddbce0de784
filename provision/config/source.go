package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"wsprovision/provision/config/reading"
	"wsprovision/provision/hostfile"
)

// maxSize bounds the file, in bytes: thousands of sites, and still parsed in a blink.
const maxSize = 1 << 20

// MaxMarshalled bounds what Marshal writes, in bytes. Every default is spelled out in it, so that it is many times as
// long as the file that was read.
const MaxMarshalled = 64 << 20

// locate finds the one file and reads it. The path is "" where there is none, which only the default may be.
func locate(in Input, fromEnvironment string, p *reading.Problems) (string, []byte) {
	path, optional := in.File, false
	if path == "" {
		path = fromEnvironment
	}
	if path == "" {
		path, optional = in.DefaultFile, true
	}
	if path == "" || path == os.DevNull { // which means no file, and in a chroot without devices may be one
		return "", nil
	}
	if _, err := os.Lstat(path); in.Trusted && !errors.Is(err, fs.ErrNotExist) && distrusted(path, p) {
		return path, nil
	}
	limit := cmp.Or(in.Limit, maxSize)
	read := in.ReadFile
	if read == nil {
		read = func(path string) ([]byte, error) { return readBounded(path, limit) }
	}
	content, err := read(path)
	if optional && errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if message := unreadable(err, len(content), limit); message != "" {
		p.Add(reading.Problem{Source: path, Message: message})
		return path, nil
	}
	return path, content
}

func unreadable(err error, size, limit int) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no such file"
	case errors.Is(err, syscall.EISDIR):
		return "is a directory: name the file in it"
	case errors.Is(err, fs.ErrPermission):
		return "may not be read by this user"
	case err != nil:
		return "cannot be read: " + err.Error()
	case size > limit:
		return fmt.Sprintf("is larger than %d bytes", limit)
	}
	return ""
}

// distrusted adds everything that lets somebody else than root decide what is in the file.
func distrusted(path string, p *reading.Problems) bool {
	doubts := hostfile.Doubts(path)
	for _, d := range doubts {
		message := d.Error()
		if info, err := os.Stat(d.Path); err == nil && info.IsDir() { // which may be somebody's home, and stay theirs
			message += "; or keep the file in a directory that is root's alone, such as /etc/wsprovision"
		}
		p.Add(reading.Problem{Source: path, Message: message})
	}
	if err := hostfile.Regular(path); err != nil {
		p.Add(reading.Problem{Source: path, Message: err.Error() +
			": root takes its configuration from a plain file, or " +
			"/dev/null for none"})
		return true
	}
	return len(doubts) > 0
}

// patience is how long a pipe is waited for.
const patience = 30 * time.Second

// readBounded takes pipes too (--config <(…), /dev/stdin), so the size is known only by reading. A named pipe that
// nobody writes to is empty, and one whose writer says nothing ends with patience.
func readBounded(path string, limit int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_ = f.SetReadDeadline(time.Now().Add(patience)) // a plain file has none, and needs none
	return io.ReadAll(io.LimitReader(f, int64(limit)+1))
}
