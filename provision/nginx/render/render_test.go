package render_test

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/site"
)

var update = flag.Bool("update", false, "write testdata/*.golden.conf anew")

func mixed() site.Site {
	return site.Site{
		Name:        "My-site.v2",
		ServerNames: []string{"ws.example.com", "*.ws.example.com"},
		Listen:      []site.Listen{{Port: 8080}, {Address: "::", Port: 8080}, {Address: "127.0.0.1", Port: 8081}},
		Locations: []site.Location{
			{Path: "/ws/", Backends: []site.Backend{{Host: "::1", Port: 3000}}, WebSocket: true,
				ReadTimeout: 1500 * time.Millisecond,
				SendTimeout: 90 * time.Second},
			{Path: "/chat", Backends: []site.Backend{{Host: "::1", Port: 3000}}, WebSocket: true,
				ConnectTimeout: time.Second},
			{Path: "/", Backends: []site.Backend{{Host: "localhost", Port: 3001}}},
		},
	}
}

func plain() site.Site {
	s := nginxtest.Example(80)
	s.Name, s.Locations[0].WebSocket = "plain", false
	return s
}

func TestRenderGolden(t *testing.T) {
	for name, site := range map[string]site.Site{"websocket": nginxtest.Example(80), "mixed": mixed(),
		"plain": plain()} {
		t.Run(name, func(t *testing.T) {
			got := nginxtest.Rendered(t, site)
			file := "testdata/" + name + ".golden.conf"
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			nginxtest.NeedNginx(t, false)
			h := nginxtest.NewHost(t, map[string]string{"conf.d/site.conf": strings.ReplaceAll(got, "listen 80;",
				"listen 38080;")})
			if stderr, status := h.Check(); status != 0 {
				t.Errorf("nginx -t: %d: %s", status, stderr)
			}
		})
	}
}

// A variable or upstream name of any length has to fit nginx's default hash buckets.
func TestRenderLongNameFitsNginx(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	for _, name := range []string{strings.Repeat("a", 64), strings.Repeat("a", 23), strings.Repeat("A", 12),
		strings.Repeat("a", 24)} {
		s := nginxtest.Example(38080)
		s.Name = name
		h := nginxtest.NewHost(t, map[string]string{"conf.d/site.conf": nginxtest.Rendered(t, s)})
		if stderr, status := h.Check(); status != 0 {
			t.Errorf("%s: nginx -t: %d: %s", name, status, stderr)
		}
	}
}

// fields sets one field of a good site; each must refuse what could mean something to nginx.
var fields = map[string]func(*site.Site, string){
	"name":                  func(s *site.Site, v string) { s.Name = v },
	"server_name":           func(s *site.Site, v string) { s.ServerNames[0] = v },
	"listen.address":        func(s *site.Site, v string) { s.Listen[0].Address = v },
	"location.path":         func(s *site.Site, v string) { s.Locations[0].Path = v },
	"location.backend.host": func(s *site.Site, v string) { s.Locations[0].Backends[0].Host = v },
	"tls.certificate":       func(s *site.Site, v string) { s.TLS = &site.TLS{Certificate: v, Key: "/k.pem"} },
	"tls.client_ca": func(s *site.Site, v string) {
		s.TLS = &site.TLS{Certificate: "/c.pem", Key: "/k.pem", ClientCA: v}
	},
	"acme_webroot": func(s *site.Site, v string) { s.ACMEWebroot = v },
	"trusted_proxies": func(s *site.Site, v string) {
		s.TrustedProxies, s.RealIPHeader = []string{v}, "X-Real-IP"
	},
	"location.allow":           func(s *site.Site, v string) { s.Locations[0].Allow = []string{v} },
	"location.deny":            func(s *site.Site, v string) { s.Locations[0].Deny = []string{v} },
	"location.basic_auth_file": func(s *site.Site, v string) { s.Locations[0].BasicAuthFile = v },
	"location.allowed_origins": func(s *site.Site, v string) { s.Locations[0].AllowedOrigins = []string{v} },
	"location.max_body":        func(s *site.Site, v string) { s.Locations[0].MaxBody = v },
	"location.root": func(s *site.Site, v string) {
		s.Locations[0].Root, s.Locations[0].WebSocket = v, false
	},
	"location.request_headers": func(s *site.Site, v string) {
		s.Locations[0].RequestHeaders = []site.Header{{Name: v, Value: "a"}}
	},
	"tls.key": func(s *site.Site, v string) { s.TLS = &site.TLS{Certificate: "/c.pem", Key: v} },
}

func TestRenderRefusesWhatInjects(t *testing.T) {
	for field, set := range fields {
		for _, hostile := range []string{
			";", "a;b", "/a;", "{", "}", "a}", "/}", "a\nb", "/a\n", "a\r", "a b", "/a b", "\t", `"`, `/"`, "'", "/'",
			`\`, `/\`, "$x", "/$x", "${x}", "a$host",
			"#", "/#", "\x00", "/\x00", "ä", "/ä", "~", "= /x", "~* /x", "@named", "-a", "fe80::1%eth0", "/a\u2028",
			"/ws;}", "127.0.0.1;", "/../x", "\x7f",
		} {
			s := nginxtest.Example(80)
			set(&s, hostile)
			if content, err := nginxtest.Alone(s); err == nil {
				t.Errorf("%s: %q passed:\n%s", field, hostile, content)
			} else if !strings.Contains(err.Error(), field+":") {
				t.Errorf("%s: %q: the error does not name it: %v", field, hostile, err)
			}
		}
	}
}

func TestRenderRefusesNonsense(t *testing.T) {
	for name, spoil := range map[string]func(*site.Site){
		"listen.port":  func(s *site.Site) { s.Listen[0].Port = 0 },
		"listen.port ": func(s *site.Site) { s.Listen[0].Port = 65536 },
		"listen.port  ": func(s *site.Site) {
			s.TLS = &site.TLS{Certificate: "/c.pem", Key: "/k.pem", Redirect: true} // and a listen on 80
		},
		"location.backend.port": func(s *site.Site) { s.Locations[0].Backends[0].Port = 65536 },
		"location.backend.host": func(s *site.Site) { s.Locations[0].Backends[0].Host = "127.0.0.300" },
		"name":                  func(s *site.Site) { s.Name = "" },
		"server_name":           func(s *site.Site) { s.ServerNames = nil },
		"listen":                func(s *site.Site) { s.Listen = nil },
		"locations":             func(s *site.Site) { s.Locations = nil },
		"location.path":         func(s *site.Site) { s.Locations[0].Path = "" },
		"location.path given":   func(s *site.Site) { s.Locations = append(s.Locations, s.Locations[0]) },
		"listen given": func(s *site.Site) {
			s.Listen = append(s.Listen, site.Listen{Address: "0.0.0.0", Port: 80})
		},
		"server_name given": func(s *site.Site) { s.ServerNames = append(s.ServerNames, "WS.example.com") },
		"tls.profile": func(s *site.Site) {
			s.TLS = &site.TLS{Certificate: "/c.pem", Key: "/k.pem", Profile: "old"}
		},
		"tls.hsts": func(s *site.Site) {
			s.TLS = &site.TLS{Certificate: "/c.pem", Key: "/k.pem", HSTS: time.Millisecond}
		},
		"real_ip_header":        func(s *site.Site) { s.RealIPHeader = "X-Real-IP" },
		"default_server":        func(s *site.Site) { s.DefaultServer = "no" },
		"location.match":        func(s *site.Site) { s.Locations[0].Match = "glob" },
		"location.strip_prefix": func(s *site.Site) { s.Locations[0].Path, s.Locations[0].StripPrefix = "/a", true },
		"location.websocket":    func(s *site.Site) { s.Locations[0].Root = "/srv" },
		"trusted_proxies given": func(s *site.Site) {
			s.TrustedProxies, s.RealIPHeader = []string{"10.0.0.1", "10.0.0.1"}, "X-Real-IP"
		},
		"location.read_timeout":    func(s *site.Site) { s.Locations[0].ReadTimeout = 75 },
		"location.send_timeout":    func(s *site.Site) { s.Locations[0].SendTimeout = -time.Second },
		"location.connect_timeout": func(s *site.Site) { s.Locations[0].ConnectTimeout = 100 * 365 * 24 * time.Hour },
	} {
		s := nginxtest.Example(80)
		spoil(&s)
		if _, err := nginxtest.Alone(s); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRenderNamesEveryProblem(t *testing.T) {
	s := nginxtest.Example(0)
	s.Name, s.Locations[0].Path = "a b", "x"
	_, err := nginxtest.Alone(s)
	for _, field := range []string{"name:", "listen.port:", "location.path:"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in %v", field, err)
		}
	}
}

// TestRenderedIsExactlyTheModel reads what was rendered with our own reader, and compares it with what the model asks
// for, statement by statement.
func TestRenderedIsExactlyTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sites.Draw(t, "site")
		content, err := nginxtest.Alone(s)
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		tree, err := conf.Load("", "/site.conf", map[string][]byte{"/site.conf": content})
		if err != nil {
			t.Fatalf("%v\n%s", err, content)
		}
		if diff := cmp.Diff(wanted(s), blocks(tree.Directives())); diff != "" {
			t.Fatalf("want -, got +:\n%s\n%s", diff, content)
		}
	})
}

// TestRenderNeverInjects: whatever the strings, either an error or exactly one server with the model's outline.
func TestRenderNeverInjects(t *testing.T) {
	any := rapid.OneOf(rapid.String(), rapid.StringMatching(`/?[a-z]*[;{}"'\\$# \n~a]{0,3}[a-z]*`))
	rapid.Check(t, func(t *rapid.T) {
		s := nginxtest.Example(80)
		names := slices.Sorted(maps.Keys(fields))
		fields[rapid.SampledFrom(names).Draw(t, "field")](&s, any.Draw(t, "value"))
		content, err := nginxtest.Alone(s)
		if err != nil {
			return
		}
		tree, err := conf.Load("", "/site.conf", map[string][]byte{"/site.conf": content})
		if err != nil {
			t.Fatalf("%v\n%s", err, content)
		}
		if diff := cmp.Diff(wanted(s), blocks(tree.Directives())); diff != "" {
			t.Fatalf("want -, got +:\n%s", diff)
		}
	})
}
