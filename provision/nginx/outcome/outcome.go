// Package outcome has what a route tells: the server and the location that a request comes to, where it ends, and what
// a backend is asked with. It also tells which of the ends can have given an answer that a client saw.
package outcome

import (
	"fmt"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/variable"
)

// Route is the way of a request through a configuration.
type Route struct {
	// Server took the request; nil where no server listens on the address. It is settled where the End has steps, also
	// where the request is not followed any further; else it is the default server.
	Server *conf.Server
	// Listen is the listener that it came in by.
	Listen conf.ListenDirective
	// ByName: the server was chosen by its name, and not for being the default one of its socket.
	ByName bool
	// Location is the last one that the request came to; nil where it came to none.
	Location *conf.Directive
	// End is where the request ends, unless something of May comes before.
	End End
	// May are the other ends: a limit that is reached, a password that is wrong, a backend that fails.
	May []End
}

// Step is something that happened to a request on its way.
type Step struct {
	What string
	File string
	Line int
}

func (s Step) String() string {
	if s.File == "" {
		return s.What
	}
	return fmt.Sprintf("%s in %s:%d", s.What, s.File, s.Line)
}

// End is an end of a request. Exactly one of Answer, Pass and Unfollowed is not nil.
type End struct {
	Steps []Step
	// Cause is, for an end that may be, what turns the request there.
	Cause      *Cause
	Answer     *Answer
	Pass       *Pass
	Unfollowed *Unfollowed
	Levels     conf.Levels
}

// InForce is the directive of that name that holds where the request ends: the innermost block that has it decides.
// Nil: nowhere set.
func (e End) InForce(name string) *conf.Directive { return e.Levels.Value(name) }

// AllInForce are the directives of that name that hold where the request ends, of those that add up within a block.
func (e End) AllInForce(name string) []conf.Directive { return e.Levels.All(name) }

// Cause is what may turn a request away from its end.
type Cause struct {
	What      string
	Status    int // what it answers, before any error_page
	Directive conf.Directive
}

// Body is what nginx's answer consists of.
type Body string

const (
	OwnPage Body = "nginx's own page"
	Text    Body = "text of the configuration"
	File    Body = "a file"
	Listing Body = "a list of files"
	Nothing Body = "nothing"
)

// Answer is one that nginx makes itself.
type Answer struct {
	// Status is 444 where nginx closes the connection without an answer.
	Status int
	Body   Body
	// Location is the field of a redirect, as nginx sends it.
	Location variable.Value
	// Directive is what makes nginx answer so. It is the location's, or the server's, where no directive says so and
	// nothing passes the request on.
	Directive conf.Directive
	// What says it in a few words: `return 403`.
	What string
}

// Unfollowed is where the request could not be followed any further.
type Unfollowed struct {
	Directive conf.Directive
	Why       string
}

func (u *Unfollowed) Error() string {
	if u.Directive.File == "" {
		return u.Why
	}
	return fmt.Sprintf("%s in %s:%d", u.Why, u.Directive.File, u.Directive.Line)
}

// Pass is a request on its way to a backend.
type Pass struct {
	// Directive is the proxy_pass, or another that passes requests on.
	Directive conf.Directive
	// Scheme is http or https, or the protocol of another directive: fastcgi; "" where it is not known.
	Scheme string
	// Backends are the addresses that nginx may ask: host:port, or unix:/path. None where only nginx knows them.
	Backends []string
	// Upstream is the group that they are of; "" for none.
	Upstream string
	// Method, Target and Version are those of the request that the backend gets: 1.0 or 1.1.
	Method, Target variable.Value
	Version        string
	// Override is the status that the client gets in place of the backend's, for which an error_page led here; 0 for
	// none. A WebSocket does not come about where there is one.
	Override int
	// Page is the error_page that led here, nil for none.
	Page *conf.Directive
	// Fields are those that the backend gets, as nginx sets them or passes them on. One that is empty is not sent.
	Fields []SentField
}

// SentField is a field of the request that a backend gets.
type SentField struct {
	Name  string
	Value variable.Value
	// Set is the proxy_set_header; nil where nginx or the client sets it.
	Set *conf.Directive
}

// Field is what the backend gets in a field; an empty one is not sent. One that is sent twice is a list.
func (p *Pass) Field(name string) SentField {
	one := SentField{Name: name, Value: variable.Known("")}
	for _, f := range p.Fields {
		switch {
		case !strings.EqualFold(f.Name, name) || f.Value.Known && f.Value.Text == "" && one.Set != nil:
		case one.Value.Known && one.Value.Text != "" && f.Value.Known:
			one.Value.Text += ", " + f.Value.Text
		default:
			one = f
		}
	}
	return one
}
