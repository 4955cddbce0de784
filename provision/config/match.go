package config

import (
	"fmt"
	"regexp/syntax"
	"strings"

	"wsprovision/provision/site"
)

var paths = kind[string]{about{Type: "path", Wrong: "ws/",
	Bounds: "Begins with /, at most 1000 characters, without // /. /.. and %. With match regex a regular " +
		"expression that " +
		"both Go and PCRE read alike, of printable ASCII, without named groups.",
	Schema: schema{"type": "string", "maxLength": 1000}}, anyPath, nil}

// anyPath leaves what depends on match to pathProblem.
func anyPath(s scalar) (string, error) {
	value, err := text(s)
	if err == nil && len(value) > 1000 {
		return "", fmt.Errorf("%s has more than 1000 characters", quote(value))
	}
	return value, err
}

func pathProblem(l Location) error {
	if l.Match == site.MatchRegex {
		return regexProblem(l.Path)
	}
	_, err := locationPath(scalar{text: l.Path, tag: "!!str"})
	return err
}

// regexProblem takes what Go and PCRE 8 without UTF both compile. A named group would become a variable of nginx's, and
// could be one that nginx has already.
func regexProblem(path string) error {
	for _, c := range []byte(path) {
		if c < ' ' || c > '~' {
			return fmt.Errorf("%s: only printable ASCII is accepted in a regular expression", quote(path))
		}
	}
	tree, err := syntax.Parse(path, syntax.Perl)
	switch {
	case err != nil:
		return fmt.Errorf("%s is no regular expression: %w", quote(path), err)
	case named(tree):
		return fmt.Errorf("%s: a named group would be a variable of nginx's: write ( without ?<name>", quote(path))
	}
	for _, only := range []string{`\p`, `\P`, `\x{`, `\C`, `\Q`, `\E`, `[[`, `(?U`, `\pN`} {
		if strings.Contains(path, only) {
			return fmt.Errorf("%s: %s is not read alike by every regular expression library: write it otherwise",
				quote(path), only)
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
