package kinds

import (
	"fmt"
	"regexp/syntax"
	"strings"
)

var Paths = Kind[string]{About{Type: "path", Wrong: "ws/",
	Bounds: "Begins with /, at most 1000 characters, without // /. /.. and %. With match regex a regular " +
		"expression that " +
		"both Go and PCRE read alike, of printable ASCII, without named groups.",
	Schema: Schema{"type": "string", "maxLength": 1000}}, anyPath, nil}

// anyPath leaves what depends on match to pathProblem.
func anyPath(s Scalar) (string, error) {
	value, err := text(s)
	if err == nil && len(value) > 1000 {
		return "", fmt.Errorf("%s has more than 1000 characters", Quote(value))
	}
	return value, err
}

// RegexProblem takes what Go and PCRE 8 without UTF both compile. A named group would become a variable of nginx's, and
// could be one that nginx has already.
func RegexProblem(path string) error {
	for _, c := range []byte(path) {
		if c < ' ' || c > '~' {
			return fmt.Errorf("%s: only printable ASCII is accepted in a regular expression", Quote(path))
		}
	}
	tree, err := syntax.Parse(path, syntax.Perl)
	switch {
	case err != nil:
		return fmt.Errorf("%s is no regular expression: %w", Quote(path), err)
	case named(tree):
		return fmt.Errorf("%s: a named group would be a variable of nginx's: write ( without ?<name>", Quote(path))
	}
	for _, only := range []string{`\p`, `\P`, `\x{`, `\C`, `\Q`, `\E`, `[[`, `(?U`, `\pN`} {
		if strings.Contains(path, only) {
			return fmt.Errorf("%s: %s is not read alike by every regular expression library: write it otherwise",
				Quote(path), only)
		}
	}
	return nil
}

func named(re *syntax.Regexp) bool {
	if re.Name != "" {
		return true
	}
	for _, sub := range re.Sub {
		if named(sub) {
			return true
		}
	}
	return false
}
