package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/outcome"
)

// isStatic: nginx looked for a file, because nothing passes the request on.
func isStatic(m made) bool {
	return m.body == outcome.File || m.body == outcome.Listing || slices.Contains([]string{"location", "server", "root",
		"alias", "index", "try_files", "autoindex"}, m.by.Name)
}

// PathIsNowhere: no location passes the path on, and nginx looks for a file.
func PathIsNowhere(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	m := ownAnswer(ctx, e)
	if m == nil || !isStatic(*m) || m.isRedirect() {
		return nil
	}
	why := fmt.Sprintf("nginx passes nothing to a backend under %s: %s", facts.PathSent(e), takenBy(e, *m))
	mend, place := whereToPass(e), ""
	if s := e.Way.Server; s != nil {
		place = fmt.Sprintf("server block in %s:%d", s.File, s.Line)
	}
	return cause.New(cause.PathNotFound, why, mend, append(m.evidence(e), place)...)
}

// takenBy says who has the path in place of a backend.
func takenBy(e *facts.Evidence, m made) string {
	if m.body == outcome.File && m.status < 300 {
		return m.what + " answers it"
	}
	if r := lastRewrite(e); r != nil {
		return fmt.Sprintf("%s, and no location with proxy_pass matches that", r)
	}
	if at := locationStep(e); at != nil {
		return fmt.Sprintf("%s takes it, and does not pass it on", at)
	}
	return "no location with proxy_pass matches it"
}

// locationStep is the location that the request came to, before any error_page; nil where it came to none.
func locationStep(e *facts.Evidence) (at *outcome.Step) {
	for i, s := range e.Way.End.Steps {
		if strings.HasPrefix(s.What, "error_page ") {
			break
		}
		if strings.HasPrefix(s.What, "location ") {
			at = &e.Way.End.Steps[i]
		}
	}
	return at
}

// lastRewrite is what gave the request another path than the one for which it came to a location; nil for none.
func lastRewrite(e *facts.Evidence) (last *outcome.Step) {
	if last, looked := rewriteOf(e); last != nil && !looked {
		return last
	}
	return nil
}

// rewriteOf is the last rewrite before any error_page, and whether a location was looked for and found after it. One
// with break in a location leaves the request there, and is none.
func rewriteOf(e *facts.Evidence) (last *outcome.Step, found bool) {
	for i, s := range e.Way.End.Steps {
		switch {
		case strings.HasPrefix(s.What, "error_page "):
			return last, found
		case strings.HasPrefix(s.What, "rewrite of ") && !staysInLocation(e, s):
			last, found = &e.Way.End.Steps[i], false
		case strings.HasPrefix(s.What, "location "):
			found = true
		}
	}
	return last, found
}

func staysInLocation(e *facts.Evidence, s outcome.Step) bool {
	p := rewriteAt(e, s)
	return p != nil && p.location != nil && slices.Equal(p.directive.Args[2:], []string{"break"})
}

// rewriteAt is where the rewrite of a step stands; nil where that is not the one place.
func rewriteAt(e *facts.Evidence, s outcome.Step) *place {
	all := placesOf(e, "rewrite", s.File, s.Line)
	if len(all) != 1 || len(all[0].directive.Args) < 2 {
		return nil
	}
	return &all[0]
}

func whereToPass(e *facts.Evidence) cause.Mend {
	at := locationStep(e)
	if r, _ := rewriteOf(e); r != nil {
		return facts.InFile(e, r.File, r.Line, pathKept(e, *r))
	}
	if l := hiddenPrefix(e); l != nil && at != nil && isRegular(*at) {
		return cause.Say("put ^~ before ").Name(l.Args[0]).Say(" in the location in ").Line(l.File, l.Line).
			Say(", so that no regular expression goes before it").Say(facts.ThenReload)
	}
	mend := cause.Say("ask for a path that is configured, or add a location for ").Name(facts.PathSent(e)).
		Say(" with proxy_pass")
	if at != nil && at.Line != 0 {
		mend = mend.Say(", or a proxy_pass to that in ").Line(at.File, at.Line).Say(",")
	}
	if s := e.Way.Server; s != nil {
		mend = mend.Say(" to the server block in ").Line(s.File, s.Line).Say(facts.ThenReload)
	}
	if e.Location != nil {
		mend = facts.Rewrite(e, mend)
	}
	return mend
}

// pathKept: without its rewrite, or with break, which runs no other statement of rewriting and looks for no other
// location (ngx_http_rewrite_module), the request stays where a proxy_pass is. Where none is, what the rewrite leads to
// wants one.
func pathKept(e *facts.Evidence, r outcome.Step) cause.Mend {
	p, out := rewriteAt(e, r), cause.Say("take the rewrite out of ").Line(r.File, r.Line)
	passing := p != nil && p.location != nil && passes(*p.location)
	switch {
	case passing && p.within:
		return out
	case passing && len(p.directive.Args) == 2:
		return out.Say(", or write break behind it, which keeps the request in its location")
	case passing && p.directive.Args[2] == "last":
		return out.Say(", or write break in place of last, which keeps the request in its location")
	case p != nil && p.location == nil && hiddenPrefix(e) != nil:
		return out
	}
	s := e.Way.Server
	return cause.Say("add a location with proxy_pass for the path that the rewrite in ").Line(r.File, r.Line).
		Say(" leads to, to the server block in ").Line(s.File, s.Line)
}

func isRegular(s outcome.Step) bool { return strings.HasPrefix(s.What, "location ~") }

// hiddenPrefix is the location that passes the path on, were it not for a regular expression; nil where there is none.
func hiddenPrefix(e *facts.Evidence) (found *conf.Directive) {
	if e.Way.Server == nil {
		return nil
	}
	path, _, _ := strings.Cut(facts.PathSent(e), "?")
	for i, d := range e.Way.Server.Body {
		if d.Name != "location" || len(d.Args) != 1 || !strings.HasPrefix(path, d.Args[0]) ||
			found != nil && len(found.Args[0]) > len(d.Args[0]) || !passes(d) {
			continue
		}
		found = &e.Way.Server.Body[i]
	}
	return found
}

func passes(location conf.Directive) bool {
	return slices.ContainsFunc(location.Body, func(d conf.Directive) bool { return d.Name == "proxy_pass" })
}
