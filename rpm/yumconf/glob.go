package yumconf

import (
	"regexp"
	"strings"

	"wsprovision/provision/lazy"
)

// isGlob is yum's test for a pattern (yum/misc.py re_glob); what is none is compared as it stands.
var isGlob = lazy.Regexp(`[*?]|\[.+\]`)

// globMatches tells whether yum's exclude= or includepkgs= means s: letters of any case, and the globs of Python's
// fnmatch, in which * and ? match a slash too and [!…] is everything but (yum/sqlitesack.py addPackageExcluder).
func globMatches(pattern, s string) bool {
	pattern, s = strings.ToLower(pattern), strings.ToLower(s)
	if !isGlob().MatchString(pattern) {
		return pattern == s
	}
	re, err := regexp.Compile(`(?s)^(?:` + translate(pattern) + `)$`)
	return err == nil && re.MatchString(s)
}

// translate is Python 2.7's fnmatch.translate.
func translate(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '*':
			b.WriteString(".*")
		case c == '?':
			b.WriteString(".")
		case c == '[' && classEnd(pattern, i) > 0:
			end := classEnd(pattern, i)
			b.WriteString(class(pattern[i+1 : end]))
			i = end
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	return b.String()
}

// classEnd is where the ] of a class that begins at i stands; a ] that comes first is one of its members. 0 is no
// class.
func classEnd(pattern string, i int) int {
	from := i + 1
	if strings.HasPrefix(pattern[from:], "!") {
		from++
	}
	if strings.HasPrefix(pattern[from:], "]") {
		from++
	}
	if end := strings.IndexByte(pattern[from:], ']'); end >= 0 {
		return from + end
	}
	return 0
}

// class is a class for Go's regexp: [ ] \ ^ and & are members like any other, - makes ranges as it does for Python.
func class(members string) string {
	not := ""
	if rest, ok := strings.CutPrefix(members, "!"); ok {
		not, members = "^", rest
	}
	return "[" + not + strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`, `&`, `\&`).Replace(members) + "]"
}
