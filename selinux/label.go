package selinux

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	label "github.com/opencontainers/selinux/go-selinux"
	"golang.org/x/sys/unix"
)

// FileLabel returns the label that the file itself has, not what a link names; "" if it has none or its file system
// knows none. It asks for the extended attribute, so it works with SELinux disabled and offline.
func (cs Contexts) FileLabel(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", fmt.Errorf("file label: %q is not an absolute path", path)
	}
	l, err := label.LfileLabel(cs.path(path))
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("file label: %w", err)
	}
	return l, nil
}

// SetFileLabel labels the file itself, not what a link names. The error wraps ENOTSUP where the file system keeps no
// labels, and EINVAL where the running kernel does not know the label.
func (cs Contexts) SetFileLabel(path, l string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("set file label: %q is not an absolute path", path)
	}
	if _, err := contextType(l); err != nil || strings.ContainsAny(l, "\x00 \t\n") {
		return fmt.Errorf("set file label: %s: %q is no context", path, l)
	}
	if err := label.LsetFileLabel(cs.path(path), l); err != nil {
		return fmt.Errorf("set file label: %w", err)
	}
	return nil
}
