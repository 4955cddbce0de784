package config

// tlsFields are the keys of a site's tls.
func tlsFields() []field[TLS] {
	return []field[TLS]{
		one(Key{Path: "certificate", Required: true, Example: "/etc/pki/tls/certs/wss.example.com.pem",
			Doc: "The PEM file of the certificate, followed by those of its chain."},
			pemFiles, func(t *TLS) *string { return &t.Certificate }),
		one(Key{Path: "key", Required: true, Example: "/etc/pki/tls/private/wss.example.com.key",
			Doc: "The PEM file of the certificate's private key."},
			pemFiles, func(t *TLS) *string { return &t.Key }),
	}
}
