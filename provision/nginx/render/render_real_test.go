package render_test

import (
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/site"
)

// TestNginxReadsExactlyTheModel: the real nginx takes whatever is rendered, without a warning, and what it then has
// read (-T) are the directives that the model asks for, and no others, in no further file.
func TestNginxReadsExactlyTheModel(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	h := nginxtest.NewHost(t, nil)
	pair := h.Certificate()
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
		h.Write("conf.d/site.conf", nginxtest.Rendered(h.T, s))
		files, stderr, status := h.Dump()
		if status != 0 || strings.Contains(stderr, "[warn]") {
			t.Fatalf("nginx -T: %d: %s\n%s", status, stderr, nginxtest.Rendered(h.T, s))
		}
		tree, err := conf.Load("", "/site.conf",
			map[string][]byte{"/site.conf": []byte(files[h.Path("conf.d/site.conf")])})
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
func here(t *rapid.T, s site.Site, addresses []string, pair site.TLS) site.Site {
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
