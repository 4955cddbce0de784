package config

import (
	"fmt"
	"time"

	"wsprovision/provision/site"
)

// tlsFields are the keys of a site's tls.
func tlsFields() []field[TLS] {
	return append([]field[TLS]{
		one(Key{Path: "certificate", Flag: "tls-certificate", Required: true,
			Example: "/etc/pki/tls/certs/wss.example.com.pem",
			Doc: "The PEM file of the certificate, followed by those of its chain. Where it was renewed, the next " +
				"apply has nginx read it."},
			pemFiles, func(t *TLS) *string { return &t.Certificate }),
		one(Key{Path: "key", Flag: "tls-key", Required: true, Example: "/etc/pki/tls/private/wss.example.com.key",
			Doc: "The PEM file of the certificate's private key."},
			pemFiles, func(t *TLS) *string { return &t.Key }),
		one(Key{Path: "redirect", Flag: "redirect", Default: "false", Example: "true",
			Doc: "Port 80 answers with 308 and the same address with https. The site has no listen on port 80 then."},
			truths, func(t *TLS) *bool { return &t.Redirect }),
	}, choicesOfTLS()...)
}

func choicesOfTLS() []field[TLS] {
	return []field[TLS]{
		one(Key{Path: "hsts", Default: "false", Example: "8760h",
			Doc: "Strict-Transport-Security: how long browsers are to use https alone. true is Mozilla's two years."},
			strictTransport, func(t *TLS) *time.Duration { return &t.HSTS }),
		one(Key{Path: "profile", Default: "intermediate", Example: "modern",
			Doc: "Protocols and ciphers of Mozilla's Server Side TLS 5.7. intermediate: TLS 1.2 and 1.3. modern: 1.3 " +
				"alone. nginx takes the protocols of the socket's default server for every server on it."},
			profiles, func(t *TLS) *site.Profile { return &t.Profile }),
		one(Key{Path: "http2", Default: "false", Example: "true",
			Doc: "HTTP/2 for what is no WebSocket: nginx has no WebSockets over HTTP/2, and browsers open these with " +
				"HTTP/1.1. It holds for all sites on a socket."},
			truths, func(t *TLS) *bool { return &t.HTTP2 }),
		one(Key{Path: "client_ca", Example: "/etc/pki/tls/certs/clients-ca.pem",
			Doc: "The PEM file of the authorities whose certificates clients need. TLS sessions are not resumed then " +
				"(CVE-2025-23419). Where the file was changed since nginx read it, the next apply has nginx read it " +
				"again."},
			pemFiles, func(t *TLS) *string { return &t.ClientCA }),
	}
}

var (
	profiles = kind[site.Profile]{about{Type: "word", Wrong: "old", Bounds: "intermediate or modern.",
		Schema: schema{"enum": []string{"intermediate", "modern"}}}, func(s scalar) (site.Profile, error) {
		value, err := oneOf("intermediate", "modern")(s)
		return site.Profile(value), err
	}, nil}
	strictTransport = kind[time.Duration]{about{Type: "true, false or a duration", Wrong: "31536000",
		Bounds: "From 1s to 17520h, in whole seconds.",
		Schema: schema{"anyOf": []schema{truths.Schema, pattern(duration)}}}, maxAge, nil}
)

// maxAge is true for what Mozilla's guideline has.
func maxAge(s scalar) (time.Duration, error) {
	if on, err := truth(s); err == nil {
		if on {
			return site.MozillaHSTS, nil
		}
		return 0, nil
	}
	d, err := time.ParseDuration(s.text)
	if err != nil || d < time.Second || d > 17520*time.Hour || d%time.Second != 0 {
		return 0, fmt.Errorf("%s is neither true, false nor a duration from 1s to 17520h in whole seconds, like 8760h",
			quote(s.text))
	}
	return d, nil
}
