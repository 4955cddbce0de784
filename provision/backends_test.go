package provision

import (
	"os"
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/stepnames"
)

// A backend's name is looked up before EPEL, packages and policy are changed, and an address is refused whose family
// the host does not have; all of that at once.
func TestBackendNames(t *testing.T) {
	const none, off = "has no address on this host", "this host has no IPv6"
	for _, tt := range []struct {
		name, backend, getent, inet6 string
		want                         []string // in the error; none is no error
	}{
		{"two addresses", "localhost:3000", "::1 STREAM localhost\n::1 DGRAM\n127.0.0.1 STREAM\n", "::1 lo", nil},
		{"no address", "app.example.com:3000", "", "::1 lo", []string{none, "getent ahosts app.example.com"}},
		{"no IPv6, and a name with both", "localhost:3000", "::1 STREAM localhost\n127.0.0.1 STREAM\n", "",
			[]string{"[::1]:3000", off, "write 127.0.0.1:3000"}},
		{"no IPv6, and a name with IPv4", "localhost:3000", "127.0.0.1 STREAM localhost\n", "", nil},
		{"no IPv6, and an address of it", "'[::1]:3000'", "", "", []string{off, "write 127.0.0.1:3000"}},
		{"no IPv6, and an address elsewhere", "'[2001:db8::1]:3000'", "", "", []string{off, "IPv4 address"}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := newFakeHost(t) // a bare one: nginx is still to be installed
			h.names = map[string]string{"localhost": tt.getent, "app.example.com": tt.getent}
			h.write("/proc/net/if_inet6", tt.inet6)
			c := parse(t, strings.Replace(oneSite, "127.0.0.1:3000", tt.backend, 1))
			if tt.want == nil {
				if s := step(t, h.plan(c), stepnames.Validate); s.Status == engine.Failed {
					t.Errorf("refused: %s", s.Error)
				}
				return
			}
			before := h.snapshot()
			r := h.apply(c)
			h.untouched(before)
			for _, want := range tt.want {
				if s := step(t, r, stepnames.Validate); s.Status != engine.Failed || !strings.Contains(s.Error, want) {
					t.Errorf("%s, %q, want %q", s.Status, s.Error, want)
				}
			}
		})
	}
}

// What EPEL's nginx.conf would not start with is known before EPEL comes.
func TestStockListenerOfAFamilyThatIsOff(t *testing.T) {
	h := newFakeHost(t)
	h.must(os.Remove(h.path("/proc/net/if_inet6")))
	before := h.snapshot()
	s := step(t, h.apply(basic(t)), stepnames.Validate)
	h.untouched(before)
	if s.Status != engine.Failed || !strings.Contains(s.Error, "listen [::]:80") {
		t.Errorf("%s, %q", s.Status, s.Error)
	}
}

// A certificate that SELinux keeps from nginx is named before the reload, which alone would fail of it: nginx -t is run
// by root's shell, whose domain reads everything.
func TestCertificateThatSELinuxHides(t *testing.T) {
	for typ, hidden := range map[string]bool{"cert_t": false, "admin_home_t": true} {
		t.Run(typ, func(t *testing.T) {
			h := newFakeHost(t)
			for _, name := range []string{"/etc/pki/tls/c.pem", "/etc/pki/tls/k.pem"} {
				h.write(name, "")
				if err := h.host(Listener{}).SELinux.Contexts().SetFileLabel(name, "system_u:object_r:"+typ+
					":s0"); err != nil {
					hosttest.Unable(t, "labels: %v", err)
				}
			}
			c := parse(t, strings.Replace(oneSite, "listen: 80",
				"listen: 443\n    tls: {certificate: /etc/pki/tls/c.pem, key: /etc/pki/tls/k.pem}", 1))
			before := h.snapshot()
			s := step(t, h.plan(c), stepnames.Validate)
			h.untouched(before)
			named := strings.Contains(s.Error, "keeps nginx from reading /etc/pki/tls/c.pem") &&
				strings.Contains(s.Error, "keeps nginx from reading /etc/pki/tls/k.pem")
			if named != hidden {
				t.Errorf("%s: %q", s.Status, s.Error)
			}
		})
	}
}
