package conf

import (
	"strings"
)

// Level is a block whose statements hold for a request: http, a server, a location, or an if or limit_except in one.
type Level struct {
	Block Directive
	Kind  BlockKind
}

// BlockKind tells blocks apart.
type BlockKind int

// The kinds, each within the one before.
const (
	HTTPBlock BlockKind = iota
	ServerBlock
	LocationBlock
	InnerBlock // if, limit_except: they have no name of their own, and inherit the location's backend
)

// Levels are the blocks around a request, innermost first (loc_conf). They are not changed: Below gives new ones.
type Levels []Level

// Below are the levels with one more within them.
func (l Levels) Below(block Directive, k BlockKind) Levels {
	return append(Levels{{block, k}}, l...)
}

// Location is the innermost location, nil at the level of a server.
func (l Levels) Location() *Directive {
	for i := range l {
		if l[i].Kind == LocationBlock {
			return &l[i].Block
		}
	}
	return nil
}

// Around drops what stands within the location.
func (l Levels) Around() Levels {
	for len(l) > 0 && l[0].Kind == InnerBlock {
		l = l[1:]
	}
	return l
}

// Server drops what stands within the server.
func (l Levels) Server() Levels {
	for l[0].Kind != ServerBlock {
		l = l[1:]
	}
	return l
}

// Own are the directives of a name at the innermost level only.
func (l Levels) Own(name string) []Directive { return Named(l[0].Block.Body, name) }

// All are the directives of a name that are in force: those of the innermost level that has any.
func (l Levels) All(names ...string) []Directive {
	for _, each := range l {
		if found := Named(each.Block.Body, names...); len(found) > 0 {
			return found
		}
	}
	return nil
}

// Value is the directive in force; nil where there is none.
func (l Levels) Value(names ...string) *Directive {
	found := l.All(names...)
	if len(found) == 0 {
		return nil
	}
	return &found[len(found)-1]
}

// Is reports whether a directive in force has the one argument.
func (l Levels) Is(name, argument string) bool {
	d := l.Value(name)
	return d != nil && len(d.Args) == 1 && strings.EqualFold(d.Args[0], argument)
}

// On is a flag, with what it is where nothing is said.
func (l Levels) On(name string, standard bool) bool {
	if l.Value(name) == nil {
		return standard
	}
	return l.Is(name, "on")
}

// Named are the directives of a body that have one of the names.
func Named(body []Directive, names ...string) []Directive {
	var all []Directive
	for _, d := range body {
		for _, name := range names {
			if d.Name == name {
				all = append(all, d)
			}
		}
	}
	return all
}

// LocationName reads `= /x` and `=/x` alike (ngx_http_core_location).
func LocationName(args []string) (modifier, name string) {
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

// IsRegular reports whether a location with the modifier is one of a regular expression.
func IsRegular(modifier string) bool { return modifier == "~" || modifier == "~*" }
