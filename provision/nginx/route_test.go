package nginx

import (
	"net/netip"
	"testing"
	"time"
)

const routed = `http {
    proxy_read_timeout 30s;
    proxy_set_header Host $host;
    upstream chat { server [::1]:3000; server 127.0.0.1:3001; }
    server { listen 80; listen [::]:80; server_name _; location / { return 404; } }
    server { listen 80 default_server; server_name .example.org; }
    server {
        listen 80; listen 127.0.0.9:80;
        server_name ws.example.com *.example.com;
        location /ws/ {
            proxy_pass http://chat;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_read_timeout 1h30m;
        }
        location /cut/ { proxy_pass http://127.0.0.1:3000/; }
        location = /exact { proxy_pass http://backend/; }
        location ~ \.io$ { proxy_pass http://127.0.0.1:1; }
        location ^~ /final { location /final/inner { proxy_pass http://127.0.0.1:2; } }
        location /variable { proxy_pass http://$somewhere; }
    }
}
`

func routes(t *testing.T) Tree {
	t.Helper()
	tree, err := Load(t.TempDir(), "/etc/nginx/nginx.conf", map[string][]byte{"/etc/nginx/nginx.conf": []byte(routed)})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestRoute(t *testing.T) {
	tree := routes(t)
	tests := []struct {
		name, to, host, path string
		line                 int // of the server, 0 for none
		byName               bool
		pass, asked          string
	}{
		{"by its name", "127.0.0.1:80", "WS.Example.com.", "/ws/x?a=/", 7, true, "[::1]:3000", "/ws/x?a=/"},
		{"name with a port", "127.0.0.1:80", "ws.example.com:80", "/ws/", 7, true, "[::1]:3000", "/ws/"},
		{"a wildcard", "127.0.0.1:80", "b.a.example.com", "/cut/a", 7, true, "127.0.0.1:3000", "/a"},
		{"a wildcard is not its parent", "127.0.0.1:80", "example.com", "/", 6, false, "", ""},
		{"a leading dot is both", "127.0.0.1:80", "example.org", "/", 6, true, "", ""},
		{"the default server", "192.0.2.1:80", "nobody", "/", 6, false, "", ""},
		{"an address of its own has only its servers", "127.0.0.9:80", "nobody", "/exact", 7, false, "backend:80", "/"},
		{"IPv6", "[::1]:80", "ws.example.com", "/ws/", 5, false, "", ""},
		{"a regular expression before a prefix", "127.0.0.1:80", "ws.example.com", "/ws/socket.io", 7, true,
			"127.0.0.1:1", "/ws/socket.io"},
		{"nested, and no regular expression", "127.0.0.1:80", "ws.example.com", "/final/inner.io", 7, true,
			"127.0.0.1:2", "/final/inner.io"},
		{"a variable cannot be followed", "127.0.0.1:80", "ws.example.com", "/variable", 7, true, "", ""},
		{"nobody there", "127.0.0.1:81", "ws.example.com", "/", 0, false, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := tree.Route(netip.MustParseAddrPort(tt.to), tt.host, tt.path)
			line := 0
			if r.Server != nil {
				line = r.Server.Line
			}
			if line != tt.line || r.ByName != tt.byName {
				t.Fatalf("server at line %d, by name %v, want %d, %v", line, r.ByName, tt.line, tt.byName)
			}
			pass, ok := tree.Pass(r)
			if ok != (tt.pass != "") || ok && (pass.Address() != tt.pass || r.Rewritten(pass, tt.path) != tt.asked) {
				t.Errorf("passed to %q as %q, %v, want %q as %q", pass.Address(), r.Rewritten(pass, tt.path), ok,
					tt.pass, tt.asked)
			}
		})
	}
}

func TestRouteInherits(t *testing.T) {
	tree := routes(t)
	at := func(path string) Route {
		return tree.Route(netip.MustParseAddrPort("127.0.0.1:80"), "ws.example.com", path)
	}
	ws, cut := at("/ws/"), at("/cut/")
	if got := ws.ReadTimeout(); got != 90*time.Minute {
		t.Errorf("read timeout of the location: %s, want 1h30m", got)
	}
	if got := cut.ReadTimeout(); got != 30*time.Second {
		t.Errorf("read timeout from http: %s, want 30s", got)
	}
	if _, set := ws.Header("Host"); set {
		t.Error("a location that sets a header inherits none, and Host is taken for set")
	}
	if value, set := ws.Header("upgrade"); value != "$http_upgrade" || !set {
		t.Errorf("Upgrade is %q, %v, want $http_upgrade", value, set)
	}
	if value, _ := cut.Header("Host"); value != "$host" {
		t.Errorf("Host from http is %q, want $host", value)
	}
	if ws.HTTPVersion() != "1.1" || cut.HTTPVersion() != "1.0" {
		t.Errorf("versions %s and %s, want 1.1 and 1.0", ws.HTTPVersion(), cut.HTTPVersion())
	}
}

func TestParseSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{"60": time.Minute, "86400s": 24 * time.Hour,
		"1h30m": 90 * time.Minute, "500ms": 500 * time.Millisecond, "1M": 720 * time.Hour} {
		if got, ok := ParseSpan(text); got != want || !ok {
			t.Errorf("ParseSpan(%q) = %s, %v, want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "h", "1x", "-1"} {
		if got, ok := ParseSpan(text); ok {
			t.Errorf("ParseSpan(%q) = %s, want none", text, got)
		}
	}
}
