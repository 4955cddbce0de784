package conf

import (
	"cmp"
	"slices"
	"strings"

	"wsprovision/provision/nginx/glob"
)

// glob is glob(3) as nginx calls it, without flags and in the C locale: sorted by bytes, names with a leading dot only
// where the pattern has one, and neither ~ nor braces mean anything.
func (s source) glob(pattern string) ([]string, error) {
	found := []string{""}
	parts := slices.DeleteFunc(strings.Split(pattern, "/"), func(part string) bool { return part == "" })
	for i, part := range parts {
		g, err := glob.Parse(part)
		if err != nil {
			return nil, err
		}
		var next []string
		for _, dir := range found {
			matches, err := s.expand(dir, g)
			if err != nil {
				return nil, err
			}
			next = append(next, matches...)
		}
		if found = next; i == len(parts)-1 && !g.Magic {
			found = slices.DeleteFunc(found, func(name string) bool { return !s.exists(name) })
		}
	}
	slices.Sort(found)
	return found, nil
}

// expand gives the names in a directory ("" is the root) that a part of a pattern stands for.
func (s source) expand(dir string, g glob.Part) ([]string, error) {
	if !g.Magic {
		return []string{dir + "/" + g.Name()}, nil
	}
	names, err := s.names(cmp.Or(dir, "/"))
	if err != nil {
		return nil, err
	}
	if g.Hidden() {
		names = append(names, ".", "..") // which readdir(3) gives too
	}
	var matches []string
	for _, name := range names {
		if g.Match(name) {
			matches = append(matches, dir+"/"+name)
		}
	}
	return matches, nil
}
