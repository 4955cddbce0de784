package route

import (
	"strconv"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/nginx/variable"
)

// script is a run of the statements of rewriting in a block (ngx_http_script_engine_t).
type script struct {
	*walk
	// quoted: groups are escaped, as they are until a rewrite has matched (e->quote).
	quoted bool
	// within: the last rewrite that matched had a query of its own, which nginx does not forget (e->is_args).
	within bool
	next   phase // where a statement answers
}

// script runs the statements of a block. It gives a next phase where one of them answers; where one sends a text, the
// walk has its end.
func (w *walk) script(body []conf.Directive) (phase, error) {
	s := &script{walk: w, quoted: true}
	_, err := s.run(body)
	return s.next, err
}

// run reports whether the rest is left out.
func (s *script) run(body []conf.Directive) (stop bool, err error) {
	for _, d := range body {
		switch d.Name {
		case "set":
			err = s.set(d)
		case "break":
			s.stop()
			return true, nil
		case "return":
			s.next, err = s.returns(d)
			return true, err
		case "rewrite":
			stop, err = s.rewrite(d)
		case "if":
			stop, err = s.branch(d)
		}
		if stop || err != nil {
			return stop, err
		}
	}
	return false, nil
}

// stop is break: a path that was changed before stays changed, and is not looked for anew.
func (s *script) stop() {
	if s.At.Changed {
		s.At.Matched, s.At.Changed = false, false
	}
}

func (s *script) set(d conf.Directive) error {
	if len(d.Args) != 2 {
		return unfollowed(d, "set is not understood")
	}
	v := s.text(d.Args[1], s.quoted)
	name := strings.ToLower(strings.TrimPrefix(d.Args[0], "$"))
	if name != "args" {
		s.Values[name] = v
		return nil
	}
	if !v.Known {
		return unfollowed(d, "%s", v.Why)
	}
	s.At.Args, s.At.Whole = v.Text, false
	return nil
}

// text is the value of a text in which groups are escaped where escaped is true and the target had something to escape
// (ngx_http_script_copy_capture_code).
func (s *script) text(text string, escaped bool) variable.Value {
	if !s.At.Quoted && !s.At.Plus {
		return s.Value(text)
	}
	if !variable.HasGroups(text) {
		return s.Value(text)
	}
	if s.within {
		return variable.Unknown("groups after a rewrite with a query are not followed where the target has %% or +")
	}
	if !escaped {
		return s.Value(text)
	}
	raw := s.Groups
	quoted := make([]string, len(raw))
	for i, g := range raw {
		v := variable.AsValue(head.Escape(g, head.InArgs))
		if !v.Known {
			return v
		}
		quoted[i] = v.Text
	}
	s.Groups = quoted
	v := s.Value(text)
	if !variable.SameGroups(s.Groups, quoted) {
		return s.GiveUp("%q has groups of a regular expression, and a map with another one", text)
	}
	s.Groups = raw
	return v
}

// returns is ngx_http_script_return_code: a text, or a status below 400, is sent as it is; a redirect and a bare
// status go through error_page.
func (s *script) returns(d conf.Directive) (phase, error) {
	status, text := 302, variable.Value{Known: true}
	code, err := strconv.Atoi(d.Args[0])
	switch {
	case err == nil:
		status = code
	case len(d.Args) == 1:
		text = s.Value(d.Args[0])
	}
	if len(d.Args) == 2 {
		text = s.Value(d.Args[1])
	}
	what := "return " + joined(d.Args)
	s.step(d, "%s", what)
	switch bare := status >= 400 && (len(d.Args) == 1 || d.Args[1] == ""); {
	case outcome.IsRedirect(status):
		s.answer.location = text
		return s.finish(status, d, what)
	case bare:
		return s.finish(status, d, what)
	}
	return s.send(status, outcome.Text, d, what)
}

// rewrite is a rewrite directive, and reports whether it is the last statement to run.
func (s *script) rewrite(d conf.Directive) (bool, error) {
	if len(d.Args) < 2 {
		return false, unfollowed(d, "rewrite is not understood")
	}
	matched, err := s.Match(d.Args[0], false)(s.At.Path)
	if err != nil {
		return false, unfollowed(d, "%v", err)
	}
	if !matched {
		s.Groups = nil
		return false, nil
	}
	r := replacementOf(d)
	if r.status > 0 {
		s.next, err = s.redirect(d, r)
		return true, err
	}
	before := s.At.Path
	if err := s.replace(d, r); err != nil {
		return false, err
	}
	s.step(d, "rewrite of %s to %s", before, s.At.Path)
	if s.At.Path == "" {
		s.next, err = s.finish(500, d, "rewrite leaves no path")
		return true, err
	}
	return r.flag == "last" || r.flag == "break", nil
}

// replacement is what a rewrite puts in the path's place (ngx_http_rewrite).
type replacement struct {
	path, args string
	query      bool // it has a query of its own
	dropped    bool // the request's query is dropped: it ends with ?
	status     int  // of a redirect
	flag       string
}

func replacementOf(d conf.Directive) replacement {
	r := replacement{path: d.Args[1]}
	if len(d.Args) > 2 {
		r.flag = d.Args[2]
	}
	r.path, r.dropped = strings.CutSuffix(r.path, "?")
	for _, head := range []string{"http://", "https://", "$scheme"} {
		if strings.HasPrefix(d.Args[1], head) {
			r.status = 302
		}
	}
	switch r.flag {
	case "redirect":
		r.status = 302
	case "permanent":
		r.status = 301
	}
	if r.status > 0 {
		r.query = strings.Contains(r.path, "?")
		return r
	}
	r.path, r.args, r.query = strings.Cut(r.path, "?")
	return r
}

func (s *script) redirect(d conf.Directive, r replacement) (phase, error) {
	v := s.text(r.path, true)
	if v.Known {
		v = variable.AsValue(head.UnescapeRedirect(v.Text))
	}
	if v.Known && !r.dropped && s.At.Args != "" {
		v.Text += map[bool]string{true: "&", false: "?"}[r.query] + s.At.Args
	}
	s.At.Internal, s.At.Whole = true, false
	if r.flag == "break" {
		s.At.Matched, s.At.Changed = false, false
	} else {
		s.At.Changed = true
	}
	s.step(d, "rewrite of %s to a redirect", s.At.Path)
	s.answer.location = v
	return s.finish(r.status, d, "rewrite "+joined(d.Args))
}

// replace is ngx_http_script_regex_end_code.
func (s *script) replace(d conf.Directive, r replacement) error {
	path := s.text(r.path, false)
	if !path.Known {
		return unfollowed(d, "%s", path.Why)
	}
	s.quoted = false
	args := s.At.Args
	if r.dropped {
		args = ""
	}
	if r.query {
		own := s.text(r.args, true)
		if !own.Known {
			return unfollowed(d, "%s", own.Why)
		}
		if s.within = true; args != "" {
			own.Text += "&" + args
		}
		args = own.Text
	}
	s.At.Path, s.At.Args, s.At.Internal, s.At.Whole = path.Text, args, true, false
	if s.At.Changed = r.flag != "break"; !s.At.Changed {
		s.At.Matched = false
	}
	return nil
}
