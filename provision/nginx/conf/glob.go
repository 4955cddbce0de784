package conf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// PatternError is a pattern of an include that wsprovision does not understand, so that the files that nginx reads are
// not known. It is one that C libraries read differently, or one whose meaning is hardly what its author thinks.
type PatternError struct {
	Pattern, Why, File string
	Line               int
}

func (e *PatternError) Error() string {
	const text = "include %s: the pattern is not understood by wsprovision (%s) in %s:%d"
	return fmt.Sprintf(text, e.Pattern, e.Why, e.File, e.Line)
}

// hasMeta is nginx's own question (ngx_conf_include): without one of these a backslash is part of the name.
func hasMeta(pattern string) bool { return strings.ContainsAny(pattern, "*?[") }

// glob is glob(3) as nginx calls it, without flags and in the C locale: sorted by bytes, names with a leading dot only
// where the pattern has one, and neither ~ nor braces mean anything.
func (s source) glob(pattern string) ([]string, error) {
	found := []string{""}
	parts := slices.DeleteFunc(strings.Split(pattern, "/"), func(part string) bool { return part == "" })
	for i, part := range parts {
		g, err := parseGlob(part)
		if err != nil {
			return nil, err
		}
		var next []string
		for _, dir := range found {
			matches, err := s.expand(dir, g)
			if err != nil {
				return nil, err
			}
			next = append(next, matches...)
		}
		if found = next; i == len(parts)-1 && !g.magic {
			found = slices.DeleteFunc(found, func(name string) bool { return !s.exists(name) })
		}
	}
	slices.Sort(found)
	return found, nil
}

// expand gives the names in a directory ("" is the root) that a part of a pattern stands for.
func (s source) expand(dir string, g glob) ([]string, error) {
	if !g.magic {
		return []string{dir + "/" + g.name()}, nil
	}
	names, err := s.names(cmp.Or(dir, "/"))
	if err != nil {
		return nil, err
	}
	if g.hidden() {
		names = append(names, ".", "..") // which readdir(3) gives too
	}
	var matches []string
	for _, name := range names {
		if g.match(name) {
			matches = append(matches, dir+"/"+name)
		}
	}
	return matches, nil
}

// glob is one part of a pattern, between two slashes.
type glob struct {
	magic bool
	atoms []atom
}

// atom is * or stands for one byte: any, one, or one of a set.
type atom struct {
	kind kind
	one  byte
	set  *[256]bool
}

type kind int

const (
	one kind = iota
	anyOne
	star
	oneOf
)

func (a atom) matches(c byte) bool {
	switch a.kind {
	case one:
		return a.one == c
	case oneOf:
		return a.set[c]
	}
	return true
}

func parseGlob(part string) (glob, error) {
	g := glob{magic: hasMeta(part)}
	for i := 0; i < len(part); i++ {
		switch c := part[i]; c {
		case '*':
			g.atoms = append(g.atoms, atom{kind: star})
		case '?':
			g.atoms = append(g.atoms, atom{kind: anyOne})
		case '[':
			set, end, err := parseSet(part, i+1)
			if err != nil {
				return g, err
			}
			g.atoms = append(g.atoms, atom{kind: oneOf, set: set})
			i = end
		case '\\':
			if i++; i == len(part) {
				return g, notUnderstood("a backslash before nothing")
			}
			c = part[i]
			fallthrough
		default:
			g.atoms = append(g.atoms, atom{one: c})
		}
	}
	return g, nil
}

// name is that of a part without magic.
func (g glob) name() string {
	b := make([]byte, len(g.atoms))
	for i, a := range g.atoms {
		b[i] = a.one
	}
	return string(b)
}

// hidden reports whether the part may match a leading dot, which only a dot itself does.
func (g glob) hidden() bool {
	return len(g.atoms) > 0 && g.atoms[0].kind == one && g.atoms[0].one == '.'
}

// match goes back to the last star only: an earlier one cannot do better.
func (g glob) match(name string) bool {
	if strings.HasPrefix(name, ".") && !g.hidden() {
		return false
	}
	at, starAt, starName := 0, -1, 0
	for i := 0; i < len(name); {
		switch {
		case at < len(g.atoms) && g.atoms[at].kind == star:
			starAt, starName = at, i
			at++
		case at < len(g.atoms) && g.atoms[at].matches(name[i]):
			at++
			i++
		case starAt >= 0:
			starName++
			at, i = starAt+1, starName
		default:
			return false
		}
	}
	for at < len(g.atoms) && g.atoms[at].kind == star {
		at++
	}
	return at == len(g.atoms)
}
