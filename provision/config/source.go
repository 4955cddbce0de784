package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// maxSize bounds the file, in bytes: thousands of sites, and still parsed in a blink.
const maxSize = 1 << 20

// MaxMarshalled bounds what Marshal writes, in bytes. Every default is spelled out in it, so that it is many times as
// long as the file that was read.
const MaxMarshalled = 64 << 20

// locate finds the one file and reads it. The path is "" where there is none, which only the default may be.
func locate(in Input, fromEnvironment string, p *problems) (string, []byte) {
	path, optional := in.File, false
	if path == "" {
		path = fromEnvironment
	}
	if path == "" {
		path, optional = in.DefaultFile, true
	}
	if path == "" {
		return "", nil
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
		p.add(Problem{Source: path, Message: message})
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

// readBounded takes pipes too (--config <(…), /dev/stdin), so the size is known only by reading.
func readBounded(path string, limit int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, int64(limit)+1))
}
