package plaintext

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestHostileText(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain", "a\tb c\n", "a\tb c\n"},
		{"other scripts", "Grüße, 世界, مرحبا, e\u0301, 🙂\n", "Grüße, 世界, مرحبا, e\u0301, 🙂\n"},
		{"a backslash", `a\b`, `a\b`},
		{"colour", "\x1b[31mred\x1b[0m", `\u001b[31mred\u001b[0m`},
		{"the title, and a line that writes over another", "\x1b]0;x\x07\r\x1b[2K", `\u001b]0;x\u0007\r\u001b[2K`},
		{"backspace, NUL and DEL", "a\b\x00\x7f", `a\b\u0000\u007f`},
		{"C1 in UTF-8", "\u009b31m\u0085\u0090", `\u009b31m\u0085\u0090`},
		{"C1 as a byte", "\x9b31m", `\x9b31m`},
		{"not UTF-8", "\xff\xc3(\xed\xa0\x80", `\xff\xc3(\xed\xa0\x80`},
		{"an overlong ESC", "\xc0\x9b", `\xc0\x9b`},
		{"a sequence that is cut", "a\xe2\x80", `a\xe2\x80`},
		{"bidirectional", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
			`\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c`},
		{"line and paragraph", "\u2028\u2029", `\u2028\u2029`},
		{"no width", "a\u200bb\u200c\u200d\ufeff\u2060\u00ad", `a\u200bb\u200c\u200d\ufeff\u2060\u00ad`},
		{"no glyph", "\u3164\u115f\uffa0\u034f\ufe0f", `\u3164\u115f\uffa0\u034f\ufe0f`},
		{"tags", "\U000e0041\U000e007f", `\udb40\udc41\udb40\udc7f`},
		{"private and not assigned", "\ue000\U0010ffff", `\ue000\udbff\udfff`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Text(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := Line("a\nto mend it: x"); got != `a\nto mend it: x` {
		t.Errorf("a line: %q", got)
	}
}

// The writer tells its caller of the caller's own bytes, and of what became of them.
func TestWriterCounts(t *testing.T) {
	var b bytes.Buffer
	if n, err := NewWriter(&b).Write([]byte("\x1b\n")); n != 2 || err != nil || b.String() != `\u001b`+"\n" {
		t.Errorf("%d, %v, %q", n, err, b.String())
	}
	if n, err := NewWriter(broken{}).Write([]byte("x")); n != 0 || !errors.Is(err, errBroken) {
		t.Errorf("%d, %v", n, err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// FuzzWriter: nothing but what has a glyph comes through, in however many pieces it is written, and JSON means the
// same.
func FuzzWriter(f *testing.F) {
	f.Add("\x1b[31m\u202e\x9b\u2028 a\tb\n", 3)
	f.Add("\U000e0041\xe2\x80", 1)
	f.Fuzz(func(t *testing.T, text string, cut int) {
		var b bytes.Buffer
		w := NewWriter(&b)
		cut = max(0, min(cut, len(text)))
		_, _ = w.Write([]byte(text[:cut]))
		_, _ = w.Write([]byte(text[cut:]))
		harmless(t, b.String())
		if Text(b.String()) != b.String() {
			t.Errorf("%q is escaped once more", b.String())
		}
		if strings.ContainsAny(Line(text), "\n\r") {
			t.Errorf("%q is more than a line", Line(text))
		}
		meansTheSame(t, text)
	})
}

func harmless(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		if r == utf8.RuneError && !utf8.ValidString(text) || r != '\n' && r != '\t' &&
			(unicode.Is(unicode.C, r) || r == 0x2028 || r == 0x2029) {
			t.Errorf("%q has %U", text, r)
		}
	}
}

func meansTheSame(t *testing.T, text string) {
	t.Helper()
	written, err := json.MarshalIndent(map[string]string{text: text}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]string
	if err := json.Unmarshal(written, &want); err != nil {
		t.Fatal(err)
	}
	shown := Text(string(written))
	harmless(t, shown)
	if err := json.Unmarshal([]byte(shown), &got); err != nil {
		t.Fatalf("%q: %v", shown, err)
	}
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%q became %q", v, got[k])
		}
	}
}
