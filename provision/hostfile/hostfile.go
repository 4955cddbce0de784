// Package hostfile is for reading files of the host that somebody else may have put there: logs that the nginx user owns,
// files of /proc, certificates, lock files. Nothing in it waits: a pipe or a device in a file's place is refused, what is
// read is bounded in bytes, and a long read ends with its context.
//
// It is a bottom package: every other package may import it, and it imports none of ours.
package hostfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// ErrNotRegular says that a link, a pipe, a device or a directory is where a plain file was expected.
var ErrNotRegular = errors.New("not a regular file")

// ErrTooLarge says that a file has more bytes than its reader takes.
var ErrTooLarge = errors.New("too large")

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
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(Until(ctx, file), limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case int64(len(content)) > limit:
		return nil, fmt.Errorf("read %s: %w: more than %d bytes", path, ErrTooLarge, limit)
	}
	return content, nil
}

// Tail gives at most the last limit bytes of a plain file. It ends with ctx.
func Tail(ctx context.Context, path string, limit int64) ([]byte, error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(max(0, info.Size()-limit), io.SeekStart); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(Until(ctx, file), limit))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return content, nil
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
