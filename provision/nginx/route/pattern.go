package route

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// pattern is a regular expression of PCRE's that Go's engine matches alike.
type pattern struct {
	re *regexp.Regexp
	// deep has repetitions within repetitions, on which PCRE may give up (pcre2_match, MATCHLIMIT).
	deep bool
}

// compile refuses what the two engines read differently, and what Go's does not know at all: look-around, references
// to groups, possessive and atomic groups. Both are leftmost-first in the rest.
func compile(text string, anyCase bool) (*pattern, error) {
	if err := alike(text); err != nil {
		return nil, fmt.Errorf("the regular expression %q is not followed: %w", text, err)
	}
	if anyCase {
		text = "(?i)" + text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("the regular expression %q is not followed: %w", text, errors.Unwrap(err))
	}
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if empties(tree) {
		return nil, fmt.Errorf("the regular expression %q is not followed: it repeats what may be empty", text)
	}
	return &pattern{re: re, deep: repeats(tree) > 1}, nil
}

// sameEscapes are the escapes with a letter that mean the same to both on the subjects that match takes.
const sameEscapes = "dDwWsSbBAz"

func alike(text string) error {
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c < 0x20 || c >= 0x7f:
			return errors.New("it has characters beyond ASCII")
		case c == '\\' && i+1 < len(text):
			i++
			if isWord(text[i]) && text[i] != '_' && !strings.ContainsRune(sameEscapes, rune(text[i])) {
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

// match gives the groups, the whole match first. It takes printable ASCII only: PCRE goes by bytes, lets $ match before
// a last newline, and has other ideas of space.
func (p *pattern) match(subject string) (groups []string, err error) {
	for i := range len(subject) {
		if subject[i] < 0x20 || subject[i] >= 0x7f {
			return nil, errors.New("regular expressions are not followed on characters beyond ASCII")
		}
	}
	if p.deep && len(subject) > 256 {
		return nil, errors.New("a regular expression with nested repetitions is not followed on a text this long")
	}
	return p.re.FindStringSubmatch(subject), nil
}
