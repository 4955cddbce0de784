package route

import (
	"fmt"
	"maps"
	"slices"

	"wsprovision/provision/nginx/conf"
)

// scene is what is the same for a request from its beginning to its end.
type scene struct {
	request Request
	look    Look
	prefix  string // of paths that are relative
	http    []conf.Directive
	tree    conf.Tree
	server  *conf.Server
	tls     bool
	defined definitions
	asked   int // maps so far
}

// walk is a request on its way: what nginx keeps of one (ngx_http_request_t).
type walk struct {
	*scene
	at     address
	levels levels
	answer answering
	values map[string]Value // of variables, as far as they were asked for or set (r->variables)
	groups []string         // of the last regular expression that matched (r->captures)
	steps  []Step
	gates  []gate
	looked int
	depth  int    // of turns that may be taken, of which this way is made
	wild   string // a value was asked for of which nothing can be told, not even that nginx goes on
	end    *End
}

// address is where a request is: its path, which rewrites change, and what nginx remembers of how it came to it.
type address struct {
	path, args string
	// unparsed is the target as the client sent it; whole says that it still stands for the path.
	unparsed string
	whole    bool
	// quoted and plus: the target had a percent sign, or a plus, in its path.
	quoted, plus bool
	// matched: the location's name is the beginning of the path (valid_location).
	matched  bool
	internal bool
	changed  bool // by a rewrite; the location is looked for anew
	appended bool // try_files found a file below an alias of a regular expression (add_uri_to_alias)
	// within is the request that a request of nginx's own is for (r->main).
	within *answering
}

// answering is what of the answer is settled on the way.
type answering struct {
	handler  *conf.Directive // proxy_pass and its like (content_handler)
	method   string
	location Value
	changes  int // of the path that are left
	// override is the status that is sent in place of a page's own (err_status); 0 for none.
	override int
	by       conf.Directive // what made the override
	what     string
	paged    bool // an error_page was looked for, and there is no second
	page     *conf.Directive
}

// gate is something that may answer before the request comes to its end.
type gate struct {
	Cause
	before *walk
}

// fork is the request as it is now, to see another way that it may take.
func (w *walk) fork() *walk {
	other := *w
	other.values = maps.Clone(w.values)
	other.steps = slices.Clip(w.steps)
	other.gates, other.depth, other.end = nil, w.depth+1, nil
	return &other
}

func (w *walk) step(d conf.Directive, format string, args ...any) {
	w.steps = append(w.steps, Step{fmt.Sprintf(format, args...), d.File, d.Line})
}

// unfollowed ends the walk at a directive.
func unfollowed(d conf.Directive, format string, args ...any) error {
	return &Unfollowed{d, fmt.Sprintf(format, args...)}
}

// phase is a part of nginx's handling of a request (ngx_http_phases). Each gives the next one.
type phase func(*walk) (phase, error)

// run takes the request through the phases. Nothing in a configuration makes it longer than a few hundred.
func (w *walk) run(p phase) End {
	var err error
	for range 1000 {
		if p, err = p(w); p == nil || err != nil {
			break
		}
	}
	if err == nil && w.wild != "" {
		err = unfollowed(w.levels[0].block, "%s", w.wild)
	}
	if err == nil && w.end == nil {
		err = unfollowed(w.levels[0].block, "the request goes on and on")
	}
	if err != nil {
		u, ok := err.(*Unfollowed)
		if !ok {
			u = &Unfollowed{Directive: w.levels[0].block, Why: err.Error()}
		}
		w.end = &End{Unfollowed: u}
	}
	w.end.Steps, w.end.levels = w.steps, w.levels
	return *w.end
}

// ended gives no next phase.
func (w *walk) ended(e End) (phase, error) {
	w.end = &e
	return nil, nil
}

// mostTurns is how many things that may turn a request away are followed one after the other. nginx looks for one
// error_page only, unless recursive_error_pages is on.
const mostTurns = 3

// gated remembers what may turn the request away here.
func (w *walk) gated(d conf.Directive, status int, what string) {
	if w.depth >= mostTurns {
		return
	}
	w.gates = append(w.gates, gate{Cause{what, status, d}, w.fork()})
}
