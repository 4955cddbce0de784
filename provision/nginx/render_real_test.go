package nginx

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"wsprovision/provision/site"
)

// TestNginxReadsExactlyTheModel: the real nginx takes whatever is rendered, without a warning, and what it then has
// read (-T) are the directives that the model asks for, and no others, in no further file.
func TestNginxReadsExactlyTheModel(t *testing.T) {
	needNginx(t, false)
	h := newHost(t, nil)
	pair := h.certificate()
	addresses := []string{"", "127.0.0.1", "127.0.0.2"}
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		addresses = append(addresses, "::", "::1")
		_ = l.Close()
	}
	tls := 0
	rapid.Check(t, func(t *rapid.T) {
		s := here(t, sites.Draw(t, "site"), addresses, pair)
		if s.TLS != nil {
			tls++
		}
		h.write("conf.d/site.conf", rendered(h.t, s))
		files, stderr, status := h.dump()
		if status != 0 || strings.Contains(stderr, "[warn]") {
			t.Fatalf("nginx -T: %d: %s\n%s", status, stderr, rendered(h.t, s))
		}
		tree, err := Load("", "/site.conf", map[string][]byte{"/site.conf": []byte(files[h.path("conf.d/site.conf")])})
		if err != nil || len(files) != 2 {
			t.Fatalf("%d files, want nginx.conf and ours: %v", len(files), err)
		}
		if diff := cmp.Diff(wanted(s), blocks(tree.Directives())); diff != "" {
			t.Fatalf("%+v: want -, got +:\n%s", s, diff)
		}
	})
	if tls == 0 {
		t.Error("no model with TLS")
	}
}

// here is the site with addresses that this machine can bind, names that it can resolve, and files that it has.
func here(t *rapid.T, s Site, addresses []string, pair TLS) Site {
	shift := rapid.IntRange(0, len(addresses)-1).Draw(t, "addresses") // none of them twice: ports may be the same
	for i := range s.Listen {
		s.Listen[i].Address = addresses[(i+shift)%len(addresses)]
		s.Listen[i].Port = rapid.IntRange(1024, 65535).Draw(t, "port")
	}
	for i := range s.Locations {
		for j, b := range s.Locations[i].Backends {
			if b.Socket == "" && (b.Host == "192.0.2.7" || b.Host == "backend.internal") {
				s.Locations[i].Backends[j].Host = "localhost"
			}
		}
		if tls := s.Locations[i].BackendTLS; tls != nil && !tls.Unverified {
			s.Locations[i].BackendTLS = &site.BackendTLS{Name: tls.Name, CA: pair.Certificate}
		}
	}
	if s.TLS != nil {
		s.TLS.Certificate, s.TLS.Key = pair.Certificate, pair.Key
		if s.TLS.ClientCA != "" {
			s.TLS.ClientCA = pair.Certificate
		}
	}
	return s
}

var dumped = regexp.MustCompile(`(?m)^# configuration file (/.*):\n`)

// dump is what nginx -T says that it read, by file.
func (h host) dump() (files map[string]string, stderr string, status int) {
	h.t.Helper()
	stdout, stderr, status, err := execRun(h.t.Context(), "", program, "-T", "-c", h.conf())
	h.must(err)
	files = map[string]string{}
	heads := dumped.FindAllStringSubmatchIndex(stdout, -1)
	for i, head := range heads {
		end := len(stdout)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		files[stdout[head[2]:head[3]]] = stdout[head[1]:end]
	}
	return files, stderr, status
}

// certificate is a self-signed pair in the host's directory.
func (h host) certificate() TLS {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	h.must(err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"ws.example.com"},
		NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	h.must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	h.must(err)
	h.must(os.WriteFile(h.path("cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		0o600))
	h.must(os.WriteFile(h.path("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return TLS{Certificate: h.path("cert.pem"), Key: h.path("key.pem")}
}
