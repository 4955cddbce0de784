package sitekeys

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// checkBackends finds what nginx refuses, or what would say nothing, of the servers of a location.
func checkBackends(l site.Location, here string, at reading.Origins, p *reading.Problems) {
	seen := map[string]string{}
	for i, b := range l.Backends {
		if b.Port > 0 || b.Socket != "" {
			claim(seen, b.Address(), element(at, here+".backend", i), "the backend "+b.Address(), at, p)
		}
	}
	checkBackup(l, here, at, p)
	checkResolver(l, here, at, p)
	checkBackendTLS(l, here, at, p)
	twice(l.Resolver, here+".resolver", at, p)
}

// checkBackup: "balancing method does not support parameter "backup"" and "no servers are inside upstream" are nginx's
// (ngx_http_upstream.c).
func checkBackup(l site.Location, here string, at reading.Origins, p *reading.Problems) {
	word, _, _ := strings.Cut(l.Balance, " ")
	sticky := word == site.BalanceIP || word == site.BalanceHash
	backups := 0
	for i, b := range l.Backends {
		if b.Backup {
			backups++
		}
		if b.Backup && sticky {
			p.Add(at.Problem(element(at, here+".backend", i), fmt.Sprintf("nginx has no backup with balance %s: "+
				"remove backup, or use round_robin or least_conn", word)))
		}
	}
	if backups > 0 && backups == len(l.Backends) {
		p.Add(at.Problem(here+".backend", "every backend is a backup: at least one has to be none"))
	}
}

// checkResolver refuses what nginx only has for servers that it knows when it starts ("server … resolve" came with
// 1.27.3).
func checkResolver(l site.Location, here string, at reading.Origins, p *reading.Problems) {
	if !at.Has(here+".resolver") || len(l.Backends) == 0 {
		return
	}
	const why = "nginx has it only for backends whose addresses it knows when it starts, and with resolver it does " +
		"not: remove one of the two"
	if len(l.Backends) > 1 {
		p.Add(at.Problem(here+".resolver", "is for one backend, and there are several: nginx can look up again the "+
			"name of one only"))
	}
	if l.StripPrefix {
		p.Add(at.Problem(here+".strip_prefix",
			"with resolver nginx passes the whole path on: remove one of the two, or have the application serve the "+
				"path itself"))
	}
	for _, name := range []string{"balance", "keepalive"} {
		if at.Has(here + "." + name) {
			p.Add(at.Problem(here+"."+name, why))
		}
	}
	for i, b := range l.Backends {
		key := element(at, here+".backend", i)
		if options := strings.TrimSpace(b.Options()); options != "" {
			p.Add(at.Problem(key, fmt.Sprintf("has %s, and %s", options, why)))
		}
		if (b.Port > 0 || b.Socket != "") && !b.Named() {
			p.Add(at.Problem(here+".resolver", fmt.Sprintf("there is no name to look up in %s: remove resolver", b)))
		}
	}
}

// checkBackendTLS: a location has one scheme and one name in certificates. nginx compares a certificate's names and
// never its addresses (X509_check_host in ngx_event_openssl.c).
func checkBackendTLS(l site.Location, here string, at reading.Origins, p *reading.Problems) {
	secured := slices.ContainsFunc(l.Backends, func(b site.Backend) bool { return b.HTTPS })
	plain := slices.IndexFunc(l.Backends, func(b site.Backend) bool {
		return !b.HTTPS && (b.Port > 0 || b.Socket != "")
	})
	switch {
	case secured && plain >= 0:
		p.Add(at.Problem(element(at, here+".backend", plain), "is spoken to without TLS, and another backend with "+
			"https://: nginx has one of the two for all of a location"))
		return
	case !secured && plain >= 0 && at.Has(here+".backend_tls"):
		p.Add(at.Problem(here+".backend_tls", "is for https:// backends, and there is none: remove it, or write "+
			"https:// before the backend"))
		return
	case !secured:
		return
	}
	trust := l.Trust()
	if trust.Unverified && at.Has(here+".backend_tls.ca") {
		p.Add(at.Problem(here+".backend_tls.ca", "is not used with verify: false: remove one of the two"))
	}
	if !trust.Unverified && !at.Has(here+".backend_tls.name") {
		checkBackendName(l, here, at, p)
	}
}

func checkBackendName(l site.Location, here string, at reading.Origins, p *reading.Problems) {
	for i, b := range l.Backends {
		if _, err := netip.ParseAddr(b.Host); err == nil {
			p.Add(at.Problem(element(at, here+".backend", i), fmt.Sprintf("nginx finds no address in a certificate: "+
				"write backend_tls.name, the name in the certificate of %s", b)))
		} else if b.Port > 0 && !strings.EqualFold(b.Host, l.Backends[0].Host) && l.Backends[0].Named() {
			p.Add(at.Problem(element(at, here+".backend", i),
				fmt.Sprintf("is %s, and the first backend is %s: nginx looks for one name in all certificates of a "+
					"location, so write backend_tls.name", b.Host,
					l.Backends[0].Host)))
		}
	}
}
