package route

import (
	"strings"

	"wsprovision/provision/nginx/conf"
)

// level is a block whose statements hold for a request: http, a server, a location, or an if or limit_except in one.
type level struct {
	block conf.Directive
	kind  kind
}

type kind int

const (
	httpLevel kind = iota
	serverLevel
	locationLevel
	withinLocation // if, limit_except: they have no name of their own, and inherit the location's backend
)

// levels are the blocks around a request, innermost first (loc_conf). They are not changed: below gives new ones.
type levels []level

func (l levels) below(block conf.Directive, k kind) levels {
	return append(levels{{block, k}}, l...)
}

// location is the innermost location, nil at the level of a server.
func (l levels) location() *conf.Directive {
	for i := range l {
		if l[i].kind == locationLevel {
			return &l[i].block
		}
	}
	return nil
}

// around drops what stands within the location.
func (l levels) around() levels {
	for len(l) > 0 && l[0].kind == withinLocation {
		l = l[1:]
	}
	return l
}

func (l levels) server() levels {
	for l[0].kind != serverLevel {
		l = l[1:]
	}
	return l
}

// own are the directives of a name at the innermost level only.
func (l levels) own(name string) []conf.Directive { return named(l[0].block.Body, name) }

// all are the directives of a name that are in force: those of the innermost level that has any.
func (l levels) all(names ...string) []conf.Directive {
	for _, each := range l {
		if found := named(each.block.Body, names...); len(found) > 0 {
			return found
		}
	}
	return nil
}

// value is the directive in force; nil where there is none.
func (l levels) value(names ...string) *conf.Directive {
	found := l.all(names...)
	if len(found) == 0 {
		return nil
	}
	return &found[len(found)-1]
}

// is reports whether a directive in force has the one argument.
func (l levels) is(name, argument string) bool {
	d := l.value(name)
	return d != nil && len(d.Args) == 1 && strings.EqualFold(d.Args[0], argument)
}

// on is a flag, with what it is where nothing is said.
func (l levels) on(name string, standard bool) bool {
	if l.value(name) == nil {
		return standard
	}
	return l.is(name, "on")
}

func named(body []conf.Directive, names ...string) []conf.Directive {
	var all []conf.Directive
	for _, d := range body {
		for _, name := range names {
			if d.Name == name {
				all = append(all, d)
			}
		}
	}
	return all
}

// locationName reads `= /x` and `=/x` alike (ngx_http_core_location).
func locationName(args []string) (modifier, name string) {
	if len(args) > 1 {
		return args[0], args[1]
	}
	for _, modifier := range []string{"=", "^~", "~*", "~", "@"} {
		if rest, ok := strings.CutPrefix(args[0], modifier); ok {
			if modifier == "@" {
				return modifier, args[0]
			}
			return modifier, rest
		}
	}
	return "", args[0]
}

func isRegular(modifier string) bool { return modifier == "~" || modifier == "~*" }

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }
