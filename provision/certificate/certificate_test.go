package certificate

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/site"
)

// now is when the certificates of the tests are judged.
var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  crypto.Signer
}

func sign(t *testing.T, name string, by *authority, change func(*x509.Certificate)) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.Add(90 * 24 * time.Hour), BasicConstraintsValid: true,
		IsCA: !strings.Contains(name, ".")}
	if !template.IsCA {
		template.DNSNames = []string{name}
	}
	if change != nil {
		change(template)
	}
	self := &authority{t: t, key: key}
	if by == nil {
		by = &authority{cert: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, key.Public(), by.key)
	if err != nil {
		t.Fatal(err)
	}
	if self.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return self
}

func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

func (a *authority) secret() string {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestCheck(t *testing.T) {
	root := sign(t, "root", nil, nil)
	middle := sign(t, "middle", root, nil)
	good := sign(t, "ws.example.com", middle, nil)
	alone := sign(t, "ws.example.com", nil, nil)
	at := func(from, to time.Duration) *authority {
		return sign(t, "ws.example.com", middle, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = now.Add(from), now.Add(to)
		})
	}
	wild := sign(t, "ws.example.com", middle, func(c *x509.Certificate) { c.DNSNames = []string{"*.example.com"} })
	expired, soon, later := at(-48*time.Hour, -24*time.Hour), at(-time.Hour, 24*time.Hour),
		at(time.Hour, 9000*time.Hour)
	encrypted := "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
	old := "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n" +
		"-----END RSA PRIVATE KEY-----\n"
	for _, test := range []struct {
		name, certificate, key, ca string
		names                      string
		want                       []string // "! " before what nginx does not load
	}{
		{"good", good.pem() + middle.pem(), good.secret(), "", "ws.example.com", nil},
		{"with its root", good.pem() + middle.pem() + root.pem(), good.secret(), "", "ws.example.com", nil},
		{"a wildcard", wild.pem() + middle.pem(), wild.secret(), "", "*.example.com a.example.com", nil},
		{"EC parameters before", good.pem() + middle.pem(), "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n" +
			"-----END EC PARAMETERS-----\n" + good.secret(), "", "ws.example.com", nil},
		{"no file", "", good.secret(), "", "ws.example.com", []string{"! tls.certificate: /c.pem is not there"}},
		{"no key", good.pem() + middle.pem(), "", "", "ws.example.com", []string{"! tls.key: /k.pem is not there"}},
		{"another key", good.pem() + middle.pem(), alone.secret(), "", "ws.example.com", []string{"! tls.key: " +
			"/k.pem is not the key"}},
		{"no PEM", "hello", "hello", "", "ws.example.com",
			[]string{"! tls.certificate: /c.pem has no certificate", "! tls.key: /k.pem has no private key"}},
		{"a key in its place", good.secret(), good.secret(), "", "ws.example.com", []string{"! tls.certificate: " +
			"/c.pem has no certif"}},
		{"damaged", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", good.secret(), "",
			"ws.example.com",
			[]string{"! tls.certificate: /c.pem: its certificate 1 is none"}},
		{"encrypted", good.pem() + middle.pem(), encrypted, "", "ws.example.com", []string{"! tls.key: /k.pem is " +
			"encrypted"}},
		{"encrypted of old", good.pem() + middle.pem(), old, "", "ws.example.com", []string{"! tls.key: /k.pem is " +
			"encrypted"}},
		{"expired", expired.pem() + middle.pem(), expired.secret(), "", "ws.example.com", []string{"has expired on " +
			"2026-11-29"}},
		{"soon", soon.pem() + middle.pem(), soon.secret(), "", "ws.example.com", []string{"expires on 2026-12-01"}},
		{"not yet", later.pem() + middle.pem(), later.secret(), "", "ws.example.com", []string{"is valid from " +
			"2026-11-30 on"}},
		{"other names", good.pem() + middle.pem(), good.secret(), "", "ws.example.com b.example.com *.example.com",
			[]string{"is for ws.example.com, and not for b.example.com, *.example.com"}},
		{"wider than the wildcard", wild.pem() + middle.pem(), wild.secret(), "", "a.b.example.com",
			[]string{"and not for a.b"}},
		{"self-signed", alone.pem(), alone.secret(), "", "ws.example.com", []string{"is self-signed"}},
		{"incomplete", good.pem(), good.secret(), "", "ws.example.com", []string{"the chain is incomplete"}},
		{"out of order", good.pem() + root.pem() + middle.pem(), good.secret(), "", "ws.example.com",
			[]string{"certificate 2 is not the issuer"}},
		{"clients' authority", good.pem() + middle.pem(), good.secret(), root.pem(), "ws.example.com", nil},
		{"no authority", good.pem() + middle.pem(), good.secret(), "hello", "ws.example.com",
			[]string{"! tls.client_ca: /ca.pem has no certificate"}},
	} {
		h := host(t, root, map[string]string{"c.pem": test.certificate, "k.pem": test.key, "ca.pem": test.ca})
		tls := site.TLS{Certificate: "/c.pem", Key: "/k.pem"}
		if test.ca != "" {
			tls.ClientCA = "/ca.pem"
		}
		found := h.Check(t.Context(), tls, strings.Fields(test.names))
		same := len(found) == len(test.want)
		for i := range min(len(found), len(test.want)) {
			want, fatal := strings.CutPrefix(test.want[i], "! ")
			same = same && found[i].Fatal == fatal && strings.Contains(found[i].String(), want)
		}
		if !same {
			t.Errorf("%s: %q\nwant %q", test.name, found, test.want)
		}
	}
}

// host has the files that are not empty, the key for root alone.
func host(t *testing.T, root *authority, files map[string]string) Host {
	t.Helper()
	h := Host{Root: t.TempDir(), Now: now, Roots: x509.NewCertPool()}
	h.Roots.AddCert(root.cert)
	for name, content := range files {
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(h.Root, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return h
}

func TestHostileFiles(t *testing.T) {
	root := sign(t, "root", nil, nil)
	good := sign(t, "ws.example.com", root, nil)
	h := host(t, root, map[string]string{"c.pem": good.pem(), "k.pem": good.secret()})
	tls := site.TLS{Certificate: "/link.pem", Key: "/k.pem"}
	if err := os.Symlink("c.pem", h.Root+"/link.pem"); err != nil {
		t.Fatal(err)
	}
	if found := h.Check(t.Context(), tls, []string{"ws.example.com"}); len(found) != 0 {
		t.Errorf("behind a link, as certbot has it: %q", found)
	}
	if err := os.Chmod(h.Root+"/k.pem", 0o644); err != nil {
		t.Fatal(err)
	}
	found := h.Check(t.Context(), tls, []string{"ws.example.com"})
	if len(found) != 1 || found[0].Fatal || !strings.Contains(found[0].Message, "chmod 600 /k.pem") {
		t.Errorf("a key that everybody reads: %q", found)
	}
	if err := os.Remove(h.Root + "/c.pem"); err != nil {
		t.Fatal(err)
	}
	if found := h.Check(t.Context(), tls, nil); len(found) == 0 || !found[0].Fatal {
		t.Errorf("a link to nothing: %q", found)
	}
	for _, path := range []string{"/", "/dir"} {
		_ = os.Mkdir(h.Root+"/dir", 0o700)
		if found := h.Check(t.Context(), site.TLS{Certificate: path, Key: path}, nil); len(found) != 2 ||
			!found[0].Fatal {
			t.Errorf("a directory: %q", found)
		}
	}
	if err := os.WriteFile(h.Root+"/large", make([]byte, most+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := h.Check(t.Context(), site.TLS{Certificate: "/large", Key: "/k.pem"}, nil); !found[0].Fatal {
		t.Errorf("a large file: %q", found)
	}
}

func TestKeyForms(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ec, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	sec1, _ := x509.MarshalECPrivateKey(ec)
	for name, der := range map[string][]byte{"PKCS 1": x509.MarshalPKCS1PrivateKey(key), "SEC 1": sec1} {
		if signer, err := parseKey(der); err != nil || signer == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parseKey([]byte("x")); err == nil {
		t.Error("no key is one")
	}
}
