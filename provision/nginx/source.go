package nginx

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"wsprovision/provision/hostfile"
)

// source is the file system as it would be with the overlay in place.
type source struct {
	root    string
	overlay map[string][]byte // by resolved path
}

func newSource(root string, overlay map[string][]byte) source {
	s := source{root: root, overlay: map[string][]byte{}}
	for name, content := range overlay {
		s.overlay[s.place(name)] = content
	}
	return s
}

// place resolves the directory only: a file put over a link replaces the link.
func (s source) place(name string) string {
	return path.Join(s.resolve(path.Dir(path.Clean(name))), path.Base(name))
}

// resolve follows links as a process chrooted into root would. What does not exist stays as it is spelled.
func (s source) resolve(name string) string {
	done, rest := "/", strings.Split(name, "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		target, err := os.Readlink(s.root + next)
		_, covered := s.overlay[next]
		if err != nil || covered || links > 40 {
			done = next
			continue
		}
		links++
		if path.IsAbs(target) {
			done = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done
}

const largestFile = 16 << 20

func (s source) read(name string) ([]byte, error) {
	real := s.resolve(name)
	if content, ok := s.overlay[real]; ok {
		if content == nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
		}
		return content, nil
	}
	info, err := os.Stat(s.root + real)
	switch {
	case err != nil:
		return nil, s.named(err, name)
	case info.Mode()&fs.ModeCharDevice != 0:
		return nil, nil // include /dev/null
	case !info.Mode().IsRegular() || info.Size() > largestFile:
		return nil, fmt.Errorf("%s is not a file that can be read: %s, %d bytes", name, info.Mode(), info.Size())
	}
	return s.readFile(real, name)
}

// readFile reads what may be another file by now. It does so on the caller's thread, which may see mounts of its own.
func (s source) readFile(real, name string) ([]byte, error) {
	file, err := hostfile.Open(s.root + real)
	if err != nil {
		return nil, s.named(err, name)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, largestFile+1))
	if err == nil && len(content) > largestFile {
		err = hostfile.ErrTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return content, nil
}

// named gives an error the path that nginx knows, without the root.
func (s source) named(err error, name string) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return &fs.PathError{Op: p.Op, Path: name, Err: p.Err}
	}
	return err
}

// names lists a directory, sorted; one that is not there has none, as for glob(3).
func (s source) names(dir string) ([]string, error) {
	real := s.resolve(dir)
	entries, err := os.ReadDir(s.root + real)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return nil, s.named(err, dir)
	}
	var names []string
	for _, e := range entries {
		if _, covered := s.overlay[path.Join(real, e.Name())]; !covered {
			names = append(names, e.Name())
		}
	}
	for name, content := range s.overlay {
		if content != nil && path.Dir(name) == real {
			names = append(names, path.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

func (s source) exists(name string) bool {
	if content, ok := s.overlay[s.resolve(name)]; ok {
		return content != nil
	}
	_, err := os.Lstat(s.root + s.resolve(name))
	return err == nil
}
