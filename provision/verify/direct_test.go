package verify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/host"
	"wsprovision/provision/websocket/handshake"
)

// signed is a certificate of a test, with its key.
type signed struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// sign makes a certificate, by itself where by is nil.
func sign(t *testing.T, common string, names []string, authority bool, by *signed) *signed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	want := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: common},
		DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: authority, BasicConstraintsValid: true}
	parent, signer := want, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, want, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &signed{cert, key}
}

// A backend's certificate is judged as nginx judges it: by the chain, by the name, and by the common name where the
// certificate has no other.
func TestJudged(t *testing.T) {
	root := sign(t, "root", nil, true, nil)
	between := sign(t, "between", nil, true, root)
	stranger := sign(t, "stranger", nil, true, nil)
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	const name = "app.example.com"
	for what, tt := range map[string]struct {
		chain []*x509.Certificate
		want  string
	}{
		"none": {nil, "has no certificate"},
		"good": {[]*x509.Certificate{sign(t, "x", []string{name}, false, root).cert}, ""},
		"another name": {[]*x509.Certificate{sign(t, name, []string{"b.c"}, false, root).cert},
			"not app.example.com"},
		"the common name": {[]*x509.Certificate{sign(t, name, nil, false, root).cert}, ""},
		"another common":  {[]*x509.Certificate{sign(t, "b.c", nil, false, root).cert}, "not app.example.com"},
		"by a stranger": {[]*x509.Certificate{sign(t, name, []string{name}, false, stranger).cert},
			"unknown authority"},
		"in between":        {[]*x509.Certificate{sign(t, name, nil, false, between).cert, between.cert}, ""},
		"without its chain": {[]*x509.Certificate{sign(t, name, nil, false, between).cert}, "unknown authority"},
	} {
		err := judged(tt.chain, roots, name)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", what, err, tt.want)
		}
	}
}

// Without nginx in between the backend is dialled, with what the site's location says of its certificate.
func TestDirect(t *testing.T) {
	root := sign(t, "root", nil, true, nil)
	h := &host.Host{Root: t.TempDir()}
	for name, content := range map[string]string{"/none.pem": "no certificate\n",
		"/ca.pem": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.cert.Raw}))} {
		if err := os.WriteFile(h.Root+name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	through := handshake.Target{Address: "127.0.0.1:443", Host: "chat.example.com", Path: "/ws/", TLS: &tls.Config{}}
	for name, tt := range map[string]struct {
		backend, tls string
		secure       bool
		want         string
	}{
		"plain":        {"127.0.0.1:3000", "", false, ""},
		"verified":     {"https://app.example.com:3000", ", backend_tls: {ca: /ca.pem}", true, ""},
		"not verified": {"https://app.example.com:3000", ", backend_tls: {verify: false}", true, ""},
		"no such file": {"https://app.example.com:3000", ", backend_tls: {ca: /x.pem}", true, "/x.pem"},
		"not one of those": {"https://app.example.com:3000", ", backend_tls: {ca: /none.pem}", true,
			"holds no certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t,
				"sites: [{name: a, server_name: chat.example.com, listen: 80, locations: [{path: /, backend: '"+
					tt.backend+"'"+tt.tls+"}]}]\n")
			l := c.Sites[0].Locations[0]
			got, err := Direct(t.Context(), h, l, l.Backends[0], through)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%v, want %q", err, tt.want)
			}
			if got.Address != l.Backends[0].Address() || got.Host != through.Host || got.Path != through.Path ||
				(got.TLS != nil) != tt.secure {
				t.Errorf("%+v", got)
			}
			if err == nil && tt.secure && (got.TLS.VerifyConnection == nil) != (name == "not verified") {
				t.Errorf("it is judged: %v", got.TLS.VerifyConnection != nil)
			}
			if name == "verified" {
				good := sign(t, "app.example.com", nil, false, root)
				state := tls.ConnectionState{PeerCertificates: []*x509.Certificate{good.cert}}
				if err := got.TLS.VerifyConnection(state); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
