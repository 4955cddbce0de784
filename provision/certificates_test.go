package provision

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/stepnames"
	"wsprovision/provision/websocket/handshake"
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

// TestRenewed: a certificate that was renewed on the disk is served after the next apply, which has nothing else to do;
// the one after it does nothing. One that nginx could not load is refused before.
func TestRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := withNginx(t)
		put := func(certificate, key string) { h.write("/c.pem", certificate); h.write("/k.pem", key) }
		put(selfSigned(t))
		h.apply(parse(t, withTLS))
		if r := h.apply(parse(t, withTLS)); r.Result != engine.Unchanged || h.reloads != 0 {
			t.Errorf("as before: %d reloads: %s", h.reloads, summarize(r))
		}
		put(selfSigned(t))
		if r := h.plan(parse(t, withTLS)); r.Result != engine.Planned ||
			!strings.Contains(summarize(r), "other certificates than those in /c.pem") {
			t.Errorf("plan: %s", summarize(r))
		}
		if r := h.apply(parse(t, withTLS)); r.Result != engine.Changed || h.reloads != 1 || h.starts != 0 {
			t.Errorf("renewed: %d reloads: %s", h.reloads, summarize(r))
		}
		if r := h.apply(parse(t, withTLS)); r.Result != engine.Unchanged || h.reloads != 0 {
			t.Errorf("again: %d reloads: %s", h.reloads, summarize(r))
		}
		h.write("/c.pem", first(selfSigned(t)))
		r := h.apply(parse(t, withTLS))
		if got := step(t, r, stepnames.Validate); got.Status != engine.Failed || h.reloads != 0 {
			t.Errorf("without its key: %d reloads: %s", h.reloads, summarize(r))
		}
	})
}

// TestRenewedElsewhere: a file that somebody has edited may name another certificate, and is left as it is.
func TestRenewedElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := withNginx(t)
		certificate, key := selfSigned(t)
		h.write("/c.pem", certificate)
		h.write("/k.pem", key)
		keeps := parse(t, withTLS+"on_drift: keep\n")
		h.apply(keeps)
		h.write(site, strings.Replace(h.content(site), "ssl_certificate /c.pem", "ssl_certificate /other.pem", 1))
		h.write("/c.pem", first(selfSigned(t)))
		if r := h.plan(keeps); strings.Contains(summarize(r), "other certificates") {
			t.Errorf("%s", summarize(r))
		}
	})
}

func first[A, B any](a A, _ B) A { return a }

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

// TestOutdatedAuthorities: a file that nginx read before it was changed, and that nothing served shows, is read again
// by the next apply, which says by what that is told; the one after it does nothing, and neither does one with a time
// that is still to come.
func TestOutdatedAuthorities(t *testing.T) {
	certificate, key := selfSigned(t)
	for name, site := range map[string]string{
		"of clients": strings.Replace(withTLS, "key: /k.pem", "key: /k.pem, client_ca: /c.pem", 1),
		"of a backend": strings.Replace(withTLS, "'127.0.0.1:3000'",
			"'https://127.0.0.1:3000', backend_tls: {ca: /c.pem, name: app}", 1),
		"the host's own": strings.Replace(withTLS, "'127.0.0.1:3000'",
			"'https://127.0.0.1:3000', backend_tls: {name: app}", 1),
	} {
		bubble(t, name, func(t *testing.T) {
			path := "/c.pem"
			if name == "the host's own" {
				path = "/etc/pki/tls/certs/ca-bundle.crt"
			}
			h := withNginx(t)
			// over TLS to the backend
			h.web.answer = func(context.Context, handshake.Target) (handshake.Result, error) {
				return handshake.Result{}, nil
			}
			h.write("/k.pem", key)
			h.write("/c.pem", certificate)
			h.write(path, certificate)
			h.apply(parse(t, site))
			if r := h.apply(parse(t, site)); r.Result != engine.Unchanged || h.reloads != 0 {
				t.Errorf("as before: %d reloads: %s", h.reloads, summarize(r))
			}
			h.changed[path] = h.booted.Add(time.Duration(1000+h.web.lastPID)*10*time.Millisecond + 5*time.Millisecond)
			if r := h.plan(parse(t, site)); r.Result != engine.Planned ||
				!strings.Contains(summarize(r), path+" as it was before ") {
				t.Errorf("plan: %s", summarize(r))
			}
			if r := h.apply(parse(t, site)); r.Result != engine.Changed || h.reloads != 1 || h.starts != 0 {
				t.Errorf("changed: %d reloads: %s", h.reloads, summarize(r))
			}
			if r := h.apply(parse(t, site)); r.Result != engine.Unchanged || h.reloads != 0 {
				t.Errorf("again: %d reloads: %s", h.reloads, summarize(r))
			}
			h.changed[path] = time.Now().Add(time.Minute)
			if r := h.plan(parse(t, site)); r.Result != engine.Unchanged {
				t.Errorf("of a time to come: %s", summarize(r))
			}
		})
	}
}
