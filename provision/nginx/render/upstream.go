package render

import (
	"fmt"
	"strings"

	"wsprovision/provision/site"
)

// backends writes an upstream for each set of backends, once for the locations that share it.
func (w *writer) backends() {
	w.upstreams = map[string]string{}
	for _, l := range w.Locations {
		key := group(l)
		if _, done := w.upstreams[key]; done || l.Root != "" || l.Resolver != nil {
			continue
		}
		name := fmt.Sprintf("wsprovision_%s_%d", identifier(w.Site), len(w.upstreams))
		w.upstreams[key] = name
		w.line("")
		w.open("upstream %s", name)
		for line := range strings.Lines(upstream(l)) {
			w.line("%s", strings.TrimSuffix(line, "\n"))
		}
		w.shut()
	}
}

// group is equal for locations that share an upstream. nginx keeps TLS sessions by upstream, each with the judgement of
// the certificate that began it: who trusts others has an upstream of its own.
func group(l Location) string {
	if !l.HTTPS() {
		return upstream(l)
	}
	return fmt.Sprintf("%s%+v", upstream(l), l.Trust())
}

// upstream is the body of a location's, a directive on each line. The method stands first: nginx has those of keepalive
// and backup by it.
func upstream(l Location) string {
	var b strings.Builder
	if l.Balance != "" && l.Balance != site.BalanceRoundRobin {
		fmt.Fprintf(&b, "%s;\n", l.Balance)
	}
	for _, one := range l.Backends {
		fmt.Fprintf(&b, "server %s%s;\n", one.Address(), serverOptions(l, one))
	}
	if l.Keepalive > 0 {
		fmt.Fprintf(&b, "keepalive %d;\n", l.Keepalive)
	}
	return b.String()
}

// serverOptions: nginx never takes a single server out of service. A single name may resolve to several addresses, so
// that there max_fails=0 says so.
func serverOptions(l Location, b Backend) string {
	options := b.Options()
	if len(l.Backends) == 1 && b.Named() && b.MaxFails == nil {
		options += " max_fails=0"
	}
	return options
}

// pass hands the request on. Without strip_prefix proxy_pass has no URI part: the path is kept as it came.
func (w *writer) pass(l Location) {
	scheme := "http"
	if l.HTTPS() {
		scheme = "https"
	}
	uri := ""
	if l.StripPrefix {
		uri = "/"
	}
	if l.Resolver != nil {
		w.passResolved(l, scheme)
	} else {
		w.line("proxy_pass %s://%s%s;", scheme, w.upstreams[group(l)], uri)
	}
	w.backendTLS(l)
}

// passResolved has nginx look up the name again: it does so where proxy_pass has a variable. A URI part would then take
// the place of the whole path, so that there is none.
func (w *writer) passResolved(l Location, scheme string) {
	family := ""
	if !w.IPv6 {
		family = " ipv6=off"
	}
	w.line("resolver %s%s;", strings.Join(l.Resolver, " "), family)
	w.line("set %s %s;", w.shared().variable("backend"), l.Backends[0].Address())
	w.line("proxy_pass %s://%s;", scheme, w.shared().variable("backend"))
}

// backendTLS: nginx by itself verifies nothing, sends no SNI, takes chains of one intermediate at most, and has TLS 1.3
// only where it is asked for (before 1.27.3).
func (w *writer) backendTLS(l Location) {
	if !l.HTTPS() {
		return
	}
	trust := l.Trust()
	w.line("proxy_ssl_protocols %s;", strings.Join(w.Build.Protocols(site.ProfileIntermediate), " "))
	if !isIP(trust.Name) { // without a name nginx would ask for that of the upstream
		w.line("proxy_ssl_server_name on;")
		w.line("proxy_ssl_name %s;", trust.Name)
	}
	if !trust.Unverified {
		w.line("proxy_ssl_verify on;")
		w.line("proxy_ssl_verify_depth 3;")
		w.line("proxy_ssl_trusted_certificate %s;", trust.CA)
	}
}
