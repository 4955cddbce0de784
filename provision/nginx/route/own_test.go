package route

import (
	"os"
	"testing"

	"wsprovision/provision/nginx/head"
)

// TestOwnSites: what the agent itself writes is followed to its backend, which gets a handshake.
func TestOwnSites(t *testing.T) {
	for name, test := range map[string]struct {
		port                  int
		host, target, backend string
	}{
		"websocket": {80, "ws.example.com", "/ws/", "127.0.0.1:3000"},
		"mixed":     {8081, "a.ws.example.com", "/ws/a", "[::1]:3000"},
	} {
		text, err := os.ReadFile("../render/testdata/" + name + ".golden.conf")
		if err != nil {
			t.Fatal(err)
		}
		request := head.Handshake(loopback(test.port), false, test.host, test.target, "https://"+test.host)
		r := Follow(parsed(t, "http { "+string(text)+" }"), Host{Look: anywhere}, request)
		p := r.End.Pass
		if p == nil || len(p.Backends) == 0 || p.Backends[0] != test.backend {
			t.Errorf("%s: %s", name, describe(r.End))
			continue
		}
		for field, want := range map[string]string{"Upgrade": "websocket", "Connection": "upgrade", "Host": test.host,
			"Sec-WebSocket-Version": "13", "Origin": "https://" + test.host} {
			if got := p.Field(field).Value; !got.Known || got.Text != want {
				t.Errorf("%s: the backend gets %s: %+v, want %s", name, field, got, want)
			}
		}
		if p.Version != "1.1" {
			t.Errorf("%s: HTTP/%s", name, p.Version)
		}
	}
}

// TestUnknownBackend: the fields of a request are known also where its backend is not, and its scheme where that is
// written.
func TestUnknownBackend(t *testing.T) {
	r := follow(t, `http { map $http_upgrade $c { default upgrade; '' close; } map $http_x $c { default ""; } server {
		listen 80; location / { proxy_pass https://$request_id; proxy_set_header Connection $c; } } }`, "/")
	p := r.End.Pass
	if p == nil || p.Scheme != "https" || len(p.Backends) > 0 || p.Target.Known || p.Field("Host").Value.Known {
		t.Fatalf("%+v", p)
	}
	if f := p.Field("Connection"); !f.Value.Known || f.Value.Text != "" || f.Set == nil || f.Set.Args[1] != "$c" {
		t.Errorf("Connection is %+v, and the later map empties it", f)
	}
	if f := p.Field("Upgrade"); !f.Value.Known || f.Value.Text != "" || f.Set != nil {
		t.Errorf("Upgrade is %+v, and nothing passes it on", f)
	}
}
