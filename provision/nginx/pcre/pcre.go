// Package pcre matches regular expressions of nginx's, which are PCRE's, with Go's engine: where the two engines match
// alike, and never where they may not.
package pcre

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Pattern is a regular expression of PCRE's that Go's engine matches alike.
type Pattern struct {
	re *regexp.Regexp
	// wider: what looks around was taken out, and what matches here may not match there. What does not match here does
	// not match there either.
	wider bool
	// deep has repetitions within repetitions, on which PCRE may give up (pcre2_match, MATCHLIMIT).
	deep bool
}

// Compile refuses what the two engines read differently, and what Go's does not know at all: references to groups,
// possessive and atomic groups. Both are leftmost-first in the rest. Of (?!…) and its like, which Go's does not know,
// it makes a wider expression.
func Compile(text string, anyCase bool) (*Pattern, error) {
	p := &Pattern{}
	plain := withoutLooks(text)
	p.wider = plain != text
	if err := alike(plain); err != nil {
		return nil, fmt.Errorf("the regular expression %q is not followed: %w", text, err)
	}
	if anyCase {
		plain = "(?i)" + plain
	}
	tree, err := syntax.Parse(plain, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q is not followed: %w", text, err)
	}
	if empties(tree) {
		return nil, fmt.Errorf("the regular expression %q is not followed: it repeats what may be empty", text)
	}
	p.deep = repeats(tree) > 1
	p.re, err = regexp.Compile(plain)
	return p, err
}

// withoutLooks takes out (?!…), (?=…), (?<!…) and (?<=…): they take no text, and only narrow what matches.
func withoutLooks(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); {
		length := element(text[i:])
		repeated := i+length < len(text) && strings.IndexByte("*+?{", text[i+length]) >= 0
		if one := text[i : i+length]; !looks(one) || repeated {
			if strings.HasPrefix(one, "(") {
				length = 1 // what is in it may have some
			}
			out.WriteString(text[i : i+length])
		}
		i += length
	}
	return out.String()
}

func looks(group string) bool {
	for _, head := range []string{"(?!", "(?=", "(?<!", "(?<="} {
		if strings.HasPrefix(group, head) {
			return true
		}
	}
	return false
}

// element is the length of what an expression begins with: an escape, a class, a group with what is in it, a character.
func element(text string) int {
	switch text[0] {
	case '\\':
		return min(2, len(text))
	case '[':
		return class(text)
	case '(':
		for i := 1; i < len(text); i += element(text[i:]) {
			if text[i] == ')' {
				return i + 1
			}
		}
		return len(text)
	}
	return 1
}

// class is the length of […]; a ] at its beginning is one of its characters.
func class(text string) int {
	i := 1
	if i < len(text) && text[i] == '^' {
		i++
	}
	for first := i; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == ']' && i > first:
			return i + 1
		case strings.HasPrefix(text[i:], "[:"):
			if end := strings.Index(text[i:], ":]"); end > 0 {
				i += end + 1
			}
		}
	}
	return len(text)
}

// sameEscapes are the escapes with a letter that mean the same to both on the subjects that Match takes.
const sameEscapes = "dDwWsSbBAz"

func alike(text string) error {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c < 0x20 || c >= 0x7f:
			return errors.New("it has characters beyond ASCII")
		case c == '\\' && i+1 < len(text):
			i++
			if isAlphanumeric(text[i]) && !strings.ContainsRune(sameEscapes, rune(text[i])) {
				return fmt.Errorf(`it has \%c`, text[i])
			}
		case c == '{' && strings.HasPrefix(text[i:], "{,"):
			return errors.New("versions of PCRE read {, differently")
		case c == '(' && strings.HasPrefix(text[i:], "(?") && !sameGroup(text[i+2:]):
			return errors.New("it has a group of a kind that is not followed")
		}
	}
	return nil
}

// sameGroup knows (?:…), (?i), (?i:…), (?<name>…) and (?P<name>…).
func sameGroup(rest string) bool {
	for _, head := range []string{":", "i)", "i:", "-i)", "-i:", "P<"} {
		if strings.HasPrefix(rest, head) {
			return true
		}
	}
	return len(rest) > 1 && rest[0] == '<' && rest[1] != '=' && rest[1] != '!'
}

// empties finds a repetition of what may match nothing: the two engines count its turns differently.
func empties(tree *syntax.Regexp) bool {
	many := tree.Op == syntax.OpStar || tree.Op == syntax.OpPlus || tree.Op == syntax.OpRepeat
	if many && mayBeEmpty(tree.Sub[0]) {
		return true
	}
	for _, sub := range tree.Sub {
		if empties(sub) {
			return true
		}
	}
	return false
}

func mayBeEmpty(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpLiteral, syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL, syntax.OpNoMatch:
		return false
	case syntax.OpStar, syntax.OpQuest:
		return true
	case syntax.OpRepeat:
		return tree.Min == 0 || mayBeEmpty(tree.Sub[0])
	case syntax.OpAlternate:
		for _, sub := range tree.Sub {
			if mayBeEmpty(sub) {
				return true
			}
		}
		return false
	}
	for _, sub := range tree.Sub { // a concatenation, a group, one or more
		if !mayBeEmpty(sub) {
			return false
		}
	}
	return true
}

// repeats is how deep repetitions without an end stand in one another.
func repeats(tree *syntax.Regexp) int {
	deepest := 0
	for _, sub := range tree.Sub {
		deepest = max(deepest, repeats(sub))
	}
	if tree.Op == syntax.OpStar || tree.Op == syntax.OpPlus || tree.Op == syntax.OpRepeat && tree.Max != 1 {
		deepest++
	}
	return deepest
}

// Match gives the groups, the whole match first. It takes printable ASCII only: PCRE goes by bytes, lets $ match before
// a last newline, and has other ideas of space.
func (p *Pattern) Match(subject string) (groups []string, err error) {
	for i := range len(subject) {
		if subject[i] < 0x20 || subject[i] >= 0x7f {
			return nil, errors.New("regular expressions are not followed on characters beyond ASCII")
		}
	}
	if p.deep && len(subject) > 256 {
		return nil, errors.New("a regular expression with nested repetitions is not followed on a text this long")
	}
	groups = p.re.FindStringSubmatch(subject)
	if groups != nil && p.wider {
		return nil, fmt.Errorf("whether a regular expression with (?…) matches %q is not followed", subject)
	}
	return groups, nil
}

// Names are those of the groups; "" for a group without one, and for the whole.
func (p *Pattern) Names() []string { return p.re.SubexpNames() }

func isAlphanumeric(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' }
