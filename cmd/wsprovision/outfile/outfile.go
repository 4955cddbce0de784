// Package outfile is for the files that a command line names, a plan or an archive: whole or not at all, and for their
// owner alone.
package outfile

import (
	"fmt"
	"os"
	"path/filepath"

	"wsprovision/provision/host"
)

// Write writes a file that the command line names, for its owner alone: at every instant the old or the new content
// is there. A link in its place is replaced and not followed.
func Write(seam *host.Seam, path string, content []byte) error {
	if fi, err := os.Lstat(path); err == nil && fi.IsDir() {
		return fmt.Errorf("write %s: it is a directory: name a file", path)
	}
	return seam.Do("write "+path, func() error {
		file, err := os.CreateTemp(filepath.Dir(path), ".wsprovision-*")
		if err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		err = fill(file, content)
		if err == nil {
			err = os.Rename(file.Name(), path)
		}
		if err != nil {
			_ = os.Remove(file.Name())
			return fmt.Errorf("write %s: %w", path, err)
		}
		return nil
	})
}

// WriteNew writes a file under a name that nobody can guess; * in the pattern is that part of it.
func WriteNew(seam *host.Seam, dir, pattern string, content []byte) (path string, err error) {
	err = seam.Do("write a file in "+dir, func() error {
		file, err := os.CreateTemp(dir, pattern)
		if err != nil {
			return fmt.Errorf("%w; name another place with --out", err)
		}
		path = file.Name()
		if err := fill(file, content); err != nil {
			_ = os.Remove(path)
			return fmt.Errorf("%w; name another place with --out", err)
		}
		return nil
	})
	return path, err
}

// fill writes what is for the file's owner alone, which os.CreateTemp sees to.
func fill(file *os.File, content []byte) error {
	_, err := file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}
