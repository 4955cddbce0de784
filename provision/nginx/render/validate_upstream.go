package render

import (
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/provision/site"
)

var (
	socketPath = lazy.Regexp(`\A/[A-Za-z0-9._~+=@/-]*[A-Za-z0-9._~+=@-]\z`)
	balance    = lazy.Regexp(`\A(|round_robin|least_conn|ip_hash|hash (\$[a-z0-9_]{1,60})+( consistent)?)\z`)
	nameServer = lazy.Regexp(`\A([0-9.]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?\z`)
)

// longestSocket is what fits into sockaddr_un (unix(7)).
const longestSocket = 107

func (p *problems) upstream(l Location) {
	p.check(len(l.Backends) > 0, "location.backend", "")
	for _, b := range l.Backends {
		p.server(b)
		p.once("location.backend", b.Address())
		p.check(b.HTTPS == l.HTTPS(), "location.backend", "with and without https")
		p.check(!b.Backup || l.Balance != site.BalanceIP && !strings.HasPrefix(l.Balance, site.BalanceHash),
			"location.backend", "backup with "+l.Balance)
	}
	p.check(!every(l.Backends, func(b Backend) bool { return b.Backup }), "location.backend", "backup alone")
	p.check(balance().MatchString(l.Balance), "location.balance", l.Balance)
	p.check(l.Keepalive >= 0 && l.Keepalive <= 10000, "location.keepalive", l.Keepalive)
	for _, at := range l.Resolver {
		p.check(nameServer().MatchString(at), "location.resolver", at)
	}
	p.check(l.Resolver == nil || len(l.Backends) == 1 && l.Backends[0].Named() && l.Backends[0].Options() == "" &&
		l.Balance == "" && l.Keepalive == 0 && !l.StripPrefix, "location.resolver", "with more than one name")
	p.trust(l)
}

func every(all []Backend, is func(Backend) bool) bool {
	return len(all) > 0 && !slices.ContainsFunc(all, func(b Backend) bool { return !is(b) })
}

func (p *problems) server(b Backend) {
	switch {
	case b.Socket != "":
		p.check(len(b.Socket) <= longestSocket && socketPath().MatchString(b.Socket) &&
			!notClean().MatchString(b.Socket),
			"location.backend.socket", b.Socket)
		p.check(b.Host == "" && b.Port == 0 && !b.HTTPS, "location.backend.socket", b)
	default:
		p.check(isIP(b.Host) || IsHost(b.Host) && !looksLikeIP(b.Host), "location.backend.host", b.Host)
		p.check(isPort(b.Port), "location.backend.port", b.Port)
	}
	p.check(b.Weight >= 0 && b.Weight <= 100, "location.backend.weight", b.Weight)
	p.check(b.MaxFails == nil || *b.MaxFails >= 0 && *b.MaxFails <= 100, "location.backend.max_fails", b.Options())
}

func (p *problems) trust(l Location) {
	p.check(l.HTTPS() || l.BackendTLS == nil, "location.backend_tls", "without https")
	if !l.HTTPS() {
		return
	}
	trust := l.Trust()
	p.file("location.backend_tls.ca", trust.CA)
	p.check(IsHost(trust.Name) && !looksLikeIP(trust.Name) || trust.Unverified && isIP(trust.Name),
		"location.backend_tls.name", trust.Name)
}
