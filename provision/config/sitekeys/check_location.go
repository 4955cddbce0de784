package sitekeys

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// acmePath is where an ACME server asks for a challenge (RFC 8555, 8.3).
const acmePath = "/.well-known/acme-challenge/"

func checkLocations(s site.Site, key string, at reading.Origins, p *reading.Problems) {
	taken := map[string]string{}
	for j, l := range s.Locations {
		here := fmt.Sprintf("%s.locations[%d]", key, j)
		if l.Path != "" && !at[here+".path"].Wrong {
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

func checkPath(s site.Site, l site.Location, here string, taken map[string]string, at reading.Origins,
	p *reading.Problems) {
	if err := pathProblem(l); err != nil {
		p.Add(at.Problem(here+".path", err.Error()))
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
		p.Add(at.Problem(here+".strip_prefix", "a regular expression has no prefix: use match prefix or exact"))
	case l.StripPrefix && prefix && l.Path == "/":
		p.Add(at.Problem(here+".strip_prefix", "there is nothing to strip of the path /: remove it"))
	case l.StripPrefix && prefix && !strings.HasSuffix(l.Path, "/"):
		p.Add(at.Problem(here+".strip_prefix", fmt.Sprintf("needs a path that ends in /, or what is behind it would "+
			"be glued to another name: write path: %s/", l.Path)))
	case l.StripPrefix && l.Match == site.MatchExact && l.Root != "":
		p.Add(at.Problem(here+".strip_prefix", "an exact path with root has no file left: use match prefix"))
	case l.Match != site.MatchRegex && strings.HasPrefix(l.Path, acmePath) && s.ACMEWebroot != "" && s.TLS == nil:
		p.Add(at.Problem(here+".path", "is where acme_webroot is served: remove one of the two"))
	}
}

func checkLoop(s site.Site, l site.Location, here string, at reading.Origins, p *reading.Problems) {
	for i, b := range l.Backends {
		own := slices.IndexFunc(s.Listen, func(l site.Listen) bool { return b.Port > 0 && reaches(l, b) })
		if own >= 0 {
			p.Add(at.Problem(element(at, here+".backend", i), fmt.Sprintf(
				"%s is where this site listens itself (%s): requests would go round for ever", b, s.Listen[own])))
		}
	}
}

// checkRoot refuses beside root what has an effect on a backend only.
func checkRoot(l site.Location, here string, at reading.Origins, p *reading.Problems) {
	if !at.Has(here + ".root") {
		return
	}
	if l.WebSocket {
		p.Add(at.Problem(here+".websocket", "files are no WebSocket: remove it, or root"))
	}
	for _, name := range []string{"backend", "heartbeat", "allowed_origins", "read_timeout", "send_timeout",
		"connect_timeout", "buffering", "request_headers", "max_body", "balance", "keepalive", "resolver",
		"backend_tls"} {
		if at.Has(here + "." + name) {
			p.Add(at.Problem(here+"."+name, "is for a backend, and root serves files: remove one of the two"))
		}
	}
}

func checkWebSocket(l site.Location, here string, at reading.Origins, p *reading.Problems) {
	for _, name := range []string{"heartbeat", "allowed_origins"} {
		if !l.WebSocket && at.Has(here+"."+name) && !at.Has(here+".root") {
			p.Add(at.Problem(here+"."+name, "is for WebSockets, and websocket is false: remove one of the two"))
		}
	}
	for _, name := range []string{"read_timeout", "send_timeout"} {
		if at.Has(here+".heartbeat") && at.Has(here+"."+name) {
			p.Add(at.Problem(here+"."+name, "follows from heartbeat (three of it): remove one of the two"))
		}
	}
	if len(l.AllowedOrigins) > 1 && slices.Contains(l.AllowedOrigins, site.AnyOrigin) {
		p.Add(at.Problem(here+".allowed_origins", "any is everybody, so that the others say nothing: remove one or "+
			"the other"))
	}
	twice(l.AllowedOrigins, here+".allowed_origins", at, p)
	twice(l.Allow, here+".allow", at, p)
	twice(l.Deny, here+".deny", at, p)
}

// twice complains of what a list has again.
func twice(list []string, key string, at reading.Origins, p *reading.Problems) {
	seen := map[string]bool{}
	for i, one := range list {
		if one != "" && seen[one] {
			p.Add(at.Problem(element(at, key, i), fmt.Sprintf("%s stands twice", one)))
		}
		seen[one] = true
	}
}

func checkLimits(l site.Location, here string, at reading.Origins, p *reading.Problems) {
	switch here += ".limits"; {
	case l.Limits == nil:
	case at.Has(here+".burst") && !at.Has(here+".requests_per_second"):
		p.Add(at.Problem(here+".burst", "is above a rate: write requests_per_second too"))
	case !at.Has(here+".connections_per_client") && !at.Has(here+".requests_per_second"):
		p.Add(at.Problem(here, "bounds nothing: write connections_per_client or requests_per_second"))
	}
}

// reaches tells whether a connection to b arrives at l, as far as can be told without asking the host.
func reaches(l site.Listen, b site.Backend) bool {
	if l.Port != b.Port || b.Socket != "" {
		return false
	}
	if strings.EqualFold(b.Host, "localhost") {
		b.Host = "127.0.0.1"
		return reaches(l, b) || reaches(l, site.Backend{Host: "::1", Port: b.Port})
	}
	host, err := netip.ParseAddr(b.Host)
	if err != nil {
		return false
	}
	switch l.Address {
	case "", "0.0.0.0":
		return host.Is4() && host.IsLoopback()
	case "::":
		return host.Is6() && host.IsLoopback()
	}
	return l.Address == b.Host
}

func pathProblem(l site.Location) error {
	if l.Match == site.MatchRegex {
		return kinds.RegexProblem(l.Path)
	}
	_, err := kinds.LocationPath(kinds.Scalar{Text: l.Path, Tag: "!!str"})
	return err
}
