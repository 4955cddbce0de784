// Package variable gives the values that the variables of a configuration have for a request: those of nginx itself,
// and of maps, geo and set. What only nginx can know is a Value that says so.
package variable

import (
	"maps"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/head"
)

// Given is what is the same for a request from its beginning to its end.
type Given struct {
	Request head.Request
	prefix  string // of paths that are relative
	HTTP    []conf.Directive
	Server  *conf.Server
	TLS     bool
	defined definitions
	asked   int // maps so far
}

// Scope is a request as its variables see it: what nginx keeps of one (ngx_http_request_t).
type Scope struct {
	*Given
	At     Address
	Levels conf.Levels
	Method string
	Values map[string]Value // of variables, as far as they were asked for or set (r->variables)
	Groups []string         // of the last regular expression that matched (r->captures)
	GaveUp string           // a value was asked for of which nothing can be told, not even that nginx goes on
}

// NewScope is that of a request before it has come to a server. Paths that are relative begin with prefix.
func NewScope(request head.Request, http []conf.Directive, prefix string) Scope {
	g := &Given{Request: request, HTTP: http, prefix: prefix, defined: definitions{}}
	define(g.defined, g.HTTP)
	return Scope{Given: g, Method: request.Verb(), Values: map[string]Value{}}
}

// Fork is the request as it is now, to see another way that it may take.
func (s *Scope) Fork() Scope {
	other := *s
	other.Values = maps.Clone(s.Values)
	return other
}

// GiveUp is a value that ends the walk, whatever it is for.
func (s *Scope) GiveUp(format string, args ...any) Value {
	v := Unknown(format, args...)
	s.GaveUp = v.Why
	return v
}

// Address is where a request is: its path, which rewrites change, and what nginx remembers of how it came to it.
type Address struct {
	Path, Args string
	// Unparsed is the target as the client sent it; Whole says that it still stands for the path.
	Unparsed string
	Whole    bool
	// Quoted and Plus: the target had a percent sign, or a plus, in its path.
	Quoted, Plus bool
	// Matched: the location's name is the beginning of the path (valid_location).
	Matched  bool
	Internal bool
	Changed  bool // by a rewrite; the location is looked for anew
	Appended bool // try_files found a file below an alias of a regular expression (add_uri_to_alias)
	// Within is the method of the request that a request of nginx's own is for (r->main); "" where it is none.
	Within string
}
