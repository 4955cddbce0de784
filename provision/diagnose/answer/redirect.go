package answer

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
)

// redirectMend: what leads to the same path is the URL to use. A rewrite to the URL of a backend was meant to pass the
// request on, and redirects (ngx_http_rewrite_module). What leads to another path, such as that of a login, has a
// condition that the request does not meet.
func redirectMend(e *facts.Evidence, m made) cause.Mend {
	to := asWebSocket(e, facts.Seen(e).Location)
	switch {
	case to != nil && m.by.Name == "rewrite" && isBackends(e, to):
		return facts.InFile(e, m.by.File, m.by.Line, cause.Say("put proxy_pass ").Name("http://"+to.Host).
			Say("; with proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; and proxy_set_header "+
				"Connection "+
				`"upgrade"; in place of `).Name(m.what).Say(" in ").Line(m.by.File, m.by.Line).
			Say(": a rewrite to a URL redirects the client"))
	case to != nil && samePath(to.Path, facts.PathSent(e)):
		return cause.Say("use ").Name(to.String()).Say(" as the URL: clients of WebSockets follow no redirect")
	}
	return facts.InFile(e, m.by.File, m.by.Line, cause.Say("meet the condition of ").Name(m.what).
		Say(", or take it out of ").Line(m.by.File, m.by.Line).Say(": clients of WebSockets follow no redirect"))
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
