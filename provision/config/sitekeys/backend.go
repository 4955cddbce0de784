package sitekeys

import (
	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// backendFields are the keys of a location that say where its requests go.
func backendFields() []reading.Field[site.Location] {
	return []reading.Field[site.Location]{
		backendField(),
		reading.One(reading.Key{Path: "balance", Default: "round_robin", Example: "ip_hash",
			With: "backend: [\"127.0.0.1:3000\", \"127.0.0.1:3001\"]",
			Doc: "Which of the backends a request goes to. round_robin: each in its turn. least_conn: the one with " +
				"the fewest connections. ip_hash: always the same one for a client's address, of IPv4 for its /24. " +
				"hash: always the same one for the same key. The fallbacks of WebSocket libraries (long polling) " +
				"need one of the last two, for their requests belong together."},
			kinds.Balances, func(l *site.Location) *string { return &l.Balance }),
		reading.One(reading.Key{Path: "keepalive", Default: "none", Example: "32",
			Doc: "How many idle connections to the backends each of nginx's workers keeps for plain HTTP. A " +
				"WebSocket has a connection of its own."},
			kinds.Counts(1, 10000), func(l *site.Location) *int { return &l.Keepalive }),
		reading.Many(reading.Key{Path: "resolver", Default: "the name is looked up once, at start and reload",
			Example: `[10.0.0.2, "[2001:db8::2]:53"]`, With: "backend: app.example.com:3000",
			Doc: "The DNS servers that nginx asks for the backend's name again whenever an answer has expired. For " +
				"one backend with a name, without balance, keepalive, weight, max_fails and backup, which nginx has " +
				"for addresses that it knows at start. Where the host has no IPv6, nginx asks for IPv4 addresses " +
				"only."},
			"address", kinds.NameServers, func(l *site.Location) *[]string { return &l.Resolver }),
		reading.Section(reading.Key{Path: "backend_tls",
			Doc: "How the certificate of https:// backends is judged. Without it: by the " +
				"authorities that the host trusts, and by the backend's name."},
			backendTLSFields(), func(l *site.Location) **site.BackendTLS { return &l.BackendTLS }),
	}
}

// backendField writes one backend as it is mostly written, not as a list of one.
func backendField() reading.Field[site.Location] {
	f := reading.Many(reading.Key{Path: "backend", Flag: "backend", Example: `"[::1]:3000"`,
		Doc: "Where the requests go: a server, or a list of them. Required, but with root. The ports get the SELinux " +
			"label http_port_t. A UNIX socket below /run needs no label; the directory of one elsewhere gets one, " +
			"where it holds nothing but sockets. With weight=3 a server gets three requests for one of the others, " +
			"with max_fails=3 it is left out for 10 seconds after three failed tries (0: never), and with backup it " +
			"is asked where none of the others answers."},
		"backend", kinds.Backends, func(l *site.Location) *[]site.Backend { return &l.Backends })
	f.Write = func(l site.Location) any {
		var all []any
		for _, b := range l.Backends {
			all = append(all, kinds.BackendWords(b))
		}
		switch len(all) {
		case 0:
			return nil
		case 1:
			return all[0]
		}
		return all
	}
	return f
}

func backendTLSFields() []reading.Field[site.BackendTLS] {
	return []reading.Field[site.BackendTLS]{
		reading.One(reading.Key{Path: "ca", Default: site.SystemCA, Example: "/etc/pki/tls/certs/backend-ca.pem",
			Doc: "The PEM file of the authorities that sign the backends' certificates. Where it was changed " +
				"since nginx read it, the next apply has nginx read it again."},
			kinds.PemFiles, func(t *site.BackendTLS) *string { return &t.CA }),
		reading.One(reading.Key{Path: "name", Default: "the backend's host", Example: "app.example.com",
			Doc: "The name in the backends' certificates, which they are asked for as well (SNI). Needed where the " +
				"backend is an address, for nginx looks for no addresses in certificates, and where several backends " +
				"have several names."},
			kinds.BackendNames, func(t *site.BackendTLS) *string { return &t.Name }),
		reading.Via(reading.Key{Path: "verify", Default: "true", Example: "false",
			Doc: "false takes every certificate, so that anybody on the way can read and change what is sent. The " +
				"plan warns of it."},
			kinds.Truths, func(t site.BackendTLS) bool { return !t.Unverified },
			func(t *site.BackendTLS, on bool) { t.Unverified = !on }),
	}
}
