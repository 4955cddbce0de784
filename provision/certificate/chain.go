package certificate

import (
	"context"
	"crypto/x509"
	"slices"

	"wsprovision/provision/site"
)

// Chain are the certificates that nginx sends of a site's tls, nil where it would not load the file.
func (h Host) Chain(ctx context.Context, t site.TLS) []*x509.Certificate {
	return (&check{Host: h}).certificates(ctx, "tls.certificate", t.Certificate)
}

// Same reports whether what a server sends is what the file holds. To a file of one certificate OpenSSL adds what it
// knows of the chain by itself (SSL_CTX_add_extra_chain_cert(3)), so that there the first counts.
func Same(file, sent []*x509.Certificate) bool {
	if len(file) == 1 {
		sent = sent[:min(1, len(sent))]
	}
	return slices.EqualFunc(file, sent, (*x509.Certificate).Equal)
}
