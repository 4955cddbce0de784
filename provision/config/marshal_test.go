package config

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"wsprovision/provision/site"
)

// anyConfig draws what Load could have returned.
func anyConfig(t *rapid.T) Config {
	c := defaults()
	duration := rapid.Map(rapid.Int64Range(1, int64(365*24*time.Hour/time.Millisecond)), func(n int64) time.Duration {
		return time.Duration(n) * time.Millisecond
	})
	c.ReportURL = rapid.SampledFrom([]string{"", "https://u:p@a.example.com/x?y=z", "http://[::1]:9/"}).Draw(t, "url")
	c.MetricsFile = rapid.SampledFrom([]string{"", "/var/lib/a,b=c.prom"}).Draw(t, "metrics")
	if rapid.Bool().Draw(t, "recorded") {
		c.Record = &Record{Site: "a", Path: "/etc/wsprovision/sites.d/a.yaml", Deferred: true,
			Content: []byte(rapid.SampledFrom([]string{"", "# a\n\nsites: []\n", "\ta: 'b' \n", "{a: \"é\"}"}).Draw(t,
				"content"))}
	}
	c.Splay = time.Duration(rapid.IntRange(0, 86_400_000).Draw(t, "splay")) * time.Millisecond
	host := rapid.SampledFrom([]string{"127.0.0.1", "::1", "fe80::1", "localhost", "a.example.com", "10.1.2.3", "on",
		"null"})
	address := rapid.SampledFrom([]string{"", "127.0.0.1", "::", "::1", "192.0.2.1"})
	for i := range rapid.IntRange(0, 4).Draw(t, "sites") {
		name := rapid.StringMatching("[a-z0-9][a-z0-9_-]{0,20}").Draw(t, "name")
		s := Site{Name: fmt.Sprintf("%s%d", name, i),
			ServerNames: rapid.SliceOfNDistinct(rapid.StringMatching(`([*]\.)?[a-zA-Z0-9]{1,9}\.[a-z]{2,5}`), 1, 3,
				strings.ToLower).Draw(t, "names"),
			Listen: []Listen{{Address: address.Draw(t, "address"),
				Port: 1000*(i+1) + rapid.IntRange(0, 999).Draw(t, "port")}},
		}
		for j := range rapid.IntRange(1, 3).Draw(t, "locations") {
			s.Locations = append(s.Locations, Location{
				Path: fmt.Sprintf("/%d%s", j,
					rapid.StringMatching(`[a-z0-9_~!&()*+,=:@-]{0,9}`).Draw(t, "path")),
				Backends: []Backend{{Host: host.Draw(t, "host"),
					Port: rapid.IntRange(10000, 65535).Draw(t, "backend")}},
				WebSocket:   rapid.Bool().Draw(t, "ws"),
				ReadTimeout: duration.Draw(t, "read"), SendTimeout: duration.Draw(t, "send"),
				ConnectTimeout: duration.Draw(t, "connect"),
			})
			more(t, &s.Locations[j])
		}
		if rapid.Bool().Draw(t, "proxies") {
			s.TrustedProxies, s.RealIPHeader = []string{"10.0.0.0/8", "::1"}, "X-Real-IP"
			s.Listen[0].ProxyProtocol = rapid.Bool().Draw(t, "proxied")
		}
		if i == 0 { // port 80 is one socket for all
			s.ACMEWebroot = rapid.SampledFrom([]string{"", "/var/lib/acme"}).Draw(t, "acme")
		}
		s.DefaultServer = rapid.SampledFrom([]modelDefault{"", "true", "reject"}).Draw(t, "default")
		if rapid.Bool().Draw(t, "tls") {
			s.TLS = &TLS{Certificate: "/etc/pki/a.pem", Key: "/etc/pki/" + name,
				HTTP2:    rapid.Bool().Draw(t, "http2"),
				HSTS:     time.Duration(rapid.IntRange(0, 9).Draw(t, "hsts")) * time.Hour,
				Profile:  rapid.SampledFrom([]modelProfile{"", "modern", "intermediate"}).Draw(t, "profile"),
				ClientCA: rapid.SampledFrom([]string{"", "/ca.pem"}).Draw(t, "ca")}
		}
		c.Sites = append(c.Sites, s)
	}
	switch c.EPEL.Source = rapid.SampledFrom([]string{EPELAuto, EPELRepository, EPELPackage, EPELMirror,
		EPELNone}).Draw(t,
		"epel"); c.EPEL.Source {
	case EPELPackage:
		c.EPEL.Package, c.EPEL.GPGKey = "/a.rpm", "https://a.example/k"
	case EPELMirror:
		c.EPEL.GPGKey = "/k"
		*rapid.SampledFrom([]*string{&c.EPEL.BaseURL, &c.EPEL.Metalink, &c.EPEL.MirrorList}).Draw(t, "address") =
			"http://a/$basearch/"
		c.EPEL.Fingerprint = rapid.StringMatching("[0-9]{2}[0-9E][0-9A-F]{37}").Draw(t, "fingerprint")
	}
	c.SELinux.LabelListenPorts = rapid.Bool().Draw(t, "label")
	c.Connections = site.Capacity(rapid.IntRange(0, 500000).Draw(t, "connections"))
	c.Firewall = rapid.SampledFrom([]string{FirewallLeave, FirewallOpen, "internal"}).Draw(t, "firewall")
	c.SELinux.Connect = rapid.SampledFrom([]string{ConnectBoolean, ConnectLabel}).Draw(t, "connect")
	c.OnDrift = rapid.SampledFrom([]string{DriftReplace, DriftKeep, DriftFail}).Draw(t, "drift")
	c.Wait.YumLock = rapid.OneOf(duration, rapid.Just(time.Duration(0))).Draw(t, "yum")
	c.ShutdownTimeout = rapid.OneOf(duration, rapid.Just(time.Duration(0))).Draw(t, "shutdown")
	return c
}

type (
	modelDefault = site.DefaultServer
	modelProfile = site.Profile
)

// more draws the keys of a location that stand by themselves.
func more(t *rapid.T, l *Location) {
	l.Match = rapid.SampledFrom([]site.Match{"", "exact", "prefix", "regex"}).Draw(t, "match")
	if l.Match == site.MatchRegex {
		l.Path = fmt.Sprintf(`^%s\.(a|"b")$`, l.Path[:2])
	}
	if rapid.Bool().Draw(t, "files") {
		*l = Location{Path: l.Path, Match: l.Match, Root: "/srv/www"}
	} else if on := rapid.Bool().Draw(t, "on"); l.WebSocket {
		l.Only, l.Buffering = on, &on
		l.AllowedOrigins = rapid.SampledFrom([][]string{nil, {"any"}, {"https://a.b", "http://[::1]:81"}}).Draw(t,
			"origins")
		if on {
			l.Heartbeat, l.ReadTimeout, l.SendTimeout = time.Minute, 3*time.Minute, 3*time.Minute
		}
		l.MaxBody = rapid.SampledFrom([]string{"", "0", "10m", "1"}).Draw(t, "body")
		l.RequestHeaders = rapid.SampledFrom([][]site.Header{nil, {{Name: "X-A", Value: "on"}, {Name: "Y"}}}).Draw(t,
			"h")
	}
	l.BasicAuthFile = rapid.SampledFrom([]string{"", "/etc/users"}).Draw(t, "users")
	l.Allow = rapid.SampledFrom([][]string{nil, {"10.0.0.0/8", "::1"}}).Draw(t, "allow")
	l.Deny = rapid.SampledFrom([][]string{nil, {"192.0.2.1"}}).Draw(t, "deny")
	if rapid.Bool().Draw(t, "limits") {
		l.Limits = &site.Limits{ConnectionsPerClient: 5, RequestsPerSecond: 7,
			Burst: rapid.IntRange(0, 2).Draw(t, "burst")}
	}
	l.Snippet = rapid.SampledFrom([]string{"", "a b;\nif ($x) {\n\treturn 404;\n}", "# c\n'#' \"\\\"\";"}).Draw(t,
		"snippet")
}

func TestMarshalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyConfig(t)
		content, err := want.Marshal()
		if err != nil {
			t.Fatalf("Marshal: %v\n%s", err, content)
		}
		read := func(string) ([]byte, error) { return content, nil }
		got, err := Load(Input{File: "/c.yaml", ReadFile: read, Deferred: true})
		want.Source = "/c.yaml"
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("%v\n-want +got\n%s\n%s", err, diff, content)
		}
	})
}

func TestMarshalRefusesWhatLoadWould(t *testing.T) {
	c := defaults()
	c.Sites = []Site{{Name: "a;b"}}
	if content, err := c.Marshal(); err == nil || content != nil {
		t.Errorf("Marshal of a wrong site: %q, nil", content)
	}
}
