package config

import (
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/site"
)

// acmePath is where an ACME server asks for a challenge (RFC 8555, 8.3).
const acmePath = "/.well-known/acme-challenge/"

func checkLocations(s Site, key string, at origins, p *problems) {
	taken := map[string]string{}
	for j, l := range s.Locations {
		here := fmt.Sprintf("%s.locations[%d]", key, j)
		if l.Path != "" && !at[here+".path"].wrong {
			checkPath(s, l, here, taken, at, p)
		}
		checkLoop(s, l, here, at, p)
		checkBackends(l, here, at, p)
		checkRoot(l, here, at, p)
		checkWebSocket(l, here, at, p)
		checkLimits(l, here, at, p)
		checkProbe(s, l, here, at, p)
	}
}

func checkPath(s Site, l Location, here string, taken map[string]string, at origins, p *problems) {
	if err := pathProblem(l); err != nil {
		p.add(at.problem(here+".path", err.Error()))
		return
	}
	kind := ""
	if l.Match == site.MatchExact || l.Match == site.MatchRegex {
		kind = string(l.Match) + " "
	}
	claim(taken, kind+l.Path, here+".path", "the "+kind+"path "+l.Path, at, p)
	prefix := kind == ""
	switch {
	case l.StripPrefix && l.Match == site.MatchRegex:
		p.add(at.problem(here+".strip_prefix", "a regular expression has no prefix: use match prefix or exact"))
	case l.StripPrefix && prefix && l.Path == "/":
		p.add(at.problem(here+".strip_prefix", "there is nothing to strip of the path /: remove it"))
	case l.StripPrefix && prefix && !strings.HasSuffix(l.Path, "/"):
		p.add(at.problem(here+".strip_prefix", fmt.Sprintf("needs a path that ends in /, or what is behind it would "+
			"be glued to another name: write path: %s/", l.Path)))
	case l.StripPrefix && l.Match == site.MatchExact && l.Root != "":
		p.add(at.problem(here+".strip_prefix", "an exact path with root has no file left: use match prefix"))
	case prefix && l.Path == acmePath && s.ACMEWebroot != "" && s.TLS == nil:
		p.add(at.problem(here+".path", "is where acme_webroot is served: remove one of the two"))
	}
}

func checkLoop(s Site, l Location, here string, at origins, p *problems) {
	for i, b := range l.Backends {
		own := slices.IndexFunc(s.Listen, func(l Listen) bool { return b.Port > 0 && reaches(l, b) })
		if own >= 0 {
			p.add(at.problem(element(at, here+".backend", i), fmt.Sprintf(
				"%s is where this site listens itself (%s): requests would go round for ever", b, s.Listen[own])))
		}
	}
}

// checkRoot refuses beside root what has an effect on a backend only.
func checkRoot(l Location, here string, at origins, p *problems) {
	if !at.has(here + ".root") {
		return
	}
	if l.WebSocket {
		p.add(at.problem(here+".websocket", "files are no WebSocket: remove it, or root"))
	}
	for _, name := range []string{"backend", "heartbeat", "allowed_origins", "read_timeout", "send_timeout",
		"connect_timeout", "buffering", "request_headers", "max_body", "balance", "keepalive", "resolver",
		"backend_tls"} {
		if at.has(here + "." + name) {
			p.add(at.problem(here+"."+name, "is for a backend, and root serves files: remove one of the two"))
		}
	}
}

func checkWebSocket(l Location, here string, at origins, p *problems) {
	for _, name := range []string{"heartbeat", "allowed_origins"} {
		if !l.WebSocket && at.has(here+"."+name) && !at.has(here+".root") {
			p.add(at.problem(here+"."+name, "is for WebSockets, and websocket is false: remove one of the two"))
		}
	}
	for _, name := range []string{"read_timeout", "send_timeout"} {
		if at.has(here+".heartbeat") && at.has(here+"."+name) {
			p.add(at.problem(here+"."+name, "follows from heartbeat (three of it): remove one of the two"))
		}
	}
	if len(l.AllowedOrigins) > 1 && slices.Contains(l.AllowedOrigins, site.AnyOrigin) {
		p.add(at.problem(here+".allowed_origins", "any is everybody, so that the others say nothing: remove one or "+
			"the other"))
	}
	twice(l.AllowedOrigins, here+".allowed_origins", at, p)
	twice(l.Allow, here+".allow", at, p)
	twice(l.Deny, here+".deny", at, p)
}

// twice complains of what a list has again.
func twice(list []string, key string, at origins, p *problems) {
	seen := map[string]bool{}
	for i, one := range list {
		if one != "" && seen[one] {
			p.add(at.problem(element(at, key, i), fmt.Sprintf("%s stands twice", one)))
		}
		seen[one] = true
	}
}

func checkLimits(l Location, here string, at origins, p *problems) {
	switch here += ".limits"; {
	case l.Limits == nil:
	case at.has(here+".burst") && !at.has(here+".requests_per_second"):
		p.add(at.problem(here+".burst", "is above a rate: write requests_per_second too"))
	case !at.has(here+".connections_per_client") && !at.has(here+".requests_per_second"):
		p.add(at.problem(here, "bounds nothing: write connections_per_client or requests_per_second"))
	}
}
