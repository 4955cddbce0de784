package selinux

import (
	"bytes"
	"regexp"
	"strings"
)

// What libselinux takes for a metacharacter; a backslash takes its meaning away from whatever follows.
const meta = ".^$?*+|[({"

func hasMeta(spec []byte) bool {
	for i := 0; i < len(spec); i++ {
		if spec[i] == '\\' {
			i++
		} else if strings.IndexByte(meta, spec[i]) >= 0 {
			return true
		}
	}
	return false
}

// pathStem is the length of the path's first component with its slash, 0 if nothing follows it.
func pathStem(path string) int {
	if path == "" {
		return 0
	}
	return 1 + strings.IndexByte(path[1:], '/')
}

// specStem is the same of a specification, 0 if it is not plain text. Here a backslash is plain text too
// (get_stem_from_spec), so that /\.x/y has a stem no path ever has: such a specification matches nothing in libselinux,
// and nothing here.
func specStem(spec []byte) int {
	end := 1 + bytes.IndexByte(spec[1:], '/')
	if bytes.ContainsAny(spec[:end], meta) {
		return 0
	}
	return end
}

// spec is one specification; what is dear is made when a path first needs it.
type spec struct {
	text  []byte
	stem  int
	begin []byte // see fixed
	known bool   // begin is
	re    *regexp.Regexp
}

func newSpec(text []byte) *spec { return &spec{text: text, stem: specStem(text)} }

// matches says whether the specification matches the path. The stem is compared as text and the rest by ^rest$, even
// where that binds differently from what the author meant: "/a/b|c" has the alternatives ^/b and c$.
//
// Expressions are Perl-compatible, and RE2 reads them as they are: what policies use means the same in both, and what
// RE2 lacks (references, look-around, possessive repetition) does not compile, which is an error only where the fixed
// beginning fits the path.
func (s *spec) matches(m *matcher) (bool, error) {
	text, rest := s.text, m.path
	if s.stem > 0 {
		if s.stem != m.stem || !bytes.Equal(text[:s.stem], rest[:s.stem]) {
			return false, nil
		}
		text, rest = text[s.stem:], rest[s.stem:]
	}
	if !s.known {
		s.begin, s.known = fixed(text), true
	}
	if !bytes.HasPrefix(rest, s.begin) {
		return false, nil
	}
	if s.re == nil {
		re, err := regexp.Compile("(?s)^" + string(text) + "$")
		if err != nil {
			return false, err
		}
		s.re = re
	}
	return s.re.Match(rest), nil
}

// fixed returns the plain text with which whatever the expression matches must begin; nil where there may be an
// alternative to it. The result is part of spec, so it ends at a backslash too.
func fixed(spec []byte) []byte {
	n := bytes.IndexAny(spec, meta+`\`)
	if n < 0 {
		return spec
	}
	if outerAlternative(spec) {
		return nil
	}
	if n > 0 && strings.IndexByte("?*{", spec[n]) >= 0 {
		n-- // the last character is optional
	}
	return spec[:n]
}

// outerAlternative says whether a | stands outside all groups. Where it cannot be told simply, the answer is yes, which
// costs only time.
func outerAlternative(spec []byte) bool {
	depth := 0
	for i := 0; i < len(spec); i++ {
		switch spec[i] {
		case '\\':
			i++
		case '[':
			return bytes.IndexByte(spec[i:], '|') >= 0
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth <= 0 {
				return true
			}
		}
	}
	return false
}
