package selinux

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// substitution replaces the beginning of a path: `/run /var/run` on RHEL 7.
type substitution struct{ from, to string }

// substitutions are the administrator's (.subs) and the distribution's (.subs_dist).
func (cs Contexts) substitutions(base string) ([][]substitution, error) {
	var all [][]substitution
	for _, suffix := range []string{".subs", ".subs_dist"} {
		b, err := cs.read(base + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnknown, err)
		}
		all = append(all, parseSubstitutions(string(b)))
	}
	return all, nil
}

// substitute applies the administrator's substitutions, and to the result the distribution's, one of each at most
// (libselinux, selabel_sub_key).
func substitute(all [][]substitution, path string) string {
	for _, list := range all {
		path = applySubstitutions(list, path)
	}
	return path
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
