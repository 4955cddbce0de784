package provision

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/stepnames"
)

// withTLS is a configuration of one site with a certificate.
const withTLS = "sites: [{name: websocket, server_name: ws.example.com, listen: 443, tls: {certificate: /c.pem, " +
	"key: /k.pem}, locations: [{path: /ws/, backend: '127.0.0.1:3000'}]}]\n"

// TestCertificates: what nginx could not load ends the run with the host untouched; what clients would not take is
// said.
func TestCertificates(t *testing.T) {
	certificate, key := selfSigned(t)
	for name, tt := range map[string]struct{ certificate, key, refused, warned string }{
		"missing":     {"", key, "tls.certificate: /c.pem is not there", ""},
		"another key": {certificate, second(selfSigned(t)), "tls.key: /k.pem is not the key", ""},
		"self-signed": {certificate, key, "", "/c.pem is self-signed"},
	} {
		bubble(t, name, func(t *testing.T) {
			h := withNginx(t)
			for path, content := range map[string]string{"/c.pem": tt.certificate, "/k.pem": tt.key} {
				if content != "" {
					h.write(path, content)
				}
			}
			before := h.snapshot()
			r := h.apply(parse(t, withTLS))
			got := step(t, r, stepnames.Validate)
			if tt.refused != "" {
				if got.Status != engine.Failed || !strings.Contains(got.Error, tt.refused) {
					t.Errorf("want %q: %s", tt.refused, summarize(r))
				}
				h.untouched(before)
				return
			}
			if r.Err() != nil || !strings.Contains(strings.Join(got.Warnings, "\n"), tt.warned) {
				t.Errorf("want the warning %q: %s", tt.warned, summarize(r))
			}
		})
	}
}

func second[A, B any](_ A, b B) B { return b }

// selfSigned is a certificate of ws.example.com, and its key.
func selfSigned(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"ws.example.com"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(50, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}
