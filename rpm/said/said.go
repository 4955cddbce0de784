package said

import (
	"fmt"
	"strconv"
	"strings"
)

// Error makes one error of what a program said and of its exit status; rpm and yum put the reason in their last lines.
func Error(program string, status int, stdout, stderr string) error {
	text := LastLines(stderr, 3)
	if text == "" {
		text = LastLines(stdout, 3)
	}
	if text == "" {
		return fmt.Errorf("%s: exit status %d", program, status)
	}
	return fmt.Errorf("%s: exit status %d: %s", program, status, text)
}

func LastLines(s string, n int) string {
	var kept []string
	for _, line := range Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			kept = append(kept, Clip(line))
		}
	}
	if len(kept) > n {
		kept = kept[len(kept)-n:]
	}
	return strings.Join(kept, "; ")
}

// Lines splits at newlines and drops the carriage returns with which progress meters overwrite themselves.
func Lines(s string) []string {
	if s == "" {
		return nil
	}
	split := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	for i, line := range split {
		split[i] = strings.TrimRight(line, "\r")
	}
	return split
}

// Clip keeps a quoted line readable when a program prints a page without a newline.
func Clip(s string) string {
	const limit = 300
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}

func Quote(s string) string { return strconv.Quote(Clip(s)) }

// Printable keeps another user's process name from writing escape sequences on the administrator's terminal.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != 0 && (r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0)) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
