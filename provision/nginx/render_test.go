package nginx

import (
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write testdata/*.golden.conf anew")

func mixed() Site {
	return Site{
		Name:        "My-site.v2",
		ServerNames: []string{"ws.example.com", "*.ws.example.com"},
		Listen:      []Listen{{Port: 8080}, {Address: "::", Port: 8080}, {Address: "127.0.0.1", Port: 8081}},
		Locations: []Location{
			{Path: "/ws/", Backend: Backend{Host: "::1", Port: 3000}, WebSocket: true,
				ReadTimeout: 1500 * time.Millisecond,
				SendTimeout: 90 * time.Second},
			{Path: "/chat", Backend: Backend{Host: "::1", Port: 3000}, WebSocket: true, ConnectTimeout: time.Second},
			{Path: "/", Backend: Backend{Host: "localhost", Port: 3001}},
		},
	}
}

func plain() Site {
	s := example(80)
	s.Name, s.Locations[0].WebSocket = "plain", false
	return s
}

func TestRenderGolden(t *testing.T) {
	for name, site := range map[string]Site{"websocket": example(80), "mixed": mixed(), "plain": plain()} {
		t.Run(name, func(t *testing.T) {
			got := rendered(t, site)
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
			needNginx(t, false)
			h := newHost(t, map[string]string{"conf.d/site.conf": strings.ReplaceAll(got, "listen 80;",
				"listen 38080;")})
			if stderr, status := h.check(); status != 0 {
				t.Errorf("nginx -t: %d: %s", status, stderr)
			}
		})
	}
}

// A variable or upstream name of any length has to fit nginx's default hash buckets.
func TestRenderLongNameFitsNginx(t *testing.T) {
	needNginx(t, false)
	for _, name := range []string{strings.Repeat("a", 64), strings.Repeat("a", 23), strings.Repeat("A", 12),
		strings.Repeat("a", 24)} {
		s := example(38080)
		s.Name = name
		h := newHost(t, map[string]string{"conf.d/site.conf": rendered(t, s)})
		if stderr, status := h.check(); status != 0 {
			t.Errorf("%s: nginx -t: %d: %s", name, status, stderr)
		}
	}
}

func TestIdentifiersDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,20}`)
		a, b := Site{Name: name.Draw(t, "a")}, Site{Name: name.Draw(t, "b")}
		if a.Name != b.Name && strings.EqualFold(siteVariable(a, "connection"), siteVariable(b, "connection")) {
			t.Fatalf("%q and %q both give %s", a.Name, b.Name, siteVariable(a, "connection"))
		}
		if strings.Trim(siteVariable(a, "connection"), "$abcdefghijklmnopqrstuvwxyz0123456789_") != "" ||
			len(siteVariable(a, "connection")) > 47 {
			t.Fatalf("%q gives %s", a.Name, siteVariable(a, "connection"))
		}
	})
}

func TestListenString(t *testing.T) {
	for _, test := range []struct {
		listen Listen
		want   string
	}{
		{Listen{Port: 80}, "80"},
		{Listen{Address: "0.0.0.0", Port: 80}, "80"},
		{Listen{Address: "::", Port: 80}, "[::]:80"},
		{Listen{Address: "192.0.2.1", Port: 8080}, "192.0.2.1:8080"},
		{Listen{Address: "2001:DB8:0::1", Port: 443, TLS: true}, "[2001:db8::1]:443 ssl"},
	} {
		if got := listenText(test.listen); got != test.want {
			t.Errorf("%+v: want %q, got %q", test.listen, test.want, got)
		}
	}
	if got := (Backend{Host: "::1", Port: 3000}).String(); got != "[::1]:3000" {
		t.Errorf("backend: %q", got)
	}
}

// fields sets one field of a good site; each must refuse what could mean something to nginx.
var fields = map[string]func(*Site, string){
	"name":                  func(s *Site, v string) { s.Name = v },
	"server_name":           func(s *Site, v string) { s.ServerNames[0] = v },
	"listen.address":        func(s *Site, v string) { s.Listen[0].Address = v },
	"location.path":         func(s *Site, v string) { s.Locations[0].Path = v },
	"location.backend.host": func(s *Site, v string) { s.Locations[0].Backend.Host = v },
	"tls.certificate":       func(s *Site, v string) { s.Listen[0].TLS, s.TLS = true, &TLS{Certificate: v, Key: "/k.pem"} },
	"tls.key":               func(s *Site, v string) { s.Listen[0].TLS, s.TLS = true, &TLS{Certificate: "/c.pem", Key: v} },
}

func TestRenderRefusesWhatInjects(t *testing.T) {
	for field, set := range fields {
		for _, hostile := range []string{
			";", "a;b", "/a;", "{", "}", "a}", "/}", "a\nb", "/a\n", "a\r", "a b", "/a b", "\t", `"`, `/"`, "'", "/'",
			`\`, `/\`, "$x", "/$x", "${x}", "a$host",
			"#", "/#", "\x00", "/\x00", "ä", "/ä", "~", "= /x", "~* /x", "@named", "-a", "fe80::1%eth0", "/a\u2028",
			"/ws;}", "127.0.0.1;", "/../x", "\x7f",
		} {
			s := example(80)
			set(&s, hostile)
			if content, err := Render(s); err == nil {
				t.Errorf("%s: %q passed:\n%s", field, hostile, content)
			} else if !strings.Contains(err.Error(), field+":") {
				t.Errorf("%s: %q: the error does not name it: %v", field, hostile, err)
			}
		}
	}
}

func TestRenderRefusesNonsense(t *testing.T) {
	for name, spoil := range map[string]func(*Site){
		"listen.port":              func(s *Site) { s.Listen[0].Port = 0 },
		"listen.port ":             func(s *Site) { s.Listen[0].Port = 65536 },
		"location.backend.port":    func(s *Site) { s.Locations[0].Backend.Port = 65536 },
		"location.backend.host":    func(s *Site) { s.Locations[0].Backend.Host = "127.0.0.300" },
		"name":                     func(s *Site) { s.Name = "" },
		"server_name":              func(s *Site) { s.ServerNames = nil },
		"listen":                   func(s *Site) { s.Listen = nil },
		"locations":                func(s *Site) { s.Locations = nil },
		"location.path":            func(s *Site) { s.Locations[0].Path = "" },
		"location.path given":      func(s *Site) { s.Locations = append(s.Locations, s.Locations[0]) },
		"listen given":             func(s *Site) { s.Listen = append(s.Listen, Listen{Address: "0.0.0.0", Port: 80}) },
		"server_name given":        func(s *Site) { s.ServerNames = append(s.ServerNames, "WS.example.com") },
		"tls":                      func(s *Site) { s.Listen[0].TLS = true },
		"tls ":                     func(s *Site) { s.TLS = &TLS{Certificate: "/c.pem", Key: "/k.pem"} },
		"location.read_timeout":    func(s *Site) { s.Locations[0].ReadTimeout = 75 },
		"location.send_timeout":    func(s *Site) { s.Locations[0].SendTimeout = -time.Second },
		"location.connect_timeout": func(s *Site) { s.Locations[0].ConnectTimeout = 100 * 365 * 24 * time.Hour },
	} {
		s := example(80)
		spoil(&s)
		if _, err := Render(s); err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRenderNamesEveryProblem(t *testing.T) {
	s := example(0)
	s.Name, s.Locations[0].Path = "a b", "x"
	_, err := Render(s)
	for _, field := range []string{"name:", "listen.port:", "location.path:"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s is not named in %v", field, err)
		}
	}
}

var sites = rapid.Custom(func(t *rapid.T) Site {
	host := rapid.SampledFrom([]string{"127.0.0.1", "::1", "192.0.2.7", "backend.internal", "localhost"})
	timeout := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "ms")) * time.Millisecond
	})
	locations := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Location {
		return Location{
			Path:        rapid.StringMatching(`/([a-z0-9~!&()*+,=:@_-]{1,5}/?)?`).Draw(t, "path"),
			Backend:     Backend{Host: host.Draw(t, "host"), Port: rapid.IntRange(1, 65535).Draw(t, "port")},
			WebSocket:   rapid.Bool().Draw(t, "websocket"),
			ReadTimeout: timeout.Draw(t, "read"), SendTimeout: timeout.Draw(t, "send"),
			ConnectTimeout: timeout.Draw(t, "connect"),
		}
	}), 1, 4, func(l Location) string { return l.Path })
	listen := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Listen {
		return Listen{Address: rapid.SampledFrom([]string{"", "::", "127.0.0.1", "::1"}).Draw(t, "address"),
			Port: rapid.IntRange(1, 65535).Draw(t, "port")}
	}), 1, 3, keyOf)
	s := Site{Name: rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,63}`).Draw(t, "name"),
		Listen: listen.Draw(t, "listen"), Locations: locations.Draw(t, "locations")}
	s.ServerNames = rapid.SliceOfNDistinct(rapid.StringMatching(`(\*\.)?[a-z0-9]{1,8}(\.[a-z]{1,8}){0,3}`), 1, 3,
		rapid.ID).Draw(t, "names")
	if rapid.Bool().Draw(t, "tls") {
		s.TLS = &TLS{Certificate: "/etc/pki/tls/certs/" + s.Name + ".pem",
			Key: "/etc/pki/tls/private/" + s.Name + ".key"}
		s.Listen[0].TLS = true
	}
	return s
})

// TestRenderedIsExactlyTheModel reads what was rendered with our own reader, and compares it with what the model asks
// for, statement by statement.
func TestRenderedIsExactlyTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := sites.Draw(t, "site")
		content, err := Render(s)
		if err != nil {
			t.Fatalf("%+v: %v", s, err)
		}
		tree, err := Load("", "/site.conf", map[string][]byte{"/site.conf": content})
		if err != nil {
			t.Fatalf("%v\n%s", err, content)
		}
		if diff := cmp.Diff(wanted(s), outline(tree.Directives())); diff != "" {
			t.Fatalf("want -, got +:\n%s", diff)
		}
	})
}

func outline(body []Directive) []string {
	var lines []string
	for _, d := range body {
		text := strings.Join(append([]string{d.Name}, d.Args...), "|")
		if d.Block {
			text += "|{"
		}
		lines = append(lines, text)
		for _, inner := range outline(d.Body) {
			lines = append(lines, "  "+inner)
		}
	}
	return lines
}

// wanted states the rules again, not by the renderer's means.
func wanted(s Site) []string {
	var lines []string
	variable := func(of string) string { return "$wsprovision_" + identifier(s) + "_" + of }
	if slices.ContainsFunc(s.Locations, func(l Location) bool { return l.WebSocket }) {
		lines = append(lines, "map|$http_upgrade|"+variable("upgrade")+"|{", "  default|", "  websocket|websocket",
			"map|$http_upgrade|"+variable("connection")+"|{", "  default|close", "  websocket|upgrade")
	}
	upstream := map[string]string{}
	for _, l := range s.Locations {
		if at := l.Backend.String(); upstream[at] == "" {
			upstream[at] = "wsprovision_" + identifier(s) + "_" + string(rune('0'+len(upstream)))
			if strings.Trim(l.Backend.Host, "0123456789.:") != "" {
				at += "|max_fails=0"
			}
			lines = append(lines, "upstream|"+upstream[l.Backend.String()]+"|{", "  server|"+at)
		}
	}
	lines = append(lines, "server|{")
	hostHeader := "$host"
	for _, l := range s.Listen {
		lines = append(lines, "  listen|"+strings.ReplaceAll(listenText(l), " ", "|"))
		if l.TLS && l.Port != 443 || !l.TLS && l.Port != 80 {
			hostHeader = "$http_host"
		}
	}
	lines = append(lines, "  server_name|"+strings.Join(s.ServerNames, "|"))
	if s.TLS != nil {
		lines = append(lines, "  ssl_certificate|"+s.TLS.Certificate, "  ssl_certificate_key|"+s.TLS.Key)
	}
	for _, l := range s.Locations {
		lines = append(lines, "  location|"+l.Path+"|{", "    proxy_pass|http://"+upstream[l.Backend.String()],
			"    proxy_http_version|1.1")
		long := "60s"
		if l.WebSocket {
			long = "24h"
			lines = append(lines, "    proxy_set_header|Upgrade|"+variable("upgrade"),
				"    proxy_set_header|Connection|"+variable("connection"))
		} else {
			lines = append(lines, "    proxy_set_header|Connection|")
		}
		lines = append(lines, "    proxy_set_header|Host|"+hostHeader, "    proxy_set_header|X-Real-IP|$remote_addr",
			"    proxy_set_header|X-Forwarded-For|$proxy_add_x_forwarded_for",
			"    proxy_set_header|X-Forwarded-Proto|$scheme",
			"    proxy_connect_timeout|"+timeText(l.ConnectTimeout, "60s"), "    proxy_read_timeout|"+
				timeText(l.ReadTimeout, long),
			"    proxy_send_timeout|"+timeText(l.SendTimeout, long))
	}
	return lines
}

func timeText(d time.Duration, standard string) string {
	if d == 0 {
		return standard
	}
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d%unit.size == 0 {
			return strconv.Itoa(int(d/unit.size)) + unit.name
		}
	}
	return "?"
}

// TestRenderNeverInjects: whatever the strings, either an error or exactly one server with the model's outline.
func TestRenderNeverInjects(t *testing.T) {
	any := rapid.OneOf(rapid.String(), rapid.StringMatching(`/?[a-z]*[;{}"'\\$# \n~a]{0,3}[a-z]*`))
	rapid.Check(t, func(t *rapid.T) {
		s := example(80)
		names := []string{"name", "server_name", "listen.address", "location.path", "location.backend.host",
			"tls.certificate", "tls.key"}
		fields[rapid.SampledFrom(names).Draw(t, "field")](&s, any.Draw(t, "value"))
		content, err := Render(s)
		if err != nil {
			return
		}
		tree, err := Load("", "/site.conf", map[string][]byte{"/site.conf": content})
		if err != nil {
			t.Fatalf("%v\n%s", err, content)
		}
		if diff := cmp.Diff(wanted(s), outline(tree.Directives())); diff != "" {
			t.Fatalf("want -, got +:\n%s", diff)
		}
	})
}
