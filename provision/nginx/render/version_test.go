package render

import (
	"os"
	"strings"
	"testing"

	"wsprovision/provision/site"
)

// old is what nginx.org's package of 2017 says on RHEL 7.
const old = "nginx version: nginx/1.12.2\nbuilt by gcc 4.8.5\nbuilt with OpenSSL 1.0.2k-fips  26 Jan 2017\n" +
	"configure arguments: --with-http_ssl_module --with-http_v2_module\n"

const current = "nginx version: nginx/1.26.2\nbuilt with OpenSSL 3.0.15 3 Sep 2024\n" +
	"configure arguments: --with-http_ssl_module --with-http_v2_module --with-http_realip_module\n"

func TestParseBuild(t *testing.T) {
	epel, err := os.ReadFile("../testdata/rhel7-V.nginx.stderr")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Build{
		string(epel): EPEL7,
		old:          {Version: Version{1, 12, 2}, OpenSSL: Version{1, 0, 2}, Lacks: []string{"realip"}},
		current:      {Version: Version{1, 26, 2}, OpenSSL: Version{3, 0, 15}},
	} {
		got, err := ParseBuild(text)
		if err != nil || got.Version != want.Version || got.OpenSSL != want.OpenSSL ||
			strings.Join(got.Lacks, " ") != strings.Join(want.Lacks, " ") {
			t.Errorf("%.30q: %+v, %v; want %+v", text, got, err, want)
		}
	}
	if _, err := ParseBuild("hello"); err == nil {
		t.Error("no version is one")
	}
}

// TestHTTP2Alone: from 1.25.1 on a socket with http2 and without ssl takes HTTP/1.1 as well.
func TestHTTP2Alone(t *testing.T) {
	for version, want := range map[Version]bool{{1, 12, 2}: true, {1, 20, 1}: true, {1, 25, 0}: true,
		{1, 25, 1}: false, {1, 26, 2}: false} {
		if got := (Build{Version: version}).HTTP2Alone(); got != want {
			t.Errorf("%s: %v, want %v", version, got, want)
		}
	}
}

// secured is a site that asks for everything that not every nginx has.
func secured() Site {
	return Site{Name: "a", ServerNames: []string{"a.b"}, Listen: []Listen{{Port: 443}},
		DefaultServer: site.DefaultReject,
		TLS:           &TLS{Certificate: "/c.pem", Key: "/k.pem", HTTP2: true, Redirect: true},
		Locations:     []Location{{Path: "/", Backends: []Backend{{Host: "127.0.0.1", Port: 3000}}, WebSocket: true}}}
}

// TestDirectivesByVersion: what is written is what the installed nginx knows.
func TestDirectivesByVersion(t *testing.T) {
	for name, tt := range map[string]struct {
		text      string
		has, lack string // separated by commas
	}{
		"EPEL 7's": {"", "listen 443 ssl http2;,ssl_protocols TLSv1.2 TLSv1.3;,ssl_reject_handshake on;," +
			"proxy_socket_keepalive on;,return 308", "http2 on;"},
		"old": {old, "listen 443 ssl http2;,ssl_protocols TLSv1.2;,return 444;,return 301",
			"TLSv1.3,ssl_reject_handshake,proxy_socket_keepalive,http2 on;"},
		"current": {current, "listen 443 ssl;,http2 on;,ssl_reject_handshake on;,return 308", "ssl http2"},
	} {
		var b Build
		if tt.text != "" {
			b, _ = ParseBuild(tt.text)
		}
		files, err := Installed{Build: b}.Render([]Site{secured()})
		if err != nil {
			t.Fatal(err)
		}
		all := ""
		for _, f := range files {
			all += string(f.Content)
		}
		for want := range strings.SplitSeq(tt.has, ",") {
			if !strings.Contains(all, want) {
				t.Errorf("%s: %q is missing:\n%s", name, want, all)
			}
		}
		for other := range strings.SplitSeq(tt.lack, ",") {
			if strings.Contains(all, other) {
				t.Errorf("%s: %q is there:\n%s", name, other, all)
			}
		}
	}
}

// TestCannot: what the installed nginx has not is refused by its key.
func TestCannot(t *testing.T) {
	b, err := ParseBuild(old)
	if err != nil {
		t.Fatal(err)
	}
	s := secured()
	s.TLS.Profile, s.TrustedProxies, s.RealIPHeader = site.ProfileModern, []string{"10.0.0.1"}, "X-Real-IP"
	_, err = Installed{Build: b}.Render([]Site{s})
	for _, want := range []string{"trusted_proxies: nginx 1.12.2 was built without",
		"tls.profile: modern is TLS 1.3 alone"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	other := secured()
	other.DefaultServer = site.DefaultReject
	files, err := Installed{Defaults: []string{"443", "80"}}.Render([]Site{other})
	if err != nil || len(files) != 1 {
		t.Errorf("somebody else's default server: %d files, %v", len(files), err)
	}
}
