package conf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"wsprovision/provision/hostfile"

	"wsprovision/provision/nginx/tokens"
)

// Reader remembers what it has read of a host: files, what they consist of, directories and links. Several trees of one
// survey then cost one reading, each with an overlay of its own. It is for as long as nothing changes on the disk. The
// zero value is ready; a nil one remembers nothing.
type Reader struct {
	files map[string]readout
	lists map[string]entries
	links map[string]string
	tapes map[tapeKey]*tape
	// Tokenized is how many files were split into statements so far.
	Tokenized int
}

type readout struct {
	text []byte
	err  error
}

type entries struct {
	names []string
	err   error
}

// Load is the package's Load, by way of what is remembered.
func (r *Reader) Load(root, conf string, overlay map[string][]byte) (Tree, error) {
	if r == nil {
		r = &Reader{}
	}
	return readTree(newSource(root, overlay, r), conf)
}

// remembered gives the value of a key, and finds it out where it is not known yet.
func remembered[K comparable, V any](all *map[K]V, key K, find func() V) V {
	if v, known := (*all)[key]; known {
		return v
	}
	v := find()
	if *all == nil {
		*all = map[K]V{}
	}
	(*all)[key] = v
	return v
}

const largestFile = 16 << 20

// read reads a file whose path has no links left. What its owner puts there meanwhile is not waited for.
func (r *Reader) read(name string) readout {
	return remembered(&r.files, name, func() readout {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return readout{err: err}
		case info.Mode()&fs.ModeCharDevice != 0:
			return readout{} // include /dev/null
		case !info.Mode().IsRegular():
			return readout{err: errors.New(info.Mode().String())}
		case info.Size() > largestFile:
			return readout{err: fmt.Errorf("%d bytes", info.Size())}
		}
		file, err := hostfile.Open(name)
		if errors.Is(err, hostfile.ErrNotRegular) {
			err = hostfile.ErrNotRegular // without the path, which has the root in it
		}
		if err != nil {
			return readout{err: err}
		}
		defer file.Close()
		text, err := io.ReadAll(io.LimitReader(file, largestFile+1)) // on this thread, which may see mounts of its own
		if err == nil && len(text) > largestFile {
			err = hostfile.ErrTooLarge
		}
		return readout{text, err}
	})
}

// link is where a symbolic link leads, "" for what is none.
func (r *Reader) link(name string) string {
	return remembered(&r.links, name, func() string {
		target, _ := os.Readlink(name)
		return target
	})
}

func (r *Reader) list(dir string) ([]string, error) {
	l := remembered(&r.lists, dir, func() entries {
		all, err := os.ReadDir(dir)
		names := make([]string, len(all))
		for i, e := range all {
			names[i] = e.Name()
		}
		return entries{names, err}
	})
	return l.names, l.err
}

// tapeKey tells contents apart by where they lie in memory: nobody changes one.
type tapeKey struct {
	file  string
	first *byte
	size  int
}

// tape is a file as its statements, up to the first mistake.
type tape struct {
	statements []tokens.Statement
	lines      []int // where the lexer stood after each
	last       int
	err        error
}

func (r *Reader) tape(file string, text []byte) *tape {
	key := tapeKey{file: file, size: len(text)}
	if len(text) > 0 {
		key.first = &text[0]
	}
	return remembered(&r.tapes, key, func() *tape {
		r.Tokenized++
		return record(tokens.New(file, text))
	})
}

func record(lex *tokens.Lexer) *tape {
	t := &tape{}
	for {
		s, err := lex.Next()
		if t.last, t.err = lex.Line(), err; err != nil {
			return t
		}
		t.statements, t.lines = append(t.statements, s), append(t.lines, lex.Line())
		if s.End == tokens.EndOfFile {
			return t
		}
	}
}

// player gives a tape's statements one after the other, as its lexer did.
type player struct {
	*tape
	file string
	line int
	next int
}

func (p *player) statement() (tokens.Statement, error) {
	if p.next == len(p.statements) {
		p.line = p.last
		return tokens.Statement{}, p.err
	}
	p.next++
	p.line = p.lines[p.next-1]
	return p.statements[p.next-1], nil
}

func (p *player) fail(format string, args ...any) error {
	return tokens.Fail(p.file, p.line, format, args...)
}
