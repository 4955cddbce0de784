package config

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPrecedence(t *testing.T) {
	flag := func(in *Input) { in.Flags = map[string]string{"wait-yum-lock": "4s"} }
	env := func(in *Input) { in.Environ = []string{"WSPROVISION_WAIT_YUM_LOCK=3s", "PATH=/bin"} }
	const file = "wait: {yum_lock: 2s}\n"
	for _, tc := range []struct {
		name, file string
		more       []func(*Input)
		want       time.Duration
	}{
		{"default", "", nil, 10 * time.Minute},
		{"file", file, nil, 2 * time.Second},
		{"environment", file, []func(*Input){env}, 3 * time.Second},
		{"flag", file, []func(*Input){env, flag}, 4 * time.Second},
		{"flag without the others", "", []func(*Input){flag}, 4 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := load(tc.file, tc.more...)
			if err != nil || c.Wait.YumLock != tc.want || c.Wait.SemanageLock != 2*time.Minute {
				t.Errorf("got %v and %v, want %v and the default", c.Wait, err, tc.want)
			}
		})
	}
}

func TestEverySettingByEnvironmentAndFlag(t *testing.T) {
	text := map[string]string{
		"name": "chat", "server-name": "ws.example.com,b.example.com", "backend": "[::1]:3000", "path": "/ws/",
		"http-backend": "127.0.0.1:3001",
		"listen":       "443,[::]:443", "tls-certificate": "/c.pem", "tls-key": "/k.pem", "redirect": "true",
		"allowed-origins": "https://a.b,http://c.d:81", "epel-source": "package", "epel-package": "/a.rpm",
		"epel-gpgkey":      "https://a/key",
		"epel-fingerprint": strings.Repeat("0", 40), "label-listen-ports": "true",
		"selinux-connect": "label", "firewall": "internal", "connections": "20000", "on-drift": "fail",
		"stock-ipv6":         "remove",
		"wait-yum-lock":      "1s",
		"wait-semanage-lock": "2s", "worker-shutdown-timeout": "3s", "report-url": "https://a/b",
		"metrics-file": "/var/lib/a.prom", "splay": "4s",
	}
	plain := location("/", "127.0.0.1", 3001)
	plain.WebSocket, plain.ReadTimeout, plain.SendTimeout = false, time.Minute, time.Minute
	chat := location("/ws/", "::1", 3000)
	chat.AllowedOrigins = []string{"https://a.b", "http://c.d:81"}
	want := Config{
		Sites: []Site{{Name: "chat", ServerNames: []string{"ws.example.com", "b.example.com"},
			Listen:    []Listen{{Port: 443}, {Address: "::", Port: 443}},
			TLS:       &TLS{Certificate: "/c.pem", Key: "/k.pem", Redirect: true},
			Locations: []Location{chat, plain}}},
		EPEL: EPEL{Source: EPELPackage, Package: "/a.rpm", GPGKey: "https://a/key",
			Fingerprint: strings.Repeat("0", 40)},
		SELinux:         SELinux{Connect: ConnectLabel, LabelListenPorts: true},
		Firewall:        "internal",
		Connections:     20000,
		OnDrift:         DriftFail,
		Nginx:           Nginx{StockIPv6: StockRemove},
		Wait:            Wait{time.Second, 2 * time.Second},
		ShutdownTimeout: 3 * time.Second,
		ReportURL:       "https://a/b", MetricsFile: "/var/lib/a.prom", Splay: 4 * time.Second,
	}
	typed, environ := Input{Flags: map[string]string{}}, Input{}
	for _, f := range Flags() {
		value, ok := text[f.Name]
		// another source's
		if !ok && !slices.Contains([]string{"epel-baseurl", "epel-metalink", "epel-mirrorlist"}, f.Name) {
			t.Errorf("no value for --%s in this test", f.Name)
		}
		if ok {
			typed.Flags[f.Name] = value
			environ.Environ = append(environ.Environ, "WSPROVISION_"+
				strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))+"="+value)
		}
	}
	for name, in := range map[string]Input{"flags": typed, "environment": environ} {
		got, err := Load(in)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n-want +got\n%s", name, err, diff)
		}
	}
}

func TestWhichFile(t *testing.T) {
	read := func(path string) ([]byte, error) { return []byte("on_drift: keep\n"), nil }
	for _, tc := range []struct {
		name string
		in   Input
		want string
	}{
		{"flag", Input{File: "/flag", DefaultFile: "/default", Environ: []string{"WSPROVISION_CONFIG=/env"},
			ReadFile: read}, "/flag"},
		{"environment", Input{DefaultFile: "/default", Environ: []string{"WSPROVISION_CONFIG=/env"}, ReadFile: read},
			"/env"},
		{"default", Input{DefaultFile: "/default", ReadFile: read}, "/default"},
		{"absent default", Input{DefaultFile: t.TempDir() + "/none"}, ""},
		{"none", Input{}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if c, err := Load(tc.in); err != nil || c.Source != tc.want {
				t.Errorf("read %q, %v, want %q", c.Source, err, tc.want)
			}
		})
	}
}

func TestUnreadableFile(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{fs.ErrPermission, "configuration /c: may not be read by this user"},
		{syscall.EIO, "configuration /c: cannot be read: input/output error"},
		{&fs.PathError{Op: "open", Path: "/c", Err: syscall.ENOENT}, "configuration /c: no such file"},
	} {
		in := Input{File: "/c", ReadFile: func(string) ([]byte, error) { return nil, tc.err }}
		if _, err := Load(in); err == nil || err.Error() != tc.want {
			t.Errorf("%v: got %v, want %s", tc.err, err, tc.want)
		}
		in.File, in.DefaultFile = "", "/c"
		if _, err := Load(in); (err == nil) != errors.Is(tc.err, fs.ErrNotExist) {
			t.Errorf("%v of the default file: %v", tc.err, err)
		}
	}
}

func TestOutsideTheFile(t *testing.T) {
	for _, tc := range []struct {
		name    string
		environ []string
		flags   map[string]string
		want    string
	}{
		{"unknown variable", []string{"WSPROVISION_BAKEND=a:1"}, nil,
			"environment WSPROVISION_BAKEND: is not a variable of ours: did you mean WSPROVISION_BACKEND?"},
		{"empty variable", []string{"WSPROVISION_ON_DRIFT="}, nil, "environment WSPROVISION_ON_DRIFT: is empty"},
		{"empty file name", []string{"WSPROVISION_CONFIG="}, nil, "environment WSPROVISION_CONFIG: is empty"},
		{"absent file", []string{"WSPROVISION_CONFIG=/nonexistent/a"}, nil,
			"configuration /nonexistent/a: no such file"},
		{"directory", []string{"WSPROVISION_CONFIG=/"}, nil, "is a directory"},
		{"endless file", []string{"WSPROVISION_CONFIG=/dev/zero"}, nil, "is larger than 1048576 bytes"},
		{"unknown flag", nil, map[string]string{"lisen": "80"},
			"flag --lisen: is not a flag of the configuration: did you mean listen?"},
		{"empty flag", nil, map[string]string{"server-name": "", "backend": "a:1"}, "flag --server-name: is empty"},
		{"hostile variable", []string{"WSPROVISION_A\n\x1b[2J=1"}, nil, `environment WSPROVISION_A\n\x1b[2J: is not`},
		{"no server name", nil, map[string]string{"backend": "a:1"},
			"flag --backend: needs --server-name ws.example.com too"},
		{"no backend", []string{"WSPROVISION_SERVER_NAME=a.b"}, nil,
			"environment WSPROVISION_SERVER_NAME: needs --backend 127.0.0.1:3000 too"},
		{"wrong in one element", nil, map[string]string{"server-name": "a.b,c;d", "backend": "a:1"},
			`flag --server-name: "c;d"`},
		{"a name twice in one flag", nil, map[string]string{"server-name": "a.b,A.b", "backend": "a:1"},
			"flag --server-name: the name A.b stands twice"},
		{"two on /", nil, map[string]string{"server-name": "a.b", "backend": "a:1", "http-backend": "a:2"},
			"flag --http-backend: needs --path /ws/"},
		{"loop", nil, map[string]string{"server-name": "a.b", "backend": "localhost:80"},
			"flag --backend: localhost:80 is where this site listens itself"},
		{"flag wrong, environment right", []string{"WSPROVISION_ON_DRIFT=keep"}, map[string]string{"on-drift": "x"},
			"flag --on-drift"},
		{"environment wrong, flag right", []string{"WSPROVISION_ON_DRIFT=x"}, map[string]string{"on-drift": "keep"},
			"environment WSPROVISION_ON_DRIFT"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Load(Input{Environ: tc.environ, Flags: tc.flags})
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "problems") {
				t.Errorf("got  %v\nwant %s, alone", err, tc.want)
			}
		})
	}
}

func TestFlagsAndTheFilesSites(t *testing.T) {
	const other = "sites: [{name: other, server_name: o.b, locations: [{path: /, backend: 'a:1'}]}]\n"
	const ours = "sites:\n" +
		"  - {name: other, server_name: o.b, locations: [{path: /, backend: 'a:1'}]}\n" +
		"  - {name: websocket, server_name: [w.b, x.b], listen: [80, 81], locations: [{path: /ws/, backend: 'a:2', " +
		"read_timeout: 5s}]}\n"
	const two = "sites: [{name: websocket, server_name: w.b, locations: [{path: /a, backend: 'a:1'}, {path: /b, " +
		"backend: 'a:2'}]}]\n"
	kept := location("/", "a", 1)
	ws := location("/ws/", "a", 2)
	ws.ReadTimeout = 5 * time.Second
	for _, tc := range []struct {
		name, file string
		flags      map[string]string
		want       []Site
		problem    string
	}{
		{"overrides what it names", ours, map[string]string{"backend": "b:9", "server-name": "o.b", "listen": "82"},
			[]Site{
				{Name: "other", ServerNames: []string{"o.b"}, Listen: []Listen{{Port: 80}}, StandardListen: true,
					Locations: []Location{kept}},
				{Name: "websocket", ServerNames: []string{"o.b"}, Listen: []Listen{{Port: 82}},
					Locations: []Location{with(ws, "/ws/", Backend{Host: "b", Port: 9})}},
			}, ""},
		{"conflict named at the flag", ours, map[string]string{"server-name": "o.b"}, nil,
			"flag --server-name: the name o.b on 80 is taken already by sites[0].server_name"},
		{"path", ours, map[string]string{"path": "/x"}, []Site{
			{Name: "other", ServerNames: []string{"o.b"}, Listen: []Listen{{Port: 80}},
				StandardListen: true, Locations: []Location{kept}},
			{Name: "websocket", ServerNames: []string{"w.b", "x.b"}, Listen: []Listen{{Port: 80}, {Port: 81}},
				Locations: []Location{with(ws, "/x", ws.Backends[0])}},
		}, ""},
		{"which location", two, map[string]string{"backend": "b:9"}, nil,
			"flag --backend: the site websocket has not exactly one WebSocket location in /c.yaml"},
		{"no site of that name", other, map[string]string{"backend": "b:9"}, nil,
			"flag --backend: describes the site websocket, and /c.yaml has other sites (other): add it there, or " +
				"leave the file out with --config /dev/null"},
		{"no site flag", other, map[string]string{"on-drift": "replace"}, []Site{
			{Name: "other", ServerNames: []string{"o.b"}, Listen: []Listen{{Port: 80}},
				StandardListen: true, Locations: []Location{kept}}},
			""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := load(tc.file, func(in *Input) { in.Flags = tc.flags })
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("got  %v\nwant %s", err, tc.problem)
				}
				return
			}
			if diff := cmp.Diff(tc.want, c.Sites); err != nil || diff != "" {
				t.Errorf("%v\n-want +got\n%s", err, diff)
			}
		})
	}
}

// with is the location at another path and with another backend.
func with(l Location, path string, backend Backend) Location {
	l.Path, l.Backends = path, []Backend{backend}
	return l
}
