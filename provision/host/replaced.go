package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// replacedDir keeps the edits that on_drift: replace has replaced, and what a
// revert could not bring back over an edit, the last few of every file. They
// are the administrator's, and a revert leaves them.
const (
	ReplacedDir  = StateDir + "/replaced"
	ReplacedKept = 5
)

// copyBase is the name of a file's copies, less their number:
// "etc-nginx-conf.d-websocket.conf.".
func copyBase(path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", "-") + "."
}

// Copies are the numbers of a file's copies, the oldest first.
func (f *Files) Copies(path string) ([]int, error) {
	entries, err := os.ReadDir(f.Root + ReplacedDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var all []int
	for _, e := range entries {
		number, ours := strings.CutPrefix(e.Name(), copyBase(path))
		if n, err := strconv.Atoi(number); ours && err == nil && n > 0 {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all, nil
}

func CopyPath(path string, n int) string {
	return filepath.Join(ReplacedDir, copyBase(path)+strconv.Itoa(n))
}

// CopyFor is where a copy of the content goes or, where the last one has it, is.
// Without root it is the directory.
func (f *Files) CopyFor(path string, content []byte) string {
	all, err := f.Copies(path)
	switch {
	case err != nil:
		return "a file in " + ReplacedDir
	case len(all) == 0:
		return CopyPath(path, 1)
	}
	last := CopyPath(path, all[len(all)-1])
	if have, err := f.Read(last); err == nil && Same(have.Content, content) {
		return last
	}
	return CopyPath(path, all[len(all)-1]+1)
}

// KeepCopy keeps what is about to be replaced at path, and no more than the last
// few of it.
func (f *Files) KeepCopy(path string, content []byte) error {
	for _, dir := range []string{StateDir, ReplacedDir} {
		if err := f.MakeDir(dir, 0o700); err != nil {
			return err
		}
	}
	name := f.CopyFor(path, content)
	if have, err := f.Read(name); err != nil || !Same(have.Content, content) {
		if err := f.Write(name, content, 0o600); err != nil {
			return fmt.Errorf("keep a copy of %s: %w", path, err)
		}
	}
	all, err := f.Copies(path)
	if err != nil {
		return fmt.Errorf("keep a copy of %s: %w", path, err)
	}
	for _, n := range all[:max(0, len(all)-ReplacedKept)] {
		if err := f.Remove(CopyPath(path, n)); err != nil {
			return err
		}
	}
	return nil
}
