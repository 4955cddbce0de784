package conf

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"wsprovision/provision/nginx/glob"
	"wsprovision/provision/nginx/tokens"
)

// Directive is one statement, with what it includes already in its place.
type Directive struct {
	Name string
	Args []string
	File string // as nginx opened it
	Line int    // of the first word
	// Block tells `server {}` from `server;`. In map, geo, types and split_clients the body holds their entries.
	Block bool
	Body  []Directive
}

// SyntaxError is what nginx itself would refuse.
type SyntaxError = tokens.SyntaxError

// File is one opening of a file by nginx; a file included twice is there twice.
type File struct {
	Path string
	// By and Line are the include; "" and 0 for the first file.
	By      string
	Line    int
	Context []string // the blocks around the include, outermost first
	real    string
}

// Tree is a configuration as nginx would have read it at the time of Load.
type Tree struct {
	conf       string
	source     source
	directives []Directive
	files      []File
	index      func() *index
}

// CycleError is an include of a file within itself; nginx dies of it with SIGSEGV.
type CycleError struct {
	File, Includes string
	Line           int
}

func (e *CycleError) Error() string {
	return fmt.Sprintf("include cycle: %s includes %s, which is being read, in %s:%d", path.Base(e.File), e.Includes,
		e.File, e.Line)
}

// Bounds that no real configuration meets; they stop what doubles itself by includes.
const (
	mostFiles = 10000
	mostBytes = 64 << 20
	deepest   = 200
)

// Load reads a configuration with overlay in place of, or added to, what is on the disk; nil content means that the
// file is absent. On an error the tree holds what was read before it: a *SyntaxError, a *CycleError, or whatever kept a
// file from being read, always with file and line. Lua blocks are such an error: their braces are Lua's.
func Load(root, conf string, overlay map[string][]byte) (Tree, error) {
	return (*Reader)(nil).Load(root, conf, overlay)
}

func readTree(from source, conf string) (Tree, error) {
	t := Tree{conf: path.Clean(conf), source: from}
	l := &loader{tree: &t}
	var err error
	t.directives, err = l.file(File{Path: t.conf})
	return t.indexed(nil), err
}

type loader struct {
	tree  *Tree
	stack []string // the files being read, resolved
	bytes int
	// surface leaves unread what blocks include by patterns; patterns are all of those.
	surface  bool
	patterns []pattern
}

func (l *loader) file(f File) ([]Directive, error) {
	f.real = l.tree.source.resolve(f.Path)
	if slices.Contains(l.stack, f.real) {
		return nil, &CycleError{File: f.By, Includes: f.Path, Line: f.Line}
	}
	content, err := l.tree.source.read(f.Path)
	if err != nil {
		return nil, unreadable(f, err)
	}
	if l.tree.files = append(l.tree.files, f); len(l.tree.files) > mostFiles {
		return nil, fmt.Errorf("more than %d includes in %s:%d", mostFiles, f.By, f.Line)
	}
	if l.bytes += len(content); l.bytes > mostBytes {
		return nil, fmt.Errorf("more than %d bytes of configuration in %s", mostBytes, f.Path)
	}
	l.stack = append(l.stack, f.real)
	defer func() { l.stack = l.stack[:len(l.stack)-1] }()
	return l.block(&player{tape: l.tree.source.reader.tape(f.Path, content), file: f.Path}, f.Context, false)
}

// unreadable speaks as nginx does: open() "…" failed (2: No such file or directory) in FILE:LINE.
func unreadable(f File, err error) error {
	var number syscall.Errno
	var p *fs.PathError
	if errors.As(err, &p) && errors.As(err, &number) {
		err = fmt.Errorf("open() %q failed (%d: %w)", p.Path, int(number), number)
	}
	if f.By == "" {
		return err
	}
	return fmt.Errorf("%w in %s:%d", err, f.By, f.Line)
}

// block reads up to the } that closes it, or up to the end of a file.
func (l *loader) block(lex *player, context []string, inner bool) (body []Directive, err error) {
	if len(context) > deepest {
		return nil, lex.fail("blocks nested deeper than %d", deepest)
	}
	for {
		s, err := lex.statement()
		switch {
		case err != nil:
			return body, err
		case s.End == tokens.EndOfFile && inner:
			return body, lex.fail(`unexpected end of file, expecting "}"`)
		case s.End == tokens.Closed && !inner:
			return body, lex.fail(`unexpected "}"`)
		case s.End == tokens.EndOfFile || s.End == tokens.Closed:
			return body, nil
		}
		read, err := l.statement(lex, s, context)
		body = append(body, read...)
		if err != nil {
			return body, err
		}
	}
}

func (l *loader) statement(lex *player, s tokens.Statement, context []string) ([]Directive, error) {
	d := Directive{Name: s.Words[0], Args: s.Words[1:], File: lex.file, Line: s.Line, Block: s.End == tokens.Opened}
	switch {
	case d.Block && strings.HasSuffix(d.Name, "_by_lua_block"):
		return nil, tokens.Fail(d.File, d.Line, "%q is not understood by wsprovision", d.Name)
	case d.Block:
		var err error
		d.Body, err = l.block(lex, append(slices.Clone(context), d.Name), true)
		return []Directive{d}, err
	case d.Name == "include" && !entriesOnly(context):
		return l.include(lex, d, context)
	}
	return []Directive{d}, nil
}

// entriesOnly is the one block in which "include" would be an entry.
func entriesOnly(context []string) bool {
	return len(context) > 0 && context[len(context)-1] == "split_clients"
}

func (l *loader) include(lex *player, d Directive, context []string) ([]Directive, error) {
	if len(d.Args) != 1 {
		return nil, lex.fail(`invalid number of arguments in "include" directive`)
	}
	names := []string{l.tree.Paths().absolute(d.Args[0])}
	if glob.HasMeta(names[0]) {
		l.patterns = append(l.patterns, pattern{names[0], context})
		if l.surface && len(context) > 0 {
			return nil, nil
		}
		var err error
		if names, err = l.tree.source.glob(names[0]); err != nil {
			if p := asPattern(err, d); p != nil {
				return nil, p
			}
			return nil, fmt.Errorf("include %s: %w in %s:%d", d.Args[0], err, d.File, d.Line)
		}
	}
	var all []Directive
	for _, name := range names {
		read, err := l.file(File{Path: name, By: d.File, Line: lex.line, Context: context})
		all = append(all, read...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// asPattern is the complaint of a pattern with its place; nil where the error is another one.
func asPattern(err error, d Directive) *glob.PatternError {
	var p *glob.PatternError
	if !errors.As(err, &p) {
		return nil
	}
	return &glob.PatternError{Pattern: d.Args[0], Why: p.Why, File: d.File, Line: d.Line}
}

// absolute is nginx's rule for includes: relative to the directory of the first file, not of the including one.
func (ps Paths) absolute(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Dir(ps.conf) + "/" + name
}

// Directives are the statements of the main context, in the order in which nginx meets them.
func (t Tree) Directives() []Directive { return t.directives }

// Files are the files in the order in which nginx opens them.
func (t Tree) Files() []File { return t.files }

// Included tells whether nginx would read the file, under this or, through links, another path.
func (t Tree) Included(name string) bool { return len(t.openings(name)) > 0 }

func (t Tree) openings(name string) []File { return t.look().openings[t.source.resolve(name)] }

// Paths are the files and sockets that a configuration names.
type Paths struct{ Tree }

// Paths are the files and sockets that the configuration names.
func (t Tree) Paths() Paths { return Paths{t} }
