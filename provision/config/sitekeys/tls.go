package sitekeys

import (
	"time"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// tlsFields are the keys of a site's tls.
func tlsFields() []reading.Field[site.TLS] {
	return append([]reading.Field[site.TLS]{
		reading.One(reading.Key{Path: "certificate", Flag: "tls-certificate", Required: true,
			Example: "/etc/pki/tls/certs/wss.example.com.pem",
			Doc: "The PEM file of the certificate, followed by those of its chain. Where it was renewed, the next " +
				"apply has nginx read it."},
			kinds.PemFiles, func(t *site.TLS) *string { return &t.Certificate }),
		reading.One(reading.Key{Path: "key", Flag: "tls-key", Required: true,
			Example: "/etc/pki/tls/private/wss.example.com.key",
			Doc:     "The PEM file of the certificate's private key."},
			kinds.PemFiles, func(t *site.TLS) *string { return &t.Key }),
		reading.One(reading.Key{Path: "redirect", Flag: "redirect", Default: "false", Example: "true",
			Doc: "Port 80 answers with 308 and the same address with https. The site has no listen on port 80 then."},
			kinds.Truths, func(t *site.TLS) *bool { return &t.Redirect }),
	}, choicesOfTLS()...)
}

func choicesOfTLS() []reading.Field[site.TLS] {
	return []reading.Field[site.TLS]{
		reading.One(reading.Key{Path: "hsts", Default: "false", Example: "8760h",
			Doc: "Strict-Transport-Security: how long browsers are to use https alone. true is Mozilla's two years."},
			kinds.StrictTransport, func(t *site.TLS) *time.Duration { return &t.HSTS }),
		reading.One(reading.Key{Path: "profile", Default: "intermediate", Example: "modern",
			Doc: "Protocols and ciphers of Mozilla's Server Side TLS 5.7. intermediate: TLS 1.2 and 1.3. modern: 1.3 " +
				"alone. nginx takes the protocols of the socket's default server for every server on it."},
			kinds.Profiles, func(t *site.TLS) *site.Profile { return &t.Profile }),
		reading.One(reading.Key{Path: "http2", Default: "false", Example: "true",
			Doc: "HTTP/2 for what is no WebSocket: nginx has no WebSockets over HTTP/2, and browsers open these with " +
				"HTTP/1.1. It holds for all sites on a socket."},
			kinds.Truths, func(t *site.TLS) *bool { return &t.HTTP2 }),
		reading.One(reading.Key{Path: "client_ca", Example: "/etc/pki/tls/certs/clients-ca.pem",
			Doc: "The PEM file of the authorities whose certificates clients need. TLS sessions are not resumed then " +
				"(CVE-2025-23419). Where the file was changed since nginx read it, the next apply has nginx read it " +
				"again."},
			kinds.PemFiles, func(t *site.TLS) *string { return &t.ClientCA }),
	}
}
