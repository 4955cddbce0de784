package verify

import (
	"crypto/tls"
	"net/http"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose/cause"
)

// A location is dialled on this host, with the site's name, and with a port that is not the scheme's own.
func TestReach(t *testing.T) {
	for name, tt := range map[string]struct {
		names         []string
		tls           bool
		address       string
		port          int
		dialled, host string
	}{
		"every address":      {[]string{"a.b"}, false, "", 80, "127.0.0.1:80", "a.b"},
		"every IPv4 address": {[]string{"a.b"}, false, "0.0.0.0", 8080, "127.0.0.1:8080", "a.b:8080"},
		"every IPv6 address": {[]string{"a.b"}, false, "::", 80, "[::1]:80", "a.b"},
		"one address":        {[]string{"a.b"}, false, "192.0.2.1", 80, "192.0.2.1:80", "a.b"},
		"wss":                {[]string{"a.b"}, true, "", 443, "127.0.0.1:443", "a.b"},
		"wss on port 80":     {[]string{"a.b"}, true, "", 80, "127.0.0.1:80", "a.b:80"},
		"ws on port 443":     {[]string{"a.b"}, false, "", 443, "127.0.0.1:443", "a.b:443"},
		"a wildcard first":   {[]string{"*.b", "c.d"}, false, "", 80, "127.0.0.1:80", "c.d"},
		"a wildcard alone":   {[]string{"*.b"}, false, "", 80, "127.0.0.1:80", "wsprovision.b"},
	} {
		s := config.Site{ServerNames: tt.names}
		if tt.tls {
			s.TLS = &config.TLS{}
		}
		got := Reach(s, config.Location{Path: "/x"}, config.Listen{Address: tt.address, Port: tt.port})
		if got.Address != tt.dialled || got.Host != tt.host || got.Path != "/x" || (got.TLS != nil) != tt.tls {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// A URL belongs to the site that has its name and listens as it wants, and to the location with the longest path.
func TestAimAtURL(t *testing.T) {
	c := load(t, `sites:
- {name: plain, server_name: [a.example.com], listen: 8080, locations: [{path: /, backend: '127.0.0.1:1',
	websocket: false},
    {path: /ws/, backend: '127.0.0.1:2'}, {path: /ws/deep/, backend: '127.0.0.1:3'}]}
- {name: other, server_name: [a.example.com], listen: 8081, locations: [{path: /ws/, backend: '127.0.0.1:4'}]}
`)
	for url, want := range map[string]struct{ site, path string }{
		"ws://a.example.com:8080/ws/":         {"plain", "/ws/"},
		"ws://a.example.com:8080/ws/deep/x?y": {"plain", "/ws/deep/"},
		"ws://a.example.com:8080/x?/ws/":      {"plain", "/"},
		"ws://a.example.com:8081/ws/":         {"other", "/ws/"},
		"ws://a.example.com:8081/x":           {"other", ""},
		"ws://a.example.com:9/ws/":            {"plain", "/ws/"}, // nobody listens there: the name counts
		"wss://a.example.com:8081/ws/":        {"plain", "/ws/"},
		"ws://b.example.com:8080/ws/":         {"", ""},
	} {
		v := Verification{Config: c, URL: url, Origin: "http://o", Header: http.Header{"X": {"y"}},
			Subprotocols: []string{"p"}, TLS: &tls.Config{ServerName: "n", MinVersion: tls.VersionTLS12}}
		aims, err := v.AimAtURL()
		if err != nil || len(aims) != 1 {
			t.Fatalf("%s: %v, %v", url, aims, err)
		}
		a, site, path := aims[0], "", ""
		if a.Site != nil {
			site = a.Site.Name
		}
		if a.Location != nil {
			path = a.Location.Path
		}
		if site != want.site || path != want.path {
			t.Errorf("%s: site %q, location %q, want %v", url, site, path, want)
		}
		if a.target.Origin != "http://o" || a.target.Header.Get("X") != "y" || len(a.target.Subprotocols) != 1 ||
			a.target.TLS != nil && a.target.TLS.ServerName != "n" {
			t.Errorf("%s: %+v", url, a.target)
		}
	}
}

func TestPrivate(t *testing.T) {
	for name, tt := range map[string]struct {
		listen []config.Listen
		want   bool
	}{
		"the loopback":       {[]config.Listen{{Address: "127.0.0.1", Port: 80}}, true},
		"both loopbacks":     {[]config.Listen{{Address: "127.0.0.1", Port: 80}, {Address: "::1", Port: 80}}, true},
		"every address":      {[]config.Listen{{Port: 80}}, false},
		"one of many":        {[]config.Listen{{Address: "::1", Port: 80}, {Address: "192.0.2.1", Port: 80}}, false},
		"another port's one": {[]config.Listen{{Address: "127.0.0.1", Port: 80}, {Port: 81}}, true},
	} {
		if got := private(config.Site{Listen: tt.listen}, 80); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	for host, want := range map[string]bool{"127.0.0.1": true, "127.9.9.9": true, "::1": true, "LocalHost": true,
		"192.0.2.1": false, "localhost.example.com": false, "": false} {
		if got := loopback(host); got != want {
			t.Errorf("loopback %q: %v", host, got)
		}
	}
}

// A warning is told once, however many targets have it; a run without a target, or that was ended, has not verified.
func TestReportSettles(t *testing.T) {
	r := &Report{}
	r.warn([]cause.Diagnosis{{Code: "a"}, {Code: "a"}, {Code: "b"}})
	if r.warn([]cause.Diagnosis{{Code: "b"}}); len(r.Warnings) != 2 {
		t.Errorf("%v", r.Warnings)
	}
	ok, failed := TargetReport{Result: OK}, TargetReport{Result: Failed}
	for name, tt := range map[string]struct {
		report Report
		want   string
	}{
		"all": {Report{Targets: []TargetReport{ok, ok}}, OK}, "none": {Report{}, Failed},
		"one failed": {Report{Targets: []TargetReport{failed, ok}}, Failed},
		"ended":      {Report{Targets: []TargetReport{ok}, Interrupted: "x"}, Failed},
	} {
		if tt.report.settle(); tt.report.Result != tt.want {
			t.Errorf("%s: %s", name, tt.report.Result)
		}
	}
}
