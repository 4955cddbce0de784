package verify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/websocket/handshake"
)

// Direct is the handshake with one backend of the location, without nginx in between. TLS is judged as nginx judges it.
func Direct(ctx context.Context, h *host.Host, l config.Location, b config.Backend,
	through handshake.Target) (handshake.Target, error) {
	t := through
	t.Address, t.TLS, t.Proxied, t.Path = b.Address(), nil, false, stripped(l, through.Path)
	t.Pace = nil // which is nginx's
	if !b.HTTPS {
		return t, nil
	}
	trust := l.Trust()
	t.TLS = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: trust.Name, InsecureSkipVerify: true}
	if trust.Unverified {
		return t, nil
	}
	roots, found, err := host.ReadAuthorities(ctx, h.Root+trust.CA)
	if err != nil {
		return t, fmt.Errorf("the authorities of the backend %s: %w", b, err)
	}
	if !found {
		return t, fmt.Errorf("the authorities of the backend %s: %s holds no certificate", b, trust.CA)
	}
	t.TLS.VerifyConnection = func(s tls.ConnectionState) error { return judged(s.PeerCertificates, roots, trust.Name) }
	return t, nil
}

// judged is nginx's judgement: the chain, and the name, for which OpenSSL takes the common name where the certificate
// has no other (X509_check_host(3)).
func judged(chain []*x509.Certificate, roots *x509.CertPool, name string) error {
	if len(chain) == 0 {
		return errors.New("the backend has no certificate")
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	leaf := chain[0]
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between}); err != nil {
		return err
	}
	if len(leaf.DNSNames) == 0 && len(leaf.IPAddresses) == 0 {
		leaf = &x509.Certificate{DNSNames: []string{leaf.Subject.CommonName}, Raw: leaf.Raw}
	}
	return leaf.VerifyHostname(name)
}
