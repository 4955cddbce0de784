package host

import (
	"context"
	"crypto/x509"

	"wsprovision/provision/hostfile"
)

// longestBundle bounds a file of authorities; RHEL 7's ca-bundle.crt has 0.2 MB.
const longestBundle = 8 << 20

// Authorities are those of a bundle, and none where there is none: nil would be Go's own choice, which reads
// directories and goes by SSL_CERT_FILE and SSL_CERT_DIR.
func Authorities(ctx context.Context, bundle string) *x509.CertPool {
	pool, _, err := ReadAuthorities(ctx, bundle)
	if err != nil {
		return x509.NewCertPool()
	}
	return pool
}

// ReadAuthorities are those of a file, and whether it holds any.
func ReadAuthorities(ctx context.Context, file string) (pool *x509.CertPool, found bool, err error) {
	text, err := hostfile.ReadLinked(ctx, file, longestBundle)
	if err != nil {
		return nil, false, err
	}
	pool = x509.NewCertPool()
	found = pool.AppendCertsFromPEM(text)
	return pool, found, nil
}
