// Package glob reads the patterns of includes as glob(3) does in the C locale, and refuses those that C libraries read
// differently.
package glob

import (
	"fmt"
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

// HasMeta is nginx's own question (ngx_conf_include): without one of these a backslash is part of the name.
func HasMeta(pattern string) bool { return strings.ContainsAny(pattern, "*?[") }

// Part is one part of a pattern, between two slashes.
type Part struct {
	Magic bool
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

// Parse reads what stands between two slashes.
func Parse(text string) (Part, error) {
	g := Part{Magic: HasMeta(text)}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '*':
			g.atoms = append(g.atoms, atom{kind: star})
		case '?':
			g.atoms = append(g.atoms, atom{kind: anyOne})
		case '[':
			set, end, err := parseSet(text, i+1)
			if err != nil {
				return g, err
			}
			g.atoms = append(g.atoms, atom{kind: oneOf, set: set})
			i = end
		case '\\':
			if i++; i == len(text) {
				return g, notUnderstood("a backslash before nothing")
			}
			c = text[i]
			fallthrough
		default:
			g.atoms = append(g.atoms, atom{one: c})
		}
	}
	return g, nil
}

// Name is that of a part without magic.
func (g Part) Name() string {
	b := make([]byte, len(g.atoms))
	for i, a := range g.atoms {
		b[i] = a.one
	}
	return string(b)
}

// Hidden reports whether the part may match a leading dot, which only a dot itself does.
func (g Part) Hidden() bool {
	return len(g.atoms) > 0 && g.atoms[0].kind == one && g.atoms[0].one == '.'
}

// Match goes back to the last star only: an earlier one cannot do better.
func (g Part) Match(name string) bool {
	if strings.HasPrefix(name, ".") && !g.Hidden() {
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
