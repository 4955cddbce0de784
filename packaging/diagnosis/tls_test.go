//go:build diagnosis

package diagnosis

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"time"
)

const (
	certFile  = "/etc/pki/tls/certs/ws.pem"
	keyFile   = "/etc/pki/tls/private/ws.key"
	bundle    = "/etc/pki/tls/certs/ca-bundle.crt"
	secureURL = "--url wss://ws.example.com/ws/ --timeout 3s"
)

var farOff = time.Now().Add(60 * 24 * time.Hour)

// authority signs certificates; the root signs itself.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func (a *authority) sign(name string, ca bool, until time.Time) authority {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<60))
	t := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, IsCA: ca,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-400 * 24 * time.Hour), NotAfter: until}
	if !ca {
		t.DNSNames = []string{name}
	}
	parent, signer := t, key
	if a != nil {
		parent, signer = a.cert, a.key
	}
	der, _ := x509.CreateCertificate(rand.Reader, t, parent, key.Public(), signer)
	cert, _ := x509.ParseCertificate(der)
	return authority{cert, key, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
}

func (a authority) keyPEM() string {
	der, _ := x509.MarshalPKCS8PrivateKey(a.key)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func secure(site string) string {
	return strings.Replace(site, "listen 80;", "listen 443 ssl;\n    ssl_certificate "+certFile+
		";\n    ssl_certificate_key "+keyFile+";", 1)
}

// withTLS is the site with a certificate of an authority that the host trusts.
func withTLS(site string) map[string]string {
	root := (*authority)(nil).sign("root", true, time.Now().Add(90*24*time.Hour))
	leaf := root.sign("ws.example.com", false, time.Now().Add(60*24*time.Hour))
	return map[string]string{siteFile: secure(site), certFile: leaf.pem, keyFile: leaf.keyPEM(), bundle: root.pem}
}

func tlsRows() []row {
	later := time.Now().Add(60 * 24 * time.Hour)
	root := (*authority)(nil).sign("root", true, later)
	mid := root.sign("intermediate", true, later)
	leaf := mid.sign("ws.example.com", false, later)
	own := (*authority)(nil).sign("ws.example.com", false, later)
	with := func(chain, key string) map[string]string {
		return map[string]string{siteFile: secure(serves(passes(headers))), certFile: chain, keyFile: key,
			bundle:           root.pem,
			"/srv/whole.pem": leaf.pem + mid.pem, "/srv/whole.key": leaf.keyPEM()}
	}
	whole := "cp /srv/whole.pem " + certFile
	past := mid.sign("ws.example.com", false, time.Now().Add(-time.Hour))
	brief := mid.sign("ws.example.com", false, time.Now().Add(21*24*time.Hour))
	other := mid.sign("example.org", false, later)
	rows := []row{
		{situation: "a whole chain", files: with(leaf.pem+mid.pem, leaf.keyPEM())},
		{situation: "the intermediate certificate is missing", files: with(leaf.pem, leaf.keyPEM()),
			want: "certificate-untrusted", cause: "intermediate", says: "chain", edit: whole},
		{situation: "the intermediate one is missing from what nginx shows and lies in /etc/pki/tls/certs",
			files: merge(with(leaf.pem, leaf.keyPEM()), "/etc/pki/tls/certs/mid.pem", mid.pem),
			want:  "certificate-untrusted", edit: whole},
		{situation: "a certificate that has signed itself, in /etc/pki/tls/certs", files: with(own.pem, own.keyPEM()),
			want: "certificate-untrusted", says: "--ca", cause: "signed itself", noMend: true},
		{situation: "the certificate is out of date", files: with(past.pem+mid.pem, past.keyPEM()),
			want: "certificate-expired", says: certFile, edit: whole + "; cp /srv/whole.key " + keyFile},
		{situation: "the certificate is another name's", files: with(other.pem+mid.pem, other.keyPEM()),
			want: "certificate-wrong-name", cause: "ws.example.com", proof: "example.org", noMend: true},
		{situation: "the chain is the wrong way round", files: with(mid.pem+leaf.pem, leaf.keyPEM()),
			want: "certificate-key-mismatch", says: "first in its file", edit: whole},
		{situation: "the chain's order is wrong behind the leaf", files: with(leaf.pem+root.pem+mid.pem, leaf.keyPEM()),
			warning: "certificate-chain-order"},
		{situation: "the certificate ends in three weeks", files: with(brief.pem+mid.pem, brief.keyPEM()),
			warning: "certificate-expires-soon"},
		{situation: "the key is another certificate's", files: with(leaf.pem+mid.pem, own.keyPEM()),
			want: "certificate-key-mismatch", noMend: true},
		{situation: "the certificate is not there", files: with("", leaf.keyPEM()), want: "certificate-unreadable",
			cause: "no such file", edit: whole},
		{situation: "the listener has no ssl", files: merge(with(leaf.pem+mid.pem, leaf.keyPEM()), siteFile,
			strings.Replace(secure(serves(passes(headers))), " ssl;", ";", 1)), want: "tls-not-spoken", says: "ssl",
			edit: sed("s/listen 443/listen 443 ssl/")},
		{situation: "TLS 1.0 only", files: merge(with(leaf.pem+mid.pem, leaf.keyPEM()), siteFile,
			strings.Replace(secure(serves(passes(headers))), "listen", "ssl_protocols TLSv1;\n    listen", 1)),
			want: "tls-refused", noMend: true},
		{situation: "a client's certificate is wanted", files: merge(with(leaf.pem+mid.pem, leaf.keyPEM()), siteFile,
			strings.Replace(secure(serves(passes(headers))), "listen",
				"ssl_verify_client on;\n    ssl_client_certificate "+
					bundle+";\n    listen", 1)), want: "client-certificate-wanted", cause: "ssl_verify_client",
			says: "ssl_verify_client", edit: sed("s/ssl_verify_client on/ssl_verify_client off/")},
		{situation: "renewed and not reloaded", files: with(past.pem+mid.pem, past.keyPEM()),
			after: whole + "; cp /srv/whole.key " + keyFile, want: "nginx-older-configuration", cause: "renewed",
			says: "systemctl reload nginx"},
	}
	for i := range rows {
		if rows[i].verify == "" {
			rows[i].verify = secureURL
		}
	}
	return of("TLS", rows)
}

func merge(files map[string]string, name, content string) map[string]string {
	files[name] = content
	return files
}

// ownTLS has a certificate that has signed itself, for the backend's address.
func ownTLS() *tls.Config {
	own := (*authority)(nil).sign("localhost", false, time.Now().Add(60*24*time.Hour))
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{own.cert.Raw}, PrivateKey: own.key}}}
}

// bundled is an authority that signed nothing here.
func bundled() string {
	return (*authority)(nil).sign("root", true, time.Now().Add(60*24*time.Hour)).pem
}
