// Package plaintext is for showing text that others wrote: on a terminal, in a log and in a file that a person will
// look at. What would steer a terminal, or show one text and mean another, is shown as an escape: control characters
// (ECMA-48's C0 and C1, and DEL), the bidirectional controls of Unicode (UAX #9), format characters and others without
// a glyph, and what is not UTF-8. A command is shown so that bash reads the same words again.
//
// The escapes are those of JSON strings (RFC 8259 section 7), so that JSON stays JSON and means the same; only a byte
// that is not UTF-8, which JSON cannot have, is written as \x9b.
//
// It is the lowest of the bottom packages: every other package may import it, and it imports none of ours.
package plaintext

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Writer escapes what is written to it. Each Write is taken by itself: a character cut in two between them is shown as
// bytes.
type Writer struct{ w io.Writer }

// NewWriter is a Writer to w. It is as safe for concurrent use as w is.
func NewWriter(w io.Writer) *Writer { return &Writer{w} }

// Write keeps line ends and tabs. It counts the bytes of p, however many it makes of them.
func (t *Writer) Write(p []byte) (int, error) {
	if _, err := io.WriteString(t.w, Text(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Text escapes all but line ends and tabs.
func Text(s string) string { return escape(s, "\n\t") }

// Line escapes line ends, too: text of others' that has to stay on one line.
func Line(s string) string { return escape(s, "\t") }

// Is reports whether all of s, line ends and tabs too, can be shown as it is on one line.
func Is(s string) bool { return escape(s, "") == s }

func escape(s, kept string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case shown(r) || strings.ContainsRune(kept, r):
			b.WriteString(s[:size])
		default:
			writeEscape(&b, r)
		}
		s = s[size:]
	}
	return b.String()
}

// invisible are what IsGraphic takes for a letter or a mark and what has no glyph of its own
// (DerivedCoreProperties.txt).
var invisible = []*unicode.RangeTable{unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector}

// shown: letters, marks, numbers, punctuation, symbols and blanks. What is not assigned, or private, nobody knows the
// look of.
func shown(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= ' ' && r != 0x7f
	}
	return unicode.IsGraphic(r) && !unicode.In(r, invisible...)
}

var short = map[rune]string{'\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}

func writeEscape(b *strings.Builder, r rune) {
	if s := short[r]; s != "" {
		b.WriteString(s)
		return
	}
	for _, unit := range utf16.Encode([]rune{r}) {
		fmt.Fprintf(b, `\u%04x`, unit)
	}
}
