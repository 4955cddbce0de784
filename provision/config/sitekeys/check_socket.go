package sitekeys

import (
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// shared is what nginx has of all servers on a socket together, with the word for each and who said it first.
type shared map[string]string

// agree complains where two sites say different things of a socket, once for each thing of a site.
func (s shared) agree(l site.Listen, what, mine, other, key string, at reading.Origins, p *reading.Problems) {
	thing := what + " " + l.Socket()
	if s[thing] == "" {
		s[thing] = mine
	}
	if told := "told " + what + key; s[thing] != mine && s[told] == "" {
		s[told] = mine
		p.Add(at.Problem(key, fmt.Sprintf("this site listens on %s %s, and an earlier one %s: one socket can be only "+
			"one",
			l, mine, other)))
	}
}

// checkShared refuses a socket on which two sites differ in what nginx takes for both: TLS (it would find no
// certificate for one of them), the PROXY protocol, and HTTP/2.
func checkShared(s site.Site, key string, all shared, at reading.Origins, p *reading.Problems) {
	for j, l := range s.Listen {
		here := element(at, key+".listen", j)
		if l.Port == 0 {
			continue
		}
		agreeOn(all, l, "TLS", s.TLS != nil, here, at, p)
		agreeOn(all, l, site.ProxyProtocol, l.ProxyProtocol, here, at, p)
		if s.TLS != nil {
			agreeOn(all, l, "http2", s.TLS.HTTP2, here, at, p)
		}
	}
	for _, l := range s.Port80() {
		if !slices.ContainsFunc(s.Listen, func(own site.Listen) bool { return own.Socket() == l.Socket() }) {
			agreeOn(all, l, "TLS", false, key+".tls", at, p)
			agreeOn(all, l, site.ProxyProtocol, l.ProxyProtocol, key+".tls", at, p)
		}
	}
}

func agreeOn(all shared, l site.Listen, what string, mine bool, key string, at reading.Origins, p *reading.Problems) {
	with, without := "with "+what, "without "+what
	if what == "TLS" {
		with, without = "with TLS", "without TLS"
	}
	if mine {
		all.agree(l, what, with, "without", key, at, p)
		return
	}
	all.agree(l, what, without, "with it", key, at, p)
}

// checkDefault refuses two sites that would both answer what nobody else does.
func checkDefault(s site.Site, key string, taken map[string]string, at reading.Origins, p *reading.Problems) {
	if s.DefaultServer == site.DefaultUnsaid {
		return
	}
	here := key + ".default_server"
	for _, l := range slices.Concat(s.Listen, s.Port80()) {
		thing := l.Socket()
		mine := string(s.DefaultServer)
		first, known := taken[thing]
		switch by, word, _ := strings.Cut(first, " "); {
		case !known:
			taken[thing] = here + " " + mine
		case by != here && (word == "true" || mine == "true"):
			p.Add(at.Problem(here, fmt.Sprintf("the default server of %s is said by %s already: one socket has one", l,
				by)))
			return
		}
	}
}

// checkProxies finds what only makes sense together.
func checkProxies(s site.Site, key string, at reading.Origins, p *reading.Problems) {
	proxied := slices.ContainsFunc(s.Listen, func(l site.Listen) bool { return l.ProxyProtocol })
	trusting := at.Has(key + ".trusted_proxies")
	for j, l := range s.Listen {
		if l.ProxyProtocol && !trusting {
			p.Add(at.Problem(element(at, key+".listen", j), "with proxy_protocol whoever connects says who the "+
				"client is: write trusted_proxies, the addresses of the load balancers, too"))
		}
	}
	switch header := at.Has(key + ".real_ip_header"); {
	case header && !trusting:
		p.Add(at.Problem(key+".real_ip_header", "is believed of trusted_proxies only: write their addresses too"))
	case s.RealIPHeader == site.ProxyProtocol && !proxied:
		p.Add(at.Problem(key+".real_ip_header", "is proxy_protocol, and no listen of the site has it: write "+
			"listen: \""+fmt.Sprint(StandardListen(s)[0])+" proxy_protocol\""))
	}
}

// checkPort80 refuses what stands in the way of a redirect.
func checkPort80(s site.Site, key string, at reading.Origins, p *reading.Problems) {
	if s.TLS == nil {
		return
	}
	for j, l := range s.Listen {
		if l.Port == 80 && len(s.Port80()) > 0 {
			p.Add(at.Problem(element(at, key+".listen", j), "the site itself has TLS on port 80, where tls.redirect "+
				"and acme_webroot answer plain HTTP: give it another port, 443"))
		}
	}
}
