package sitekeys

import (
	"sync"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// Fields are the keys of a site, in the order in which they are read and written. They are made once: a thousand sites
// have the same, and nobody may change them.
var Fields = sync.OnceValue(func() []reading.Field[site.Site] {
	return append([]reading.Field[site.Site]{
		reading.One(reading.Key{Path: "name", Required: true, Example: "websocket",
			Doc: "The name of the site and of its file. No two sites have the same."},
			kinds.SiteNames, func(s *site.Site) *string { return &s.Name }),
		reading.Many(reading.Key{Path: "server_name", Flag: "server-name", Required: true,
			Example: `[ws.example.com, "*.ws.example.com"]`,
			Doc:     "The names that clients use. A name stands only once on a socket."},
			"name", kinds.ServerNames, func(s *site.Site) *[]string { return &s.ServerNames }),
		reading.Section(reading.Key{Path: "tls", Doc: "With it all of the site's sockets speak TLS."},
			tlsFields(), func(s *site.Site) **site.TLS { return &s.TLS }),
		listenField(),
	}, moreSiteFields()...)
})

// listenField is not written where nobody asked for it: the host decides on IPv6 then.
func listenField() reading.Field[site.Site] {
	f := reading.Many(reading.Key{Path: "listen", Flag: "listen",
		Default: "80, with tls 443; and the same of IPv6, where the host " +
			"has it",
		Example: `[80, "[::]:80", "127.0.0.1:8080 proxy_protocol"]`,
		Doc: "What nginx listens on. A port alone is every IPv4 address, as in nginx. With proxy_protocol whoever " +
			"connects has to begin with a PROXY line, as HAProxy's send-proxy does; it needs trusted_proxies.",
		With: "trusted_proxies: 10.0.0.0/8"},
		"port", kinds.Listens, func(s *site.Site) *[]site.Listen { return &s.Listen })
	written := f.Write
	f.Write = func(s site.Site) any {
		if s.StandardListen {
			return nil
		}
		return written(s)
	}
	return f
}

func moreSiteFields() []reading.Field[site.Site] {
	return []reading.Field[site.Site]{
		reading.One(reading.Key{Path: "default_server", Default: "nginx's rule: the first server on a socket",
			Example: "reject",
			Doc: "Who answers requests for names that no server on the socket has. true: this site. reject: nobody, " +
				"the connection is closed (444), and with TLS the handshake is refused; where somebody else's server " +
				"is the default already, it stays so."},
			kinds.DefaultServers, func(s *site.Site) *site.DefaultServer { return &s.DefaultServer }),
		reading.One(reading.Key{Path: "acme_webroot", Example: "/var/lib/wsprovision-acme",
			Doc: "The directory below which an ACME client puts .well-known/acme-challenge (certbot certonly " +
				"--webroot -w). Port 80 serves it, with TLS and without, so that the first certificate can be had. A " +
				"location there, or below, is refused."},
			kinds.Directories, func(s *site.Site) *string { return &s.ACMEWebroot }),
		reading.Many(reading.Key{Path: "trusted_proxies", Example: `[10.0.0.0/8, "2001:db8::/32"]`,
			Doc: "The load balancers in front. Theirs are the X-Forwarded-For and X-Forwarded-Proto that the backend " +
				"sees; those of everybody else are replaced."},
			"address", kinds.Proxies, func(s *site.Site) *[]string { return &s.TrustedProxies }),
		reading.One(reading.Key{Path: "real_ip_header", Default: "X-Forwarded-For, with trusted_proxies",
			Example: "X-Real-IP",
			With:    "trusted_proxies: 10.0.0.0/8",
			Doc: "How the trusted proxies say who the client is. proxy_protocol is the PROXY line of a listen that " +
				"has proxy_protocol."},
			kinds.RealIPHeaders, func(s *site.Site) *string { return &s.RealIPHeader }),
		reading.Items(reading.Key{Path: "locations", Required: true, Doc: "The paths, and where each goes."},
			"location", locationFields(), site.Location{WebSocket: true}, completeLocation,
			func(s *site.Site) *[]site.Location { return &s.Locations }),
	}
}

// Complete gives what was not asked for its default.
func Complete(r *reading.Reader, key string, s *site.Site) {
	if !r.At.Has(key + ".listen") {
		s.StandardListen, s.Listen = true, StandardListen(*s)
	}
	if len(s.TrustedProxies) > 0 && !r.At.Has(key+".real_ip_header") {
		s.RealIPHeader = "X-Forwarded-For"
	}
}

// StandardListen is what a site listens on that does not say so. What it has of IPv6 is the host's affair.
func StandardListen(s site.Site) []site.Listen {
	if s.TLS != nil {
		return []site.Listen{{Port: 443}}
	}
	return []site.Listen{{Port: 80}}
}
