// Package hostfile is for reading files of the host that somebody else may have put there: logs that the nginx user
// owns, files of /proc, certificates, lock files. Nothing in it waits: a pipe or a device in a file's place is refused,
// what is read is bounded in bytes and in time, and a long read ends with its context.
//
// It is a bottom package: every other package may import it, and it imports plaintext alone of ours.
package hostfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"wsprovision/provision/plaintext"

	"golang.org/x/sys/unix"
)

// ErrNotRegular says that a link, a pipe, a device or a directory is where a plain file was expected.
var ErrNotRegular = errors.New("not a regular file")

// ErrTooLarge says that a file has more bytes than its reader takes.
var ErrTooLarge = errors.New("too large")

// ErrNoAnswer says that the kernel did not come back with a file's content in time.
var ErrNoAnswer = errors.New("no answer")

// patience bounds Read and Head: a process whose memory lies in a file system of its owner's own (FUSE) lets
// whoever reads its /proc/PID/cmdline wait (CVE-2018-1120, mended in RHEL 7.6's kernel).
const patience = 10 * time.Second

// Open opens a plain file for reading. It never waits, as open(2) of a FIFO does, and it does not follow a link in the
// last element of the path. Anything but a regular file is ErrNotRegular; errors name the path.
func Open(path string) (*os.File, error) { return open(path, unix.O_NOFOLLOW) }

// OpenLinked is Open for a path that its owner may have made a link, such as a certificate of certbot's. What the link
// leads to must be a regular file.
func OpenLinked(path string) (*os.File, error) { return open(path, 0) }

func open(path string, flags int) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY|flags, 0)
	if errors.Is(err, unix.ELOOP) && flags&unix.O_NOFOLLOW != 0 {
		return nil, fmt.Errorf("open %s: %w: it is a symbolic link", path, ErrNotRegular)
	}
	if err != nil { // a socket is ENXIO
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	file := os.NewFile(uintptr(fd), path)
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("open %s: %w", path, ErrNotRegular)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// Read gives the whole content of a plain file of at most limit bytes; a larger one is ErrTooLarge. A file of /proc,
// whose size is told as 0, is read like any other. It ends with ctx.
func Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	return read(ctx, path, limit, Open)
}

// ReadLinked is Read for a path that its owner may have made a link.
func ReadLinked(ctx context.Context, path string, limit int64) ([]byte, error) {
	return read(ctx, path, limit, OpenLinked)
}

func read(ctx context.Context, path string, limit int64, open func(string) (*os.File, error)) ([]byte, error) {
	content, err := take(ctx, path, limit+1, func() (*os.File, error) { return open(path) })
	if err == nil && int64(len(content)) > limit {
		return nil, fmt.Errorf("read %s: %w: more than %d bytes", path, ErrTooLarge, limit)
	}
	return content, err
}

// Head gives at most the first limit bytes of a plain file. It ends with ctx.
func Head(ctx context.Context, path string, limit int64) ([]byte, error) {
	return take(ctx, path, limit, func() (*os.File, error) { return Open(path) })
}

// take reads at most limit bytes of what open gives, and leaves a read that the kernel does not come back from behind.
// It reads on a thread of its own, which does not see the mounts of a caller that has a mount namespace to itself.
func take(ctx context.Context, path string, limit int64, open func() (*os.File, error)) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%w within %s", ErrNoAnswer,
		plaintext.Duration(patience)))
	defer cancel()
	type answer struct {
		content []byte
		err     error
	}
	done := make(chan answer, 1)
	go func() {
		file, err := open()
		if err != nil {
			done <- answer{nil, err}
			return
		}
		defer file.Close()
		content, err := io.ReadAll(io.LimitReader(Until(ctx, file), limit))
		if err != nil {
			content, err = nil, fmt.Errorf("read %s: %w", path, err)
		}
		done <- answer{content, err}
	}()
	select {
	case a := <-done:
		return a.content, a.err
	case <-ctx.Done():
		return nil, fmt.Errorf("read %s: %w", path, context.Cause(ctx))
	}
}

// Until is a reader that gives up once ctx is done: the size of a file is whatever its owner makes it.
func Until(ctx context.Context, r io.Reader) io.Reader { return &until{ctx, r} }

type until struct {
	ctx context.Context
	r   io.Reader
}

func (u *until) Read(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return 0, context.Cause(u.ctx)
	}
	return u.r.Read(p)
}
