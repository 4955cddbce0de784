package screen

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Wrap breaks one line of text at blanks: the first part has that many columns, each other one rest. A word that is
// longer than a line stays whole, for half an address or a path is worse than a line that is too long. Blanks within a
// line, and before it, stay.
func Wrap(text string, first, rest int) (lines []string) {
	room := first
	for Width(text) > room {
		end := breakIn(text, room)
		if end < 0 {
			break
		}
		lines = append(lines, strings.TrimRight(text[:end], " "))
		text, room = strings.TrimLeft(text[end:], " "), rest
	}
	return append(lines, text)
}

// breakIn is where the last word that fits ends, or else the first word; below 0 where there is one word only.
func breakIn(text string, room int) int {
	indent := len(text) - len(strings.TrimLeft(text, " "))
	end, columns := -1, indent
	for i := indent; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == ' ' && text[i-1] != ' ' {
			if end >= 0 && columns > room {
				return end
			}
			end = i
		}
		columns += columnsOf(r)
		i += size
	}
	if strings.TrimRight(text[max(end, 0):], " ") == "" {
		return -1
	}
	return end
}

// Width is how many columns text takes on a terminal.
func Width(text string) (n int) {
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

// columnsOf is a character's: none for a mark on the one before it, two for a wide one (UAX #11).
func columnsOf(r rune) int {
	if r < utf8.RuneSelf {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	if unicode.In(r, wide) {
		return 2
	}
	return 1
}

// wide are the blocks of wide and fullwidth characters (EastAsianWidth.txt), without the few in between that are not:
// a line may end a column early.
var wide = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x1100, Hi: 0x115f, Stride: 1}, {Lo: 0x2e80, Hi: 0xa4cf, Stride: 1},
		{Lo: 0xac00, Hi: 0xd7a3, Stride: 1}, {Lo: 0xf900, Hi: 0xfaff, Stride: 1}, {Lo: 0xfe30, Hi: 0xfe6f, Stride: 1},
		{Lo: 0xff01, Hi: 0xff60, Stride: 1}, {Lo: 0xffe0, Hi: 0xffe6, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x16fe0, Hi: 0x1b2ff, Stride: 1}, {Lo: 0x1f300, Hi: 0x1f64f, Stride: 1},
		{Lo: 0x1f900, Hi: 0x1f9ff, Stride: 1}, {Lo: 0x20000, Hi: 0x3fffd, Stride: 1}},
}
