package conf

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/site"

	"github.com/google/go-cmp/cmp"
)

// epelRoot is a root directory with one of EPEL 7's configurations.
func epelRoot(t *testing.T, version string, files map[string]string) string {
	t.Helper()
	conf, err := os.ReadFile("testdata/epel-" + version + ".nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"/etc/nginx/nginx.conf": string(conf),
		"/etc/nginx/mime.types": "types { text/html html; include x; }", "/etc/nginx/x": "a b;"}
	for name, content := range files {
		all[name] = content
	}
	root := t.TempDir()
	for name, content := range all {
		if err := errors.Join(os.MkdirAll(filepath.Dir(root+name), 0o755),
			os.WriteFile(root+name, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

const (
	conf = "/etc/nginx/nginx.conf"
	ours = "/etc/nginx/conf.d/websocket.conf"
)

func load(t *testing.T, root string, overlay map[string][]byte) Tree {
	t.Helper()
	tree, err := Load(root, conf, overlay)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func TestLoadEPEL(t *testing.T) {
	for _, test := range []struct {
		version   string
		byDefault string // who answers an unknown host on port 80
	}{{"1.16", "_"}, {"1.20.1", "ws.example.com"}} {
		t.Run(test.version, func(t *testing.T) {
			tree := load(t, epelRoot(t, test.version, nil),
				map[string][]byte{ours: []byte(nginxtest.Rendered(t, nginxtest.Example(80)))})
			servers := tree.Servers()
			if len(servers) != 2 || servers[0].File != ours || servers[1].File != conf || servers[1].Line != 27 {
				t.Errorf("servers: %+v", servers)
			}
			d, ok := tree.DefaultServer(site.Listen{Port: 80})
			if !ok || d.Names[0] != test.byDefault {
				t.Errorf("default server: want %s, got %v %v", test.byDefault, d.Names, ok)
			}
			if d, ok := tree.DefaultServer(site.Listen{Address: "::", Port: 80}); !ok || d.Names[0] != "_" {
				t.Errorf("default server of [::]:80: %v %v", d.Names, ok)
			}
			if _, ok := tree.DefaultServer(site.Listen{Port: 81}); ok {
				t.Error("nobody listens on 81")
			}
			if found := tree.Conflicts(ours); len(found) != 0 {
				t.Errorf("conflicts: %v", found)
			}
			if !tree.Included(ours) || tree.Included("/etc/nginx/other.conf") {
				t.Error("included is wrong")
			}
			if diff := cmp.Diff([]string{"/var/log/nginx/error.log"}, tree.Paths().ErrorLogs()); diff != "" {
				t.Error(diff)
			}
			if tree.Paths().PidFile() != "/run/nginx.pid" || len(tree.Upstreams()) != 1 {
				t.Errorf("%s %v", tree.Paths().PidFile(), tree.Upstreams())
			}
		})
	}
}

func files(t Tree) (names []string) {
	for _, f := range t.Files() {
		names = append(names, f.Path)
	}
	return names
}

func TestIncludesFollowGlobs(t *testing.T) {
	root := t.TempDir()
	write := func(name, content string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(root+name), 0o755),
			os.WriteFile(root+name, []byte(content), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write(conf, "include c/*.conf; include none/*; include e*/[!b].x; include /etc/nginx/link/a; include "+
		"c/../c/b.conf; ")
	for _, name := range []string{"c/b.conf", "c/A.conf", "c/.hidden.conf", "c/.b.conf.tmp", "c/b.conf.rpmsave",
		"c/gone.conf", "e1/a.x", "e1/b.x", "e2/c.x", "real/a"} {
		write("/etc/nginx/"+name, "x;")
	}
	if err := errors.Join(os.Symlink("/etc/nginx/real", root+"/etc/nginx/link"),
		os.Symlink("../real/a", root+"/etc/nginx/c/l.conf")); err != nil {
		t.Fatal(err)
	}
	tree := load(t, root, map[string][]byte{"/etc/nginx/c/gone.conf": nil, "/etc/nginx/c/new.conf": []byte("y;"),
		"/etc/nginx/c/.n.conf": []byte("z;"), "/etc/nginx/link/a": []byte("over;")})
	p := "/etc/nginx/"
	want := []string{conf, p + "c/A.conf", p + "c/b.conf", p + "c/l.conf", p + "c/new.conf", p + "e1/a.x", p +
		"e2/c.x", p + "link/a", p + "c/../c/b.conf"}
	if diff := cmp.Diff(want, files(tree)); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	var names []string
	for _, d := range tree.Directives() {
		names = append(names, d.Name)
	}
	if got := strings.Join(names, " "); got != "x x over y x x over x" {
		t.Errorf("directives: %s", got)
	}
	if !tree.Included("/etc/nginx/real/a") {
		t.Error("not found through a link")
	}
}

func TestLoadErrorsNameTheirPlace(t *testing.T) {
	for _, test := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"missing", map[string]string{"nginx.conf": "a;\ninclude x;"},
			`open() "/etc/nginx/x" failed (2: no such file or directory) in /etc/nginx/nginx.conf:2`},
		{"directory", map[string]string{"nginx.conf": "include c*;", "c/x": ""}, `is not a file that can be read`},
		{"self", map[string]string{"nginx.conf": "\ninclude nginx.conf;"},
			`include cycle: nginx.conf includes /etc/nginx/nginx.conf, which is being read, in ` +
				`/etc/nginx/nginx.conf:2`},
		{"cycle", map[string]string{"nginx.conf": "include a;", "a": "include b;", "b": "b;\n\ninclude a;"},
			`in /etc/nginx/b:3`},
		{"lua", map[string]string{"nginx.conf": "http {\nserver { content_by_lua_block { if x then } }"},
			`"content_by_lua_block" is not understood by wsprovision in /etc/nginx/nginx.conf:2`},
		{"brace", map[string]string{"nginx.conf": "include a;", "a": "http {\n}\n}"},
			`unexpected "}" in /etc/nginx/a:3`},
		{"open block", map[string]string{"nginx.conf": "http {\ninclude a;\n", "a": "x;"},
			`unexpected end of file, expecting "}" in /etc/nginx/nginx.conf:3`},
		{"block across files", map[string]string{"nginx.conf": "include a;\n}", "a": "http {"},
			`unexpected end of file, expecting "}" in /etc/nginx/a:1`},
		{"arguments", map[string]string{"nginx.conf": "include a b;"},
			`invalid number of arguments in "include" directive in /etc/nginx/nginx.conf:1`},
		{"deep", map[string]string{"nginx.conf": strings.Repeat("a{", 300)}, `blocks nested deeper`},
		{"doubling", map[string]string{"nginx.conf": strings.Repeat("include a;", 30),
			"a": strings.Repeat("include b;", 30), "b": strings.Repeat("include c;", 30), "c": ""},
			`more than 10000 includes`},
		{"none", nil, `open() "/etc/nginx/nginx.conf" failed (2: no such file or directory)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			for name, content := range test.files {
				file := filepath.Join(root, "etc/nginx", name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755),
					os.WriteFile(file, []byte(content), 0o644)); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Load(root, conf, nil); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want %q, got %v", test.want, err)
			} else if strings.Contains(err.Error(), root) {
				t.Errorf("the root shows in %v", err)
			}
		})
	}
}

func TestLoadKeepsWhatCameBefore(t *testing.T) {
	tree, err := Load("", conf,
		map[string][]byte{conf: []byte("pid /x/y.pid;\nerror_log /l;\nhttp { server { listen 80; } ; }")})
	if err == nil || tree.Paths().PidFile() != "/x/y.pid" || tree.Paths().ErrorLogs()[0] != "/l" ||
		len(tree.Servers()) != 1 {
		t.Errorf("%v: %+v", err, tree)
	}
}

func TestListenForms(t *testing.T) {
	for _, test := range []struct {
		text string
		want string
	}{
		{"80", "0.0.0.0:80"},
		{"*:80", "0.0.0.0:80"},
		{"0.0.0.0:80", "0.0.0.0:80"},
		{"192.0.2.1", "192.0.2.1:80"},
		{"192.0.2.1:8080 ssl default_server", "192.0.2.1:8080 default tls"},
		{"[::]:80", "[::]:80"},
		{"[::1]", "[::1]:80"},
		{"[2001:DB8:0:0::1]:443 ssl http2", "[2001:db8::1]:443 tls"},
		{"[::]:80 ipv6only=off", "[::]:80 dual"},
		{"Example.com", "example.com:80"},
		{"localhost:8000", "localhost:8000"},
		{"unix:/run/x.sock default", "unix:/run/x.sock default"},
		{"8000-8002", "0.0.0.0:8000 0.0.0.0:8001 0.0.0.0:8002"},
		{"127.0.0.1:9000-9001", "127.0.0.1:9000 127.0.0.1:9001"},
		{"99999", "0.0.0.0:0"},
		{"[::1", "[::1:80"},
	} {
		var got []string
		for _, l := range parseListen(Directive{Name: "listen", Args: strings.Fields(test.text)}) {
			text := l.key()
			for name, set := range map[string]bool{" default": l.Default, " tls": false, " dual": l.DualStack} {
				if set {
					text += name
				}
			}
			if l.TLS {
				text += " tls"
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: want %s, got %s", test.text, test.want, strings.Join(got, " "))
		}
	}
}

func TestPathsThatATestWouldTouch(t *testing.T) {
	tree, err := Load("", conf, map[string][]byte{conf: []byte(`
		pid run/n.pid; error_log logs/e.log warn; error_log stderr; error_log syslog:server=unix:/dev/log; ` +
		`error_log memory:32m;
		http { access_log off; access_log /var/log/$host.log; access_log /a.log main; proxy_cache_path ` +
		`/var/cache/x levels=1:2 keys_zone=x:1m;
			map $a $b { access_log /not/a.log; listen unix:/not.sock; }
			server { listen unix:/run/w/x.sock; listen 80; location / { access_log /b.log; client_body_temp_path ` +
		`tmp 1 2; } } }
		stream { server { listen unix:/run/s.sock; access_log /s.log; } }`)})
	if err != nil {
		t.Fatal(err)
	}
	b := Build{Prefix: "/usr/share/nginx", PID: "/run/nginx.pid", ErrorLog: "stderr",
		AccessLog: "/var/log/nginx/access.log", Temporary: []string{"/var/lib/nginx/body"}}
	want := []string{"/a.log", "/b.log", "/run/s.sock", "/run/w/x.sock", "/s.log", "/usr/share/nginx/logs/e.log",
		"/usr/share/nginx/run/n.pid",
		"/usr/share/nginx/tmp", "/var/cache/x", "/var/lib/nginx/body", "/var/log/nginx/access.log"}
	if diff := cmp.Diff(want, tree.Paths().Touched(b)); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
}

func TestListening(t *testing.T) {
	tree, err := Load("", "/etc/n.conf", map[string][]byte{
		"/etc/n.conf": []byte("http {\n server {\n listen [::]:80;\n listen 80;\n include l;\n }\n server {}\n}\n"),
		"/etc/l":      []byte("\nlisten [0:0::]:79-81 default_server;\n"),
	})
	var got []string
	for _, address := range []string{"[::]:80", "0.0.0.0:80", "[::1]:80"} {
		for _, d := range tree.Listening(address) {
			got = append(got, fmt.Sprintf("%s %s:%d", address, d.File, d.Line))
		}
	}
	if want := "[::]:80 /etc/n.conf:3 [::]:80 /etc/l:2 0.0.0.0:80 /etc/n.conf:4"; err != nil ||
		strings.Join(got, " ") != want {
		t.Errorf("%q, %v, want %s", got, err, want)
	}
}
