package server

import (
	"strings"
	"testing"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/hosttest"
)

// The call that failed tells whose the weakness is: parameters of Diffie-Hellman are no certificate, and a chain is not
// the site's own.
func TestTLSFilesByTheCallThatFailed(t *testing.T) {
	for message, want := range map[string]struct {
		code      cause.Code
		mend, not string
	}{
		`SSL_CTX_set_tmp_dh("/etc/nginx/dh.pem") failed (SSL: error:0A00018A:SSL routines::dh key too small)`: {
			cause.NginxConfigInvalid, "openssl dhparam -out /etc/nginx/dh.pem 2048", "certificate"},
		`SSL_CTX_use_certificate("/c.pem") failed (SSL: error:140AB18F:SSL routines::ee key too small)`: {
			cause.CertificateUnreadable, "get a certificate", "chain"},
		`SSL_CTX_use_certificate("/c.pem") failed (SSL: error:140AB18E:SSL routines::ca md too weak)`: {
			cause.CertificateUnreadable, "get a certificate", "chain"},
		`SSL_CTX_set0_chain("/c.pem") failed (SSL: error:0A00018D:SSL routines::ca key too small)`: {
			cause.CertificateUnreadable, "get a chain", "restorecon"},
		`cannot load certificate key "/k.pem": PEM_read_bio_PrivateKey() failed (SSL: bad password read)`: {
			cause.CertificateKeyUnreadable, "openssl pkey -in /k.pem -out /k.pem.new", "restorecon"},
		`cannot load certificate key "/k.pem": PEM_read_bio_PrivateKey() failed (SSL: bad decrypt)`: {
			cause.CertificateKeyUnreadable, "ssl_password_file", "restorecon"},
		`cannot load certificate "/c.pem": PEM_read_bio_X509_AUX() failed (SSL: no start line)`: {
			cause.CertificateUnreadable, "in PEM", "restorecon"},
		`cannot load certificate key "/k.pem": BIO_new_file() failed (SSL: Permission denied)`: {
			cause.CertificateKeyUnreadable, "restorecon", "pkey"},
		`SSL_CTX_use_PrivateKey("/k.pem") failed (SSL: error:0B080074:x509::key values mismatch)`: {
			cause.CertificateKeyMismatch, "put the key", "pkey"},
	} {
		d := certificateProblem(message, "")
		if d == nil || d.Code != want.code || !strings.Contains(d.Mend.String(), want.mend) ||
			strings.Contains(d.Mend.String(), want.not) {
			t.Errorf("%s: %+v", message, d)
			continue
		}
		hosttest.Pasteable(t, message, d.Mend.String())
	}
	if d := certificateProblem(`SSL_CTX_load_verify_locations("/ca.pem") failed (SSL: error)`, ""); d != nil {
		t.Errorf("something else: %+v", d)
	}
}
