package route

import (
	"strings"
	"testing"

	"wsprovision/provision/nginx/outcome"
)

// TestMakers: whoever really answered is among those who can have, and what cannot is not.
func TestMakers(t *testing.T) {
	needNginx(t)
	r := newRig(t, `limit_req_zone $server_port zone=z:1m rate=1r/m;`+one(`
		location / { proxy_pass http://<A>; } location /dead { proxy_pass http://<DEAD>; }
		location /403 { if ($http_x) { return 403; } proxy_pass http://<A>; } location /r {
		return 301 https://$host$uri; }
		location /auth { auth_basic x; auth_basic_user_file <DIR>/passwords; proxy_pass http://<A>; }
		location /limit { limit_req zone=z; proxy_pass http://<A>; } location /text { return 503 text; }`))
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
	tree := r.tree()
	for _, test := range []struct {
		request, what string
		ends          int
	}{
		{"/?status=403", "proxy_pass", 1}, {"/", "proxy_pass", 1}, {"/dead", "proxy_pass", 2}, {"/403 X:1",
			"return", 1},
		{"/403", "proxy_pass", 1}, {"/r", "return", 1}, {"/auth", "auth_basic", 1}, {"/limit", "proxy_pass", 1},
		{"/limit", "limit_req", 2}, {"/text", "return", 1},
	} {
		_, request := r.request(test.request)
		s, err := ask(request)
		if err != nil {
			t.Fatal(err)
		}
		ends := outcome.Makers(Follow(tree, Host{Look: anywhere}, request),
			outcome.Seen{Status: s.status, Location: s.location, Server: "nginx/1.22.1", Body: s.body})
		if len(ends) != test.ends {
			t.Errorf("%s: %d ends can have given %v, want %d: %+v", test.request, len(ends), s, test.ends, ends)
			continue
		}
		first := ends[0].Pass
		name := ""
		if first != nil {
			name = first.Directive.Name
		} else {
			name = ends[0].Answer.Directive.Name
		}
		if name != test.what {
			t.Errorf("%s: %v is said to come of %s, want %s", test.request, s, name, test.what)
		}
	}
	if (outcome.Seen{Status: 403, Body: "<title>404 Not Found</title><center>nginx"}).OwnPage() {
		t.Error("the page of another status is taken for this one's")
	}
}

// TestInForce: the innermost block of those that the request ends in decides.
func TestInForce(t *testing.T) {
	const text = `http { proxy_read_timeout 1h; server { listen 80; location / { proxy_pass http://a; }
		location /in { proxy_read_timeout 2h; location /in/to { try_files /none @n; } proxy_pass http://a; }
		location @n { proxy_read_timeout 3h; if ($host) { proxy_read_timeout 4h; } proxy_pass http://a; } } }`
	for target, want := range map[string]string{"/": "1h", "/in": "2h", "/in/to": "4h"} {
		if d := follow(t, text, target).End.InForce("proxy_read_timeout"); d == nil || d.Args[0] != want {
			t.Errorf("%s: %v, want %s", target, d, want)
		}
	}
	if d := follow(t, text, "/").End.InForce("proxy_buffering"); d != nil {
		t.Errorf("%v, and nothing sets it", d)
	}
}

// TestOverride: behind an error_page a WebSocket does not come about, whatever the backend answers.
func TestOverride(t *testing.T) {
	needNginx(t)
	const upgraded = `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
		proxy_set_header Connection upgrade;`
	r := newRig(t, one(upgraded+`location /ok { proxy_pass http://<A>; } location @up { proxy_pass http://<A>; }
		location /up { error_page 404 @up; return 404; } location /as { error_page 404 = @up; return 404; }`))
	if err := r.start(); err != nil {
		t.Fatal(err)
	}
	for text, status := range map[string]int{"/ok?status=101 handshake": 101, "/up?status=101 handshake": 404,
		"/as?status=101 handshake": 101} {
		_, request := r.request(text)
		s, err := ask(request)
		if err != nil {
			t.Fatal(err)
		}
		p := Follow(r.tree(), Host{Look: anywhere}, request).End.Pass
		override := map[bool]int{false: status}[status == 101]
		direct := strings.HasPrefix(text, "/ok")
		if s.status != status || p == nil || p.Override != override || (p.Page == nil) != direct {
			t.Errorf("%s: %v, %+v, want %d", text, s, p, status)
		}
	}
}
