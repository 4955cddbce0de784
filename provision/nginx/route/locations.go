package route

import (
	"slices"
	"strings"

	"wsprovision/provision/nginx/conf"
)

// howFound tells how a location was found, in nginx's own terms.
type howFound int

const (
	none      howFound = iota // NGX_DECLINED
	inclusive                 // NGX_AGAIN: by the beginning of the path
	decided                   // NGX_OK: by the whole path, or by a regular expression
	withSlash                 // NGX_DONE: with the slash that the path lacks
)

// locate is ngx_http_core_find_location.
func locate(w *walk, within conf.Levels) (conf.Levels, howFound, error) {
	if err := readable(within[0].Block.Body); err != nil {
		return nil, none, err
	}
	found, how := static(within, w.At.Path)
	final := false
	if how == inclusive {
		modifier, _ := conf.LocationName(found[0].Block.Args)
		final = modifier == "^~"
		var err error
		if found, how, err = locate(w, found); err != nil {
			return nil, none, err
		}
	}
	if how == decided || how == withSlash || final {
		return found, how, nil
	}
	for _, l := range within.Own("location") {
		modifier, name := conf.LocationName(l.Args)
		if !conf.IsRegular(modifier) {
			continue
		}
		matched, err := w.Match(name, modifier == "~*")(w.At.Path)
		if err != nil {
			return nil, none, unfollowed(l, "%v", err)
		}
		if matched {
			found, _, err = locate(w, within.Below(l, conf.LocationBlock))
			return found, decided, err
		}
	}
	return found, how, nil
}

// static picks the location whose name is the path, else the longest that begins it
// (ngx_http_core_find_static_location).
func static(within conf.Levels, path string) (conf.Levels, howFound) {
	var best *conf.Directive
	how, longest := none, -1
	for _, l := range within.Own("location") {
		modifier, name := conf.LocationName(l.Args)
		switch {
		case conf.IsRegular(modifier) || modifier == "@":
		case name == path && modifier == "=":
			return within.Below(l, conf.LocationBlock), decided
		case name == path:
			best, how, longest = &l, inclusive, len(name)
		case name == path+"/" && passesOn(l) && longest < len(path):
			best, how, longest = slashed(within, &l, name), withSlash, len(path)
		case modifier != "=" && strings.HasPrefix(path, name) && len(name) > longest && how != withSlash:
			best, how, longest = &l, inclusive, len(name)
		}
	}
	if best == nil {
		return within, none
	}
	return within.Below(*best, conf.LocationBlock), how
}

// slashed prefers the location of exactly the name, whichever of the two passes requests on.
func slashed(within conf.Levels, one *conf.Directive, name string) *conf.Directive {
	for _, l := range within.Own("location") {
		if modifier, n := conf.LocationName(l.Args); modifier == "=" && n == name {
			return &l
		}
	}
	return one
}

// passesOn: the location has a backend of its own, and so a redirect to its slash (auto_redirect).
func passesOn(l conf.Directive) bool {
	return slices.ContainsFunc(l.Body, func(d conf.Directive) bool { return slices.Contains(passers[:6], d.Name) })
}

func joined(args []string) string { return strings.Join(args, " ") }
