package backend

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/render"
)

// BackendHasNoName: nginx cannot resolve the name of a backend while it serves. It asks the servers of resolver alone,
// and neither /etc/hosts nor /etc/resolv.conf (ngx_resolver.c).
func BackendHasNoName(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	l := facts.Failing(e)
	if l == nil {
		return nil
	}
	m := facts.Unresolvable().FindStringSubmatch(l.Message)
	if m == nil {
		return nil
	}
	if name := m[3]; name != "" {
		return withoutResolver(e, name, l.Text)
	}
	if !render.IsHost(m[1]) {
		return cause.New(cause.UpstreamUnresolved, "nginx's resolver does not know the name of a backend",
			cause.Say("name a server in resolver that knows it, or pass to an address").Say(facts.ThenReload), l.Text)
	}
	servers := "the name server"
	if d := e.Way.End.InForce("resolver"); d != nil {
		servers = "the name server " + strings.Join(d.Args, " ")
	}
	why := fmt.Sprintf("%s, which resolver names, does not know the backend's name %s", servers, m[1])
	if m[2] == "110" || m[2] == "111" {
		why = fmt.Sprintf("%s, which resolver names, does not answer, so that nginx cannot resolve %s", servers, m[1])
	}
	return cause.New(cause.UpstreamUnresolved, why, resolverMend(e, m[1]), l.Text, knownHere(ctx, m[1]))
}

func resolverMend(e *facts.Evidence, name string) cause.Mend {
	mend := cause.Say("name a server in resolver that knows ").Name(name).
		Say(" (see /etc/resolv.conf), or pass to an address in place of the name")
	if d := e.Way.End.InForce("resolver"); d != nil {
		mend = mend.Say("; resolver is in ").Line(d.File, d.Line)
	}
	return mend.Say(facts.ThenReload)
}

// knownHere says what this host makes of the name, which nginx does not ask.
func knownHere(ctx context.Context, name string) string {
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil || len(ips) == 0 {
		return ""
	}
	return fmt.Sprintf("this host itself resolves it to %s; nginx asks neither /etc/hosts nor /etc/resolv.conf", ips[0])
}

// withoutResolver: a name in a variable is resolved when it is needed, by the servers that resolver names
// (ngx_http_upstream_init_request).
func withoutResolver(e *facts.Evidence, name, line string) *cause.Diagnosis {
	mend := cause.Say("name a resolver")
	if p := facts.Passed(e); p != nil {
		mend = cause.Say("put resolver and the address of a name server (see /etc/resolv.conf) before proxy_pass, or "+
			"pass to an ").
			Say("address in place of the name, in ").Line(p.Directive.File, p.Directive.Line).Say(facts.ThenReload)
	} else {
		mend = mend.Say(": put resolver and the address of a name server (see /etc/resolv.conf) into the location, " +
			"or pass to ").
			Say("an address in place of the name").Say(facts.ThenReload)
	}
	return cause.New(cause.UpstreamUnresolved, fmt.Sprintf("proxy_pass has a variable, so that nginx resolves %q for "+
		"every request, and no resolver is set: /etc/hosts is not asked", name), mend, line)
}

// BackendHasMoved: nginx resolved the backend's name when it read its configuration, and the name leads elsewhere by
// now (ngx_parse_url at configuration time).
func BackendHasMoved(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	number, address, line := facts.FailedCall(e)
	at, err := netip.ParseAddrPort(address)
	if number == 0 || err != nil {
		return nil
	}
	for _, b := range facts.Backends(e) {
		name, port, err := net.SplitHostPort(b)
		if _, isAddress := netip.ParseAddr(name); err != nil || isAddress == nil || port != fmt.Sprint(at.Port()) {
			continue
		}
		ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
		if err != nil || len(ips) == 0 || slices.ContainsFunc(ips, func(ip netip.Addr) bool {
			return ip.Unmap() == at.Addr().Unmap()
		}) {
			continue
		}
		return cause.New(cause.NginxOlder, fmt.Sprintf("nginx still connects to %s: it resolved %s when it read its "+
			"configuration, and the name is %s by now", at, name, ips[0].Unmap()), facts.Reload(), line)
	}
	return nil
}
