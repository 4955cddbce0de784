package selinux

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// DefaultLabel returns the label that the policy gives a path, as matchpathcon(8) does; only the type bits of mode
// matter, and none of them is a regular file. "" means none: <<none>>, or nothing matches. The path is not resolved:
// /var/run is mapped by the substitution files, other links are the caller's.
//
// The rules are libselinux 2.5's (label_file.c): substitutions first; then, over file_contexts, .homedirs and .local as
// one list, the last specification without metacharacters that matches, else the last one with. Lines are read once and
// only those whose fixed beginning fits are compiled.
func (cs Contexts) DefaultLabel(name string, mode fs.FileMode) (string, error) {
	labels, err := cs.DefaultLabels(Path{name, mode})
	if err != nil {
		return "", err
	}
	return labels[0], nil
}

// Path is what a label is asked for: a name and the kind of file that it is.
type Path struct {
	Name string
	Mode fs.FileMode
}

// DefaultLabels is DefaultLabel of many paths, in their order. The rules are read once for all that was not asked
// before, which is nearly all of the work.
func (cs Contexts) DefaultLabels(paths ...Path) ([]string, error) {
	c, err := cs.config()
	if err != nil {
		return nil, fmt.Errorf("default label%s: %w", of(paths), err)
	}
	base := path.Join(etc, c.policy, "contexts/files/file_contexts")
	subs, err := cs.substitutions(base)
	if err != nil {
		return nil, fmt.Errorf("default label%s: %w", of(paths), err)
	}
	matchers := make([]matcher, len(paths))
	for i, p := range paths {
		if !filepath.IsAbs(p.Name) {
			return nil, fmt.Errorf("default label: %q is not an absolute path", p.Name)
		}
		key := substitute(subs, path.Clean(p.Name))
		matchers[i] = matcher{path: []byte(key), stem: pathStem(key), kind: fileKind(p.Mode)}
	}
	labels, err := cs.Cache.match(cs.version(base), matchers, func(some []matcher) error {
		return cs.match(base, some)
	})
	if err != nil {
		return nil, fmt.Errorf("default label%s: %w", of(paths), err)
	}
	return labels, nil
}

// The files that are read as one list: the policy's, and under these endings genhomedircon's and the administrator's.
var fileContexts = []string{"", ".homedirs", ".local"}

// version changes with each change of one of the files.
func (cs Contexts) version(base string) string {
	var all []string
	for _, suffix := range fileContexts {
		var st unix.Stat_t
		err := unix.Stat(cs.path(base+suffix), &st)
		all = append(all, fmt.Sprint(err, st.Dev, st.Ino, st.Size, st.Mtim, st.Ctim))
	}
	return strings.Join(all, " ")
}

func (cs Contexts) match(base string, matchers []matcher) error {
	for _, suffix := range fileContexts {
		if err := cs.matchFile(base+suffix, matchers, suffix != ""); err != nil {
			return err
		}
	}
	return nil
}

// of names a path that is asked for alone.
func of(paths []Path) string {
	if len(paths) != 1 {
		return "s"
	}
	return " of " + paths[0].Name
}

func (cs Contexts) matchFile(name string, matchers []matcher, optional bool) error {
	f, err := os.Open(cs.path(name))
	if errors.Is(err, fs.ErrNotExist) && optional {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	defer f.Close() //nolint:errcheck // only read
	if err := read(f, matchers); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnknown, name, err)
	}
	return nil
}

// matcher looks for the context of one path.
type matcher struct {
	path []byte
	stem int  // length of the path's first component, 0 if it has no second one
	kind byte // as in a specification: '-', 'd', 'l', …

	exact, pattern string // contexts of the last match of either sort
}

func (m *matcher) key() string { return string(m.path) + "\x00" + string(m.kind) }

func (m *matcher) label() string {
	c := m.pattern
	if m.exact != "" {
		c = m.exact
	}
	if c == "<<none>>" {
		return ""
	}
	return c
}

func read(r io.Reader, matchers []matcher) error {
	b := bufio.NewReaderSize(r, 32<<10)
	for {
		line, err := b.ReadSlice('\n')
		if len(line) > 0 && !errors.Is(err, bufio.ErrBufferFull) {
			if err := matchLine(line, matchers); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// matchLine looks at `regular-expression [-kind] context`. libselinux ignores what comes after three fields.
func matchLine(line []byte, matchers []matcher) error {
	text, rest := field(line)
	if len(text) == 0 || text[0] == '#' {
		return nil
	}
	kind, rest := field(rest)
	context, _ := field(rest)
	if len(context) == 0 {
		kind, context = nil, kind
	}
	if len(context) == 0 || (kind != nil && !knownKind(kind)) {
		return fmt.Errorf("%q", bytes.TrimSpace(line))
	}
	s := newSpec(text)
	for i := range matchers {
		m := &matchers[i]
		if kind != nil && kind[1] != m.kind {
			continue
		}
		matched, err := s.matches(m)
		switch {
		case err != nil:
			return fmt.Errorf("%q: %w", bytes.TrimSpace(line), err)
		case !matched:
		case hasMeta(text):
			m.pattern = string(context)
		default:
			m.exact = string(context)
		}
	}
	return nil
}

// field cuts the first field off a line. It sees every line of a policy's thousands, so it is a plain loop.
func field(b []byte) (first, rest []byte) {
	start := 0
	for start < len(b) && blank(b[start]) {
		start++
	}
	end := start
	for end < len(b) && !blank(b[end]) {
		end++
	}
	return b[start:end], b[end:]
}

func blank(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

func knownKind(kind []byte) bool {
	return len(kind) == 2 && kind[0] == '-' && bytes.IndexByte([]byte("bcdpls-"), kind[1]) >= 0
}

func fileKind(mode fs.FileMode) byte {
	switch {
	case mode&fs.ModeDir != 0:
		return 'd'
	case mode&fs.ModeSymlink != 0:
		return 'l'
	case mode&fs.ModeCharDevice != 0:
		return 'c'
	case mode&fs.ModeDevice != 0:
		return 'b'
	case mode&fs.ModeNamedPipe != 0:
		return 'p'
	case mode&fs.ModeSocket != 0:
		return 's'
	}
	return '-'
}
