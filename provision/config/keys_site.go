package config

import "wsprovision/provision/site"

// siteFields are the keys of a site, in the order in which they are read and written.
func siteFields() []field[Site] {
	return append([]field[Site]{
		one(Key{Path: "name", Required: true, Example: "websocket",
			Doc: "The name of the site and of its file. No two sites have the same."},
			siteNames, func(s *Site) *string { return &s.Name }),
		many(Key{Path: "server_name", Flag: "server-name", Required: true,
			Example: `[ws.example.com, "*.ws.example.com"]`,
			Doc:     "The names that clients use. A name stands only once on a socket."},
			"name", serverNames, func(s *Site) *[]string { return &s.ServerNames }),
		section(Key{Path: "tls", Doc: "With it all of the site's sockets speak TLS."},
			tlsFields(), func(s *Site) **TLS { return &s.TLS }),
		listenField(),
	}, moreSiteFields()...)
}

// listenField is not written where nobody asked for it: the host decides on IPv6 then.
func listenField() field[Site] {
	f := many(Key{Path: "listen", Flag: "listen", Default: "80, with tls 443; and the same of IPv6, where the host " +
		"has it",
		Example: `[80, "[::]:80", "127.0.0.1:8080 proxy_protocol"]`,
		Doc: "What nginx listens on. A port alone is every IPv4 address, as in nginx. With proxy_protocol whoever " +
			"connects has to begin with a PROXY line, as HAProxy's send-proxy does; it needs trusted_proxies.",
		With: "trusted_proxies: 10.0.0.0/8"},
		"port", listens, func(s *Site) *[]Listen { return &s.Listen })
	written := f.write
	f.write = func(s Site) any {
		if s.StandardListen {
			return nil
		}
		return written(s)
	}
	return f
}

func moreSiteFields() []field[Site] {
	return []field[Site]{
		one(Key{Path: "default_server", Default: "nginx's rule: the first server on a socket", Example: "reject",
			Doc: "Who answers requests for names that no server on the socket has. true: this site. reject: nobody, " +
				"the connection is closed (444), and with TLS the handshake is refused; where somebody else's server " +
				"is the default already, it stays so."},
			defaultServers, func(s *Site) *site.DefaultServer { return &s.DefaultServer }),
		one(Key{Path: "acme_webroot", Example: "/var/lib/wsprovision-acme",
			Doc: "The directory below which an ACME client puts .well-known/acme-challenge (certbot certonly " +
				"--webroot -w). Port 80 serves it, with TLS and without, so that the first certificate can be had."},
			directories, func(s *Site) *string { return &s.ACMEWebroot }),
		many(Key{Path: "trusted_proxies", Example: `[10.0.0.0/8, "2001:db8::/32"]`,
			Doc: "The load balancers in front. Theirs are the X-Forwarded-For and X-Forwarded-Proto that the backend " +
				"sees; those of everybody else are replaced."},
			"address", proxies, func(s *Site) *[]string { return &s.TrustedProxies }),
		one(Key{Path: "real_ip_header", Default: "X-Forwarded-For, with trusted_proxies", Example: "X-Real-IP",
			With: "trusted_proxies: 10.0.0.0/8",
			Doc: "How the trusted proxies say who the client is. proxy_protocol is the PROXY line of a listen that " +
				"has proxy_protocol."},
			realIPHeaders, func(s *Site) *string { return &s.RealIPHeader }),
		items(Key{Path: "locations", Required: true, Doc: "The paths, and where each goes."},
			"location", locationFields(), Location{WebSocket: true}, completeLocation,
			func(s *Site) *[]Location { return &s.Locations }),
	}
}

// completeSite gives what was not asked for its default.
func completeSite(r *reader, key string, s *Site) {
	if !r.at.has(key + ".listen") {
		s.StandardListen, s.Listen = true, standardListen(*s)
	}
	if len(s.TrustedProxies) > 0 && !r.at.has(key+".real_ip_header") {
		s.RealIPHeader = "X-Forwarded-For"
	}
}

// standardListen is what a site listens on that does not say so. What it has of IPv6 is the host's affair.
func standardListen(s Site) []Listen {
	if s.TLS != nil {
		return []Listen{{Port: 443}}
	}
	return []Listen{{Port: 80}}
}

// The kinds of a site's choices.
var (
	defaultServers = kind[site.DefaultServer]{about{Type: "word", Wrong: "false", Bounds: "true or reject.",
		Schema: schema{"enum": []any{true, "reject"}}}, func(s scalar) (site.DefaultServer, error) {
		if s.tag == "!!bool" && s.text == "true" {
			s.tag = "!!str"
		}
		value, err := oneOf("true", "reject")(s)
		return site.DefaultServer(value), err
	}, func(v site.DefaultServer) any {
		if v == site.DefaultSite {
			return true
		}
		return string(v)
	}}
	realIPHeaders = choices("X-Forwarded-For", "X-Real-IP", site.ProxyProtocol)
	directories   = kind[string]{about{Type: "directory", Wrong: "srv/www", Bounds: pemFiles.Bounds,
		Schema: pemFiles.Schema}, filePath, nil}
)
