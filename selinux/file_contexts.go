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

// DefaultLabel returns the label that the policy gives a path, as matchpathcon(8) does; only the type bits of mode matter, and none of them is a
// regular file. "" means none: <<none>>, or nothing matches. The path is not resolved: /var/run is mapped by the substitution
// files, other links are the caller's.
//
// The rules are libselinux 2.5's (label_file.c): substitutions first; then, over file_contexts, .homedirs and .local as one list, the last
// specification without metacharacters that matches, else the last one with. Lines are read once and only those whose fixed
// beginning fits are compiled.
func (h Host) DefaultLabel(name string, mode fs.FileMode) (string, error) {
	if !filepath.IsAbs(name) {
		return "", fmt.Errorf("default label: %q is not an absolute path", name)
	}
	c, err := h.config()
	if err != nil {
		return "", fmt.Errorf("default label of %s: %w", name, err)
	}
	base := path.Join(etc, c.policy, "contexts/files/file_contexts")
	key, err := h.substitute(base, path.Clean(name))
	if err != nil {
		return "", fmt.Errorf("default label of %s: %w", name, err)
	}
	l, err := h.Cache.label(h.version(base), key+"\x00"+string(fileKind(mode)), func() (string, error) {
		return h.match(base, key, fileKind(mode))
	})
	if err != nil {
		return "", fmt.Errorf("default label of %s: %w", name, err)
	}
	return l, nil
}

// The files that are read as one list: the policy's, and under these endings genhomedircon's and the administrator's.
var fileContexts = []string{"", ".homedirs", ".local"}

// version changes with each change of one of the files.
func (h Host) version(base string) string {
	var all []string
	for _, suffix := range fileContexts {
		var st unix.Stat_t
		err := unix.Stat(h.path(base+suffix), &st)
		all = append(all, fmt.Sprint(err, st.Dev, st.Ino, st.Size, st.Mtim, st.Ctim))
	}
	return strings.Join(all, " ")
}

func (h Host) match(base, key string, kind byte) (string, error) {
	m := matcher{path: []byte(key), stem: pathStem(key), kind: kind}
	for _, suffix := range fileContexts {
		if err := h.matchFile(base+suffix, &m, suffix != ""); err != nil {
			return "", err
		}
	}
	return m.label(), nil
}

func (h Host) matchFile(name string, m *matcher, optional bool) error {
	f, err := os.Open(h.path(name))
	if errors.Is(err, fs.ErrNotExist) && optional {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	defer f.Close() //nolint:errcheck // only read
	if err := m.read(f); err != nil {
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

func (m *matcher) read(r io.Reader) error {
	b := bufio.NewReaderSize(r, 32<<10)
	for {
		line, err := b.ReadSlice('\n')
		if len(line) > 0 && !errors.Is(err, bufio.ErrBufferFull) {
			if err := m.line(line); err != nil {
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

// line looks at `regular-expression [-kind] context`. libselinux ignores what comes after three fields.
func (m *matcher) line(line []byte) error {
	spec, rest := field(line)
	if len(spec) == 0 || spec[0] == '#' {
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
	if kind != nil && kind[1] != m.kind {
		return nil
	}
	matched, err := m.matches(spec)
	switch {
	case err != nil:
		return fmt.Errorf("%q: %w", bytes.TrimSpace(line), err)
	case !matched:
	case hasMeta(spec):
		m.pattern = string(context)
	default:
		m.exact = string(context)
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
