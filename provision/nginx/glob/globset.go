package glob

import (
	"strings"
)

func notUnderstood(why string) error { return &PatternError{Why: why} }

// setReader reads a bracket expression as fnmatch(3) does in the C locale (POSIX, 2.13.1). [^ is [!, a ] in the first
// place and a - in the first or last stand for themselves, and a backslash takes the next byte as it is.
type setReader struct {
	text string
	pos  int
	set  [256]bool
}

// parseSet reads from behind the [ and gives the index of the closing ].
func parseSet(part string, from int) (*[256]bool, int, error) {
	r := &setReader{text: part, pos: from}
	negated := strings.HasPrefix(part[from:], "!") || strings.HasPrefix(part[from:], "^")
	if negated {
		r.pos++
	}
	for first := true; first || r.peek() != ']'; first = false {
		if err := r.element(); err != nil {
			return nil, 0, err
		}
	}
	if negated {
		for c := range r.set {
			r.set[c] = !r.set[c]
		}
	}
	return &r.set, r.pos, nil
}

// peek is 0 at the end; no name has that byte.
func (r *setReader) peek() byte {
	if r.pos >= len(r.text) {
		return 0
	}
	return r.text[r.pos]
}

// named tells whether a [. or [= or [: begins here.
func (r *setReader) named() bool {
	return r.peek() == '[' && r.pos+1 < len(r.text) && strings.IndexByte(".=:", r.text[r.pos+1]) >= 0
}

func (r *setReader) ranges() bool {
	return r.peek() == '-' && r.pos+1 < len(r.text) && r.text[r.pos+1] != ']'
}

func (r *setReader) element() error {
	if r.named() {
		return r.class()
	}
	low, err := r.byte()
	if err != nil {
		return err
	}
	high := low
	if r.ranges() {
		r.pos++
		if r.named() {
			return notUnderstood("a range with a class")
		}
		if high, err = r.byte(); err != nil {
			return err
		}
	}
	if high < low {
		return notUnderstood("a range that ends before it begins")
	}
	for c := int(low); c <= int(high); c++ {
		r.set[c] = true
	}
	return nil
}

func (r *setReader) byte() (byte, error) {
	if r.peek() == '\\' {
		r.pos++
	}
	c := r.peek()
	if c == 0 {
		return 0, notUnderstood("a [ without its ]")
	}
	r.pos++
	return c, nil
}

// class reads [:alpha:].
func (r *setReader) class() error {
	if r.text[r.pos+1] != ':' {
		return notUnderstood("a collating element")
	}
	name, _, ok := strings.Cut(r.text[r.pos+2:], ":]")
	has := classes[name]
	if !ok || has == nil {
		return notUnderstood("no such class of characters")
	}
	r.pos += len(name) + 4
	if r.ranges() {
		return notUnderstood("a range with a class")
	}
	for c := range r.set {
		r.set[c] = r.set[c] || has(byte(c))
	}
	return nil
}

// classes are those of the C locale (isalpha(3) and its like).
var classes = map[string]func(byte) bool{
	"alpha":  isAlpha,
	"digit":  isDigit,
	"alnum":  func(c byte) bool { return isAlpha(c) || isDigit(c) },
	"upper":  func(c byte) bool { return 'A' <= c && c <= 'Z' },
	"lower":  func(c byte) bool { return 'a' <= c && c <= 'z' },
	"blank":  func(c byte) bool { return c == ' ' || c == '\t' },
	"space":  func(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' },
	"cntrl":  func(c byte) bool { return c < ' ' || c == 0x7f },
	"graph":  isGraph,
	"print":  func(c byte) bool { return c == ' ' || isGraph(c) },
	"punct":  func(c byte) bool { return isGraph(c) && !isAlpha(c) && !isDigit(c) },
	"xdigit": func(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' },
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isGraph(c byte) bool { return ' ' < c && c < 0x7f }
