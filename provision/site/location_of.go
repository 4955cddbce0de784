package site

import (
	"regexp"
	"strings"
)

// LocationOf is the location that nginx takes for a decoded path: an exact one, else the first regular expression that
// matches, else the longest prefix (ngx_http_core_find_location).
func (s Site) LocationOf(path string) (Location, bool) {
	var longest, matching *Location
	for i, l := range s.Locations {
		switch l.Match {
		case MatchExact:
			if l.Path == path {
				return l, true
			}
		case MatchRegex:
			re, err := regexp.Compile(l.Path)
			if matching == nil && err == nil && re.MatchString(path) {
				matching = &s.Locations[i]
			}
		default:
			if strings.HasPrefix(path, l.Path) && (longest == nil || len(l.Path) > len(longest.Path)) {
				longest = &s.Locations[i]
			}
		}
	}
	switch {
	case matching != nil:
		return *matching, true
	case longest != nil:
		return *longest, true
	}
	return Location{}, false
}
