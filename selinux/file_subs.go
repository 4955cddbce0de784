package selinux

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// substitution replaces the beginning of a path: `/run /var/run` on RHEL 7.
type substitution struct{ from, to string }

// substitute applies the administrator's substitutions (.subs), and to the result the distribution's (.subs_dist), one
// of each at most (libselinux, selabel_sub_key).
func (cs Contexts) substitute(base, path string) (string, error) {
	for _, suffix := range []string{".subs", ".subs_dist"} {
		b, err := cs.read(base + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("%w: %w", ErrUnknown, err)
		}
		path = applySubstitutions(parseSubstitutions(string(b)), path)
	}
	return path, nil
}

// parseSubstitutions skips lines without two fields, as libselinux does, and returns the last line first: it wins.
func parseSubstitutions(text string) []substitution {
	var list []substitution
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) >= 2 && f[0][0] != '#' {
			list = append([]substitution{{f[0], f[1]}}, list...)
		}
	}
	return list
}

func applySubstitutions(list []substitution, path string) string {
	for _, s := range list {
		rest, ok := strings.CutPrefix(path, s.from)
		if !ok || (rest != "" && rest[0] != '/') {
			continue
		}
		if s.to == "/" {
			rest = strings.TrimPrefix(rest, "/")
		}
		return s.to + rest
	}
	return path
}
