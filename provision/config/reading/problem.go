package reading

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/go-multierror"

	"wsprovision/provision/secret"
)

// Most is how many problems one error lists: a file of a megabyte can hold a hundred thousand, and nobody reads on.
const Most = 100

// Problem is one thing wrong with the configuration. Its message says what is wrong and what would be right.
type Problem struct {
	Key     string `json:"key,omitempty"`  // sites[0].locations[1].backend; "" where the whole file is meant
	Line    int    `json:"line,omitempty"` // in the file, from 1; 0 where there is none
	Source  string `json:"source"`         // a file's path, "flag --backend", "environment WSPROVISION_BACKEND"
	Message string `json:"message"`
}

// Error is the problem on one line. It leaves the file's path to *Error, which says it once.
func (p Problem) Error() string {
	switch {
	case p.rank() > 0:
		return p.Source + ": " + p.Message
	case p.Key != "" && p.Line > 0:
		return fmt.Sprintf("%s (line %d): %s", p.Key, p.Line, p.Message)
	case p.Line > 0:
		return fmt.Sprintf("line %d: %s", p.Line, p.Message)
	case p.Key != "":
		return p.Key + ": " + p.Message
	}
	return p.Message
}

// file is where it stands, "" for what was typed.
func (p Problem) file() string {
	if p.rank() > 0 {
		return ""
	}
	return p.Source
}

// rank orders the sources as they override one another: 0 a file, 1 the environment, 2 a flag.
func (p Problem) rank() int {
	switch {
	case strings.HasPrefix(p.Source, FlagSource):
		return 2
	case strings.HasPrefix(p.Source, EnvironmentSource):
		return 1
	}
	return 0
}

const (
	FlagSource        = "flag --"
	EnvironmentSource = "environment "
)

// Error is a configuration that cannot be used: sysexits' EX_CONFIG, 78.
type Error struct {
	Problems []Problem // at least one; the file's by line, then the environment's, then the flags'
	all      error
}

// Error is one line for one problem, else a heading and a line each.
func (e *Error) Error() string {
	heading, file := "configuration", e.file()
	if file != "" {
		heading += " " + file
	}
	if len(e.Problems) == 1 {
		return heading + ": " + e.Problems[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d problems:", heading, len(e.Problems))
	for i, p := range e.Problems {
		if i == Most {
			fmt.Fprintf(&b, "\n  and %d more", len(e.Problems)-Most)
			break
		}
		b.WriteString("\n  ")
		if p.file() != "" && p.file() != file {
			b.WriteString(p.file() + ": ")
		}
		b.WriteString(p.Error())
	}
	return b.String()
}

// file is the one that all problems of files are of, "" where there are several or none.
func (e *Error) file() string {
	file := e.Problems[0].file()
	for _, p := range e.Problems {
		if other := p.file(); other != "" && other != file {
			return ""
		}
	}
	return file
}

// Unwrap gives errors.As every single Problem.
func (e *Error) Unwrap() error { return e.all }

// Problems gathers; its zero value holds none.
type Problems struct {
	all   *multierror.Error
	first map[string]int // by file: how many sites were counted before its own
}

// Counted notes that a file's first site is not the first of all.
func (p *Problems) Counted(file string, first int) {
	if p.first == nil {
		p.first = map[string]int{}
	}
	p.first[file] = first
}

// Place is where something stands, for a problem of a file.
func (p *Problems) Place(there Problem, from string) string {
	key := p.within(there.Source, there.Key)
	if there.Source == from || there.file() == "" {
		return key
	}
	return fmt.Sprintf("%s of %s (line %d)", key, there.Source, there.Line)
}

// within is a key as it stands in its own file.
func (p *Problems) within(file, key string) string {
	rest, ok := strings.CutPrefix(key, "sites[")
	number, rest, found := strings.Cut(rest, "]")
	if n, err := strconv.Atoi(number); ok && found && err == nil {
		return fmt.Sprintf("sites[%d]%s", n-p.first[file], rest)
	}
	return key
}

func (p *Problems) Add(one Problem) {
	// A URL may stand where none belongs, as a key or as another key's value.
	one.Key, one.Message = secret.Hide(one.Key), secret.Hide(one.Message)
	p.all = multierror.Append(p.all, one)
}

// Err is nil or an *Error; a nil *multierror.Error would be an error that is not nil.
func (p *Problems) Err() error {
	if p.all.ErrorOrNil() == nil {
		return nil
	}
	e := &Error{all: p.all}
	for _, one := range p.all.Errors {
		var problem Problem
		if errors.As(one, &problem) {
			problem.Key = p.within(problem.Source, problem.Key)
			e.Problems = append(e.Problems, problem)
		}
	}
	slices.SortStableFunc(e.Problems, func(a, b Problem) int {
		return cmp.Or(a.rank()-b.rank(), strings.Compare(a.file(), b.file()), a.Line-b.Line)
	})
	return e
}
