package plaintext

import (
	"fmt"
	"strings"
)

// Command writes an argv so that it can be pasted into bash, and be shown: the one place where a command becomes text.
func Command(argv []string) string {
	words := make([]string, len(argv))
	for i, a := range argv {
		words[i] = quoteWord(a)
	}
	return strings.Join(words, " ")
}

// plainCharacters mean themselves to bash wherever they stand in a word that is no command's name.
const plainCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_"

// quoteWord is one word of bash's that is s again (bash(1), QUOTING). What a terminal would not show as it is becomes
// $'…', which no terminal changes.
func quoteWord(s string) string {
	switch {
	case s != "" && strings.Trim(s, plainCharacters) == "":
		return s
	case Is(s):
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; strings.IndexByte(plainCharacters, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	return "$'" + b.String() + "'"
}
