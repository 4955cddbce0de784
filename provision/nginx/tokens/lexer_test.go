package tokens

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func statements(text string) ([]string, error) {
	l := New("f", []byte(text))
	var all []string
	for {
		s, err := l.Next()
		if err != nil || s.End == EndOfFile {
			return all, err
		}
		all = append(all, fmt.Sprintf("%d %q %s", s.Line, s.Words, []string{";", "{", "}"}[s.End]))
	}
}

func TestTokens(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       []string
		err        string
	}{
		{"simple", "a b;c;", []string{`1 ["a" "b"] ;`, `1 ["c"] ;`}, ""},
		{"lines", "a\n\n b\n;\nc d{\n}", []string{`1 ["a" "b"] ;`, `5 ["c" "d"] {`, `6 [] }`}, ""},
		{"comment", "# a;\na # b;\n c;#", []string{`2 ["a" "c"] ;`}, ""},
		{"comment inside a word", "a#b;", []string{`1 ["a#b"] ;`}, ""},
		{"quotes", `a "b c;{}" 'd"e' f"g";`, []string{`1 ["a" "b c;{}" "d\"e" "f\"g\""] ;`}, ""},
		{"escapes", `a "\"\\\t\n\r\x" b\;c\ d;`, []string{`1 ["a" "\"\\\t\n\r\\x" "b\\;c\\ d"] ;`}, ""},
		{"variables", "a ${b}c $d{", []string{`1 ["a" "${b}c" "$d"] {`}, ""},
		{"variable word", "a ${b}c{", []string{`1 ["a" "${b}c"] {`}, ""},
		{"brace in a word", "a b};", []string{`1 ["a" "b}"] ;`}, ""},
		{"parenthesis after a quote", `a ("b");`, []string{`1 ["a" "(\"b\")"] ;`}, ""},
		{"parenthesis after a quoted word", `a "b");`, []string{`1 ["a" "b" ")"] ;`}, ""},
		{"brace after words", "a }", nil, `unexpected "}" in f:1`},
		{"empty statement", "a;\n;", []string{`1 ["a"] ;`}, `unexpected ";" in f:2`},
		{"block without a name", "{", nil, `unexpected "{" in f:1`},
		{"missing semicolon", "a\nb\n", nil, `unexpected end of file, expecting ";" or "}" in f:3`},
		{"open quote", "a \"b;\n", nil, `unexpected end of file, expecting ";" or "}" in f:2`},
		{"word after a quote", `a "b"c;`, nil, `unexpected "c" in f:1`},
		{"backslash at the end", `a\`, nil, `unexpected end of file, expecting ";" or "}" in f:1`},
		{"long word", "a\n" + strings.Repeat("b", 4097), nil, `too long parameter "bbbbbbbbbb..." started in f:2`},
		{"long quoted word", "a '" + strings.Repeat("\n", 5000) + "';", nil,
			`too long parameter, probably missing terminating "'" character in f:1`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := statements(test.text)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			if (err != nil || test.err != "") && fmt.Sprint(err) != test.err {
				t.Errorf("want error %q, got %v", test.err, err)
			}
		})
	}
}
