package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
)

// source is the file system as it would be with the overlay in place.
type source struct {
	root    string
	overlay map[string][]byte // by resolved path
	reader  *Reader
}

func newSource(root string, overlay map[string][]byte, reader *Reader) source {
	s := source{root: root, overlay: map[string][]byte{}, reader: reader}
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
		target := s.reader.link(s.root + next)
		_, covered := s.overlay[next]
		if target == "" || covered || links > 40 {
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

func (s source) read(name string) ([]byte, error) {
	real := s.resolve(name)
	if content, ok := s.overlay[real]; ok {
		if content == nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: syscall.ENOENT}
		}
		return content, nil
	}
	found := s.reader.read(s.root + real)
	if p := (*fs.PathError)(nil); found.err != nil && !errors.As(found.err, &p) {
		return nil, fmt.Errorf("%s is not a file that can be read: %w", name, found.err)
	}
	return found.text, s.named(found.err, name)
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
	all, err := s.reader.list(s.root + real)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return nil, s.named(err, dir)
	}
	var names []string
	for _, name := range all {
		if _, covered := s.overlay[path.Join(real, name)]; !covered {
			names = append(names, name)
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
