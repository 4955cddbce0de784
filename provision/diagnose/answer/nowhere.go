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
	for i, s := range e.Way.End.Steps {
		switch {
		case strings.HasPrefix(s.What, "rewrite of "):
			last = &e.Way.End.Steps[i]
		case strings.HasPrefix(s.What, "location ") || strings.HasPrefix(s.What, "error_page "):
			last = nil
		}
	}
	return last
}

func whereToPass(e *facts.Evidence) cause.Mend {
	at := locationStep(e)
	if r := lastRewrite(e); r != nil {
		return facts.InFile(e, r.File, r.Line, cause.Say("take the rewrite out of ").Line(r.File, r.Line).
			Say(", or write break behind it, which keeps the request in its location"))
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
