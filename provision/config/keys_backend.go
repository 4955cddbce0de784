package config

import (
	"fmt"
	"net/netip"

	"wsprovision/provision/site"
)

// backendFields are the keys of a location that say where its requests go.
func backendFields() []field[Location] {
	return []field[Location]{
		backendField(),
		one(Key{Path: "balance", Default: "round_robin", Example: "ip_hash",
			With: "backend: [\"127.0.0.1:3000\", \"127.0.0.1:3001\"]",
			Doc: "Which of the backends a request goes to. round_robin: each in its turn. least_conn: the one with " +
				"the fewest connections. ip_hash: always the same one for a client's address, of IPv4 for its /24. " +
				"hash: always the same one for the same key. The fallbacks of WebSocket libraries (long polling) " +
				"need one of the last two, for their requests belong together."},
			balances, func(l *Location) *string { return &l.Balance }),
		one(Key{Path: "keepalive", Default: "none", Example: "32",
			Doc: "How many idle connections to the backends each of nginx's workers keeps for plain HTTP. A " +
				"WebSocket has a connection of its own."},
			counts(1, 10000), func(l *Location) *int { return &l.Keepalive }),
		many(Key{Path: "resolver", Default: "the name is looked up once, at start and reload",
			Example: `[10.0.0.2, "[2001:db8::2]:53"]`, With: "backend: app.example.com:3000",
			Doc: "The DNS servers that nginx asks for the backend's name again whenever an answer has expired. For " +
				"one backend with a name, without balance, keepalive, weight, max_fails and backup, which nginx has " +
				"for addresses that it knows at start. Where the host has no IPv6, nginx asks for IPv4 addresses " +
				"only."},
			"address", nameServers, func(l *Location) *[]string { return &l.Resolver }),
		section(Key{Path: "backend_tls",
			Doc: "How the certificate of https:// backends is judged. Without it: by the " +
				"authorities that the host trusts, and by the backend's name."},
			backendTLSFields(), func(l *Location) **site.BackendTLS { return &l.BackendTLS }),
	}
}

// backendField writes one backend as it is mostly written, not as a list of one.
func backendField() field[Location] {
	f := many(Key{Path: "backend", Flag: "backend", Example: `"[::1]:3000"`,
		Doc: "Where the requests go: a server, or a list of them. Required, but with root. The ports get the SELinux " +
			"label http_port_t. A UNIX socket below /run needs no label; the directory of one elsewhere gets one, " +
			"where it holds nothing but sockets. With weight=3 a server gets three requests for one of the others, " +
			"with max_fails=3 it is left out for 10 seconds after three failed tries (0: never), and with backup it " +
			"is asked where none of the others answers."},
		"backend", backends, func(l *Location) *[]Backend { return &l.Backends })
	f.write = func(l Location) any {
		var all []any
		for _, b := range l.Backends {
			all = append(all, backendWords(b))
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

func backendTLSFields() []field[site.BackendTLS] {
	return []field[site.BackendTLS]{
		one(Key{Path: "ca", Default: site.SystemCA, Example: "/etc/pki/tls/certs/backend-ca.pem",
			Doc: "The PEM file of the authorities that sign the backends' certificates. Where it was changed " +
				"since nginx read it, the next apply has nginx read it again."},
			pemFiles, func(t *site.BackendTLS) *string { return &t.CA }),
		one(Key{Path: "name", Default: "the backend's host", Example: "app.example.com",
			Doc: "The name in the backends' certificates, which they are asked for as well (SNI). Needed where the " +
				"backend is an address, for nginx looks for no addresses in certificates, and where several backends " +
				"have several names."},
			backendNames, func(t *site.BackendTLS) *string { return &t.Name }),
		via(Key{Path: "verify", Default: "true", Example: "false",
			Doc: "false takes every certificate, so that anybody on the way can read and change what is sent. The " +
				"plan warns of it."},
			truths, func(t site.BackendTLS) bool { return !t.Unverified },
			func(t *site.BackendTLS, on bool) { t.Unverified = !on }),
	}
}

var backendNames = kind[string]{about{Type: "host name", Wrong: "app;x",
	Bounds: "Letters, digits, inner hyphens and underscores, 1 to 63 between dots, 253 in all.",
	Schema: pattern(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)}, func(s scalar) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	if err = hostName(value); err == nil {
		if _, address := netip.ParseAddr(value); address == nil {
			err = fmt.Errorf("nginx finds no address in a certificate: write a name that it has")
		}
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", quote(value), err)
	}
	return value, nil
}, nil}
