package route

import (
	"fmt"
	"slices"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/nginx/variable"
)

// walk is a request on its way (ngx_http_request_t): beside what its variables see, what becomes of it.
type walk struct {
	variable.Scope
	look   files.Look
	answer answering
	steps  []outcome.Step
	gates  []gate
	looked int
	depth  int // of turns that may be taken, of which this way is made
	end    *outcome.End
}

// answering is what of the answer is settled on the way.
type answering struct {
	handler  *conf.Directive // proxy_pass and its like (content_handler)
	location variable.Value
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
	outcome.Cause
	before *walk
}

// fork is the request as it is now, to see another way that it may take.
func (w *walk) fork() *walk {
	other := *w
	other.Scope = w.Scope.Fork()
	other.steps = slices.Clip(w.steps)
	other.gates, other.depth, other.end = nil, w.depth+1, nil
	return &other
}

func (w *walk) step(d conf.Directive, format string, args ...any) {
	w.steps = append(w.steps, outcome.Step{What: fmt.Sprintf(format, args...), File: d.File, Line: d.Line})
}

// unfollowed ends the walk at a directive.
func unfollowed(d conf.Directive, format string, args ...any) error {
	return &outcome.Unfollowed{Directive: d, Why: fmt.Sprintf(format, args...)}
}

// phase is a part of nginx's handling of a request (ngx_http_phases). Each gives the next one.
type phase func(*walk) (phase, error)

// run takes the request through the phases. Nothing in a configuration makes it longer than a few hundred.
func (w *walk) run(p phase) outcome.End {
	var err error
	for range 1000 {
		if p, err = p(w); p == nil || err != nil {
			break
		}
	}
	if err == nil && w.GaveUp != "" {
		err = unfollowed(w.Levels[0].Block, "%s", w.GaveUp)
	}
	if err == nil && w.end == nil {
		err = unfollowed(w.Levels[0].Block, "the request goes on and on")
	}
	if err != nil {
		u, ok := err.(*outcome.Unfollowed)
		if !ok {
			u = &outcome.Unfollowed{Directive: w.Levels[0].Block, Why: err.Error()}
		}
		w.end = &outcome.End{Unfollowed: u}
	}
	w.end.Steps, w.end.Levels = w.steps, w.Levels
	return *w.end
}

// ended gives no next phase.
func (w *walk) ended(e outcome.End) (phase, error) {
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
	w.gates = append(w.gates, gate{outcome.Cause{What: what, Status: status, Directive: d}, w.fork()})
}
