package answer

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/outcome"
)

const followsNone cause.Words = ": clients of WebSockets follow no redirect"

// redirectMend: what leads to the same path, or to a WebSocket, is the URL to use. A rewrite to the URL of a backend
// was meant to pass the request on, and redirects (ngx_http_rewrite_module).
func redirectMend(ctx context.Context, e *facts.Evidence, m made) cause.Mend {
	to := asWebSocket(e, facts.Seen(e).Location)
	switch {
	case to != nil && m.by.Name == "rewrite" && isBackends(e, to):
		return facts.InFile(e, m.by.File, m.by.Line, cause.Say("put proxy_pass ").Name("http://"+to.Host).
			Say("; with proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; and proxy_set_header "+
				"Connection "+
				`"upgrade"; in place of `).Name(m.what).Say(" in ").Line(m.by.File, m.by.Line).
			Say(": a rewrite to a URL redirects the client"))
	case to != nil && (samePath(to.Path, facts.PathSent(e)) || opensThere(ctx, e, to)):
		return cause.Say("use ").Name(to.String()).Say(" as the URL").Say(followsNone)
	case m.by.Name == "error_page":
		return pageMend(e, m)
	case to != nil && (m.status == 301 || m.status == 308) && isSameName(e, to) && !isWithinIf(e, m.by):
		return cause.Say("use ").Name(to.String()).Say(" as the URL, if that is where the WebSocket has moved to, "+
			"or take ").Name(m.what).Say(" out of ").Line(m.by.File, m.by.Line).Say(followsNone)
	}
	return facts.InFile(e, m.by.File, m.by.Line, withoutMend(e, m.by, m.what).Say(followsNone))
}

// withoutMend: what has a condition may stay, where the request is not what it is for.
func withoutMend(e *facts.Evidence, by conf.Directive, what string) cause.Mend {
	take := cause.Say("take ").Name(what).Say(" out of ").Line(by.File, by.Line)
	if isWithinIf(e, by) {
		return cause.Say("ask in a way for which the condition of the if around ").Name(what).
			Say(" does not hold, or ").Join(take)
	}
	return take.Say(", or put a location with proxy_pass for ").Name(facts.PathSent(e)).Say(" in its place")
}

// pageMend is about what nginx answered before an error_page made a redirect of it.
func pageMend(e *facts.Evidence, m made) cause.Mend {
	before, status := beforePage(e)
	switch {
	case before != nil && strings.HasPrefix(before.What, "return "):
		by := conf.Directive{Name: "return", Args: strings.Fields(before.What)[1:], File: before.File,
			Line: before.Line}
		return facts.InFile(e, by.File, by.Line, withoutMend(e, by, before.What).Say(followsNone))
	case status == "404":
		return whereToPass(e)
	}
	return facts.InFile(e, m.by.File, m.by.Line, cause.Say("take ").Name(m.what).Say(" out of ").
		Line(m.by.File, m.by.Line).Say(", which hides what nginx answers before, and look again"))
}

// beforePage is the step before the last error_page, and the status for which that was taken.
func beforePage(e *facts.Evidence) (before *outcome.Step, status string) {
	steps := e.Way.End.Steps
	for i, s := range steps {
		if rest, is := strings.CutPrefix(s.What, "error_page "); is {
			if status, _, _ = strings.Cut(rest, " "); i > 0 {
				before = &steps[i-1]
			}
		}
	}
	return before, status
}

// opensThere: a WebSocket opens where the redirect leads, on the same listener.
func opensThere(ctx context.Context, e *facts.Evidence, to *url.URL) bool {
	base, err := url.Parse(e.Target.String())
	if err != nil || to.Scheme != base.Scheme || to.Host != base.Host {
		return false
	}
	target := e.Target
	target.Path = to.RequestURI()
	return facts.Shake(ctx, e, target) == nil
}

func isSameName(e *facts.Evidence, to *url.URL) bool {
	base, err := url.Parse(e.Target.String())
	return err == nil && strings.EqualFold(to.Hostname(), base.Hostname())
}

// asWebSocket is a redirect's target as the URL of a WebSocket; nil where it is none.
func asWebSocket(e *facts.Evidence, location string) *url.URL {
	base, err := url.Parse(e.Target.String())
	if err != nil {
		return nil
	}
	u, err := base.Parse(location)
	if err != nil || u.Host == "" {
		return nil
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	}
	if !slices.Contains([]string{"ws", "wss"}, u.Scheme) {
		return nil
	}
	return u
}

// samePath: the paths differ at most by a slash at the end, and by the query.
func samePath(path, sent string) bool {
	sent, _, _ = strings.Cut(sent, "?")
	if plain, err := url.PathUnescape(sent); err == nil {
		sent = plain
	}
	return strings.TrimSuffix(path, "/") == strings.TrimSuffix(sent, "/")
}

// isBackends: an address of this host that nginx does not listen on.
func isBackends(e *facts.Evidence, u *url.URL) bool {
	at, err := netip.ParseAddrPort(u.Host)
	return err == nil && facts.IsOwn(at.Addr()) && len(e.Tree.Sharing(at)) == 0
}
