package pcre

import (
	"strings"
	"testing"
)

// TestHostilePatterns: what the two engines read differently is refused by name.
func TestHostilePatterns(t *testing.T) {
	for _, pattern := range []string{"(?!a)*", "(?=(?>a))b++", `(a)\1`, "a++", "a*+", "(?>a)", `\Qa\E`, `\x4`,
		`\h`, `\K`, `\R`, `\G`, `\012`, `\cA`, `\pL`, "é", "a{,3}", "(a*)*", "(|a)+", "(?x)a", "(?i",
		"(?#c)", "(?P=n)",
		"(?1)", "(?R)", "[[:<:]]", "(*UTF8)a", "a{2}{3}+", "(?s).", "(?U)a*", "(?J)a", `\e`, `\N`, `\X`, `\v`} {
		if _, err := Compile(pattern, false); err == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
	for _, pattern := range []string{`^/(?<n>a)(?P<m>b)?$`, `\.(php|cgi)$`, `(?i)a`, `(?i:a)b`, `[^/]+\d{2,3}\b`,
		`a|b|`,
		`^(?:[^/]+/)*x$`, `.*?x`, `[]a]`, `[a-]`, `\/`, `\-`, `a??`} {
		if _, err := Compile(pattern, true); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	for text, plain := range map[string]string{`/\.(?!well-known)`: `/\.`, `a(?=[)]b)c`: `ac`, `(x(?<!\))y)`: `(xy)`,
		`[(?!a)]b`: `[(?!a)]b`, `\(?!a`: `\(?!a`, `(?!a)+b`: `(?!a)+b`, `(?:(?!(a|b))c)`: `(?:c)`, `[]](?!x)`: `[]]`,
		`[[:alpha:](?!a)]`: `[[:alpha:](?!a)]`, `a(?<n>b)`: `a(?<n>b)`, `(?!a`: ``, `(`: `(`, `[`: `[`, `\`: `\`} {
		if got := withoutLooks(text); got != plain {
			t.Errorf("%s without what looks around is %s, want %s", text, got, plain)
		}
	}
	p, err := Compile("^(/[a-z]+)+$", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"/é", "/\n", "/a\x7f", "/" + strings.Repeat("a", 300)} {
		if _, err := p.Match(subject); err == nil {
			t.Errorf("%.10q is taken", subject)
		}
	}
}
