package verify_test

import (
	"testing"

	"wsprovision/provision/host"
	"wsprovision/provision/site"
	"wsprovision/provision/verify"
)

// TestDirectAsksForTheBackendsPath: nginx takes the prefix away, and so does the handshake without nginx; what is
// nginx's, the PROXY line, the backend does not get.
func TestDirectAsksForTheBackendsPath(t *testing.T) {
	backend := site.Backend{Host: "127.0.0.1", Port: 1}
	for _, tt := range []struct {
		match site.Match
		path  string
		strip bool
		probe string
		want  string
	}{
		{"", "/app/", true, "", "/"},
		{"", "/app/", true, "/app/ws/?a=/app/", "/ws/?a=/app/"},
		{site.MatchExact, "/app", true, "/app?a=1", "/?a=1"},
		{"", "/app/", false, "/app/ws/", "/app/ws/"},
	} {
		l := site.Location{Match: tt.match, Path: tt.path, StripPrefix: tt.strip, Backends: []site.Backend{backend},
			Probe: &site.Probe{Path: tt.probe}}
		s := site.Site{ServerNames: []string{"a.b"}, Locations: []site.Location{l}}
		through := verify.Reach(s, l, site.Listen{Port: 80, ProxyProtocol: true})
		got, err := verify.Direct(t.Context(), &host.Host{}, l, backend, through)
		if err != nil || got.Path != tt.want || got.Proxied || !through.Proxied {
			t.Errorf("%s: %q, %t, %v, want %q", tt.path, got.Path, got.Proxied, err, tt.want)
		}
	}
}
