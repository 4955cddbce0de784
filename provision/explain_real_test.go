package provision

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	ws "github.com/coder/websocket"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/nginx"
	"wsprovision/provision/verify"
	"wsprovision/provision/websocket"
	"wsprovision/selinux"
	"wsprovision/systemd"
)

// rig is a real nginx whose files lie under root as they do under / on a host.
type rig struct {
	t     *testing.T
	root  string
	port  int
	nginx *exec.Cmd
	log   bytes.Buffer
}

const rigConf = `daemon off;
worker_processes 1;
pid %[1]s/run/nginx.pid;
error_log %[1]s/var/log/nginx/error.log;
%[2]s
events {
    worker_connections %[3]s;
}
http {
    access_log off;
    client_body_temp_path %[1]s/tmp/b; proxy_temp_path %[1]s/tmp/p; fastcgi_temp_path %[1]s/tmp/f; ` +
	`uwsgi_temp_path %[1]s/tmp/u; scgi_temp_path %[1]s/tmp/s;
    include conf.d/*.conf;
    server {
        listen 127.0.0.1:%[4]d default_server;
        server_name _;
        location / { return 404; }
    }
}
`

const realNginx = "/usr/sbin/nginx"

func newRig(t *testing.T) *rig {
	t.Helper()
	if _, err := os.Stat(realNginx); err != nil || os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("nginx and root are needed here")
		}
		t.Skip("nginx and root are needed here")
	}
	r := &rig{t: t, root: t.TempDir()}
	r.port = facts.PortOf(unusedAddress(t))
	for _, dir := range []string{"run", "tmp", "var/log/nginx", "etc/nginx/conf.d", filepath.Dir(r.root)} {
		r.must(os.MkdirAll(filepath.Join(r.root, dir), 0o755))
	}
	r.must(os.Chmod(r.root, 0o755))
	r.must(os.Symlink("/proc", r.root+"/proc"))
	r.must(os.Symlink(r.root, r.root+r.root))
	r.conf("256", "")
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (r *rig) conf(connections, main string) {
	r.must(os.WriteFile(r.root+host.NginxConf, fmt.Appendf(nil, rigConf, r.root, "user root;"+main, connections,
		r.port),
		0o644))
}

func (r *rig) write(name, text string) {
	r.must(os.WriteFile(r.root+host.ConfDir+"/"+name+".conf", []byte(text), 0o644))
}

// start runs nginx and waits until it listens, or has ended.
func (r *rig) start() {
	r.t.Helper()
	r.nginx = exec.Command(realNginx, "-p", r.root, "-c", r.root+host.NginxConf, "-e", r.root+
		"/var/log/nginx/error.log")
	r.nginx.Stderr = &r.log
	r.must(r.nginx.Start())
	ended := make(chan struct{})
	go func() { _ = r.nginx.Wait(); close(ended) }()
	r.t.Cleanup(func() {
		_ = r.nginx.Process.Signal(syscall.SIGTERM)
		<-ended
		if r.t.Failed() {
			r.t.Logf("nginx: %s", r.log.String())
		}
	})
	h := r.host()
	for range 3000 {
		select {
		case <-ended:
			return
		default:
		}
		if m, err := h.Nginx.Master(r.t.Context(), 0); err == nil && len(m.Workers) > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	r.t.Fatal("nginx does not come up")
}

// host is the rig as the agent sees it; of the host beneath only /proc shows.
func (r *rig) host() *host.Host {
	read := func(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
		argv = slices.Clone(argv)
		for i := range argv {
			if argv[i] == host.NginxConf {
				argv[i] = r.root + host.NginxConf
			}
		}
		stdout, stderr, status, err := (&host.Runner{Seam: &host.Seam{}}).Read(ctx, stdin, argv...)
		return stdout, strings.ReplaceAll(stderr, r.root+"/etc", "/etc"), status, err
	}
	h := &host.Host{Root: r.root, Euid: 0, Where: systemd.Where{Place: systemd.Host, Systemd: true}, Seam: &host.Seam{},
		Probe: websocket.Probe}
	h.Nginx = nginx.Nginx{Root: r.root, Read: read, Program: realNginx, Conf: host.NginxConf, Proc: "/proc"}
	h.SELinux = selinux.Host{Root: r.root, Cache: &selinux.Cache{}}
	h.Files = &host.Files{Root: r.root, Seam: h.Seam}
	h.Units = func(context.Context) (systemd.Units, error) { return &systemd.Offline{Root: r.root}, nil }
	return h
}

// site is a site of one location.
func (r *rig) site(backend string) config.Config {
	return parse(r.t, fmt.Sprintf(`sites:
  - name: websocket
    server_name: ws.example.com
    listen: 127.0.0.1:%d
    locations:
      - path: /ws/
        backend: %s
`, r.port, backend))
}

func (r *rig) verify(v *verify.Verification) verify.TargetReport {
	r.t.Helper()
	v.Host = r.host()
	if v.Timeout == 0 {
		v.Timeout = 5 * time.Second
	}
	report, err := v.Run(r.t.Context())
	r.must(err)
	if len(report.Targets) != 1 {
		r.t.Fatalf("%d targets, want 1", len(report.Targets))
	}
	return report.Targets[0]
}

// echoBackend is ours, which wants HTTP/1.1 and takes every path.
func echoBackend(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = websocket.Serve(ctx, l, websocket.Limits{}, nil) }()
	t.Cleanup(func() { cancel(); <-done })
	return l.Addr().String()
}

// strictBackend has one path and compares Origin with Host.
func strictBackend(t *testing.T, path string) string {
	t.Helper()
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		conn, err := ws.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			kind, b, err := conn.Read(context.Background())
			if err != nil || conn.Write(context.Background(), kind, b) != nil {
				return
			}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(handler)}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String()
}

const headersOfSite = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection " +
	"upgrade; proxy_set_header Host $host; "

// block is a server block in which one thing may be wrong.
func (r *rig) block(backend, directives string) string {
	return fmt.Sprintf("server {\n listen 127.0.0.1:%d;\n server_name ws.example.com;\n location /ws/ {\n proxy_pass "+
		"http://%s;\n %s\n }\n}\n", r.port, backend, directives)
}

// TestExplainWithNginx produces causes with a real nginx and wants each named, and no other.
func TestExplainWithNginx(t *testing.T) {
	echo := echoBackend(t)
	strict := strictBackend(t, "/ws/")
	down := unusedAddress(t)
	tests := []struct {
		name    string
		backend string
		make    func(r *rig) // before nginx is started
		after   func(r *rig) // and after
		verify  verify.Verification
		want    cause.Code // "" is no failure
		cause   string
	}{
		{name: "all is well", backend: echo, make: func(r *rig) { r.write("websocket", r.block(echo, headersOfSite)) }},
		{name: "backend down", backend: down, make: func(r *rig) {
			r.write("websocket", r.block(down, headersOfSite))
		}, want: cause.BackendNotRunning, cause: down},
		{name: "an echo backend stands in", backend: down, make: func(r *rig) {
			r.write("websocket", r.block(down, headersOfSite))
		}, verify: verify.Verification{WithEcho: true}},
		{name: "no Upgrade", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, "proxy_http_version 1.1; proxy_set_header Connection upgrade;"))
		}, want: cause.UpgradeHeaderMissing, cause: "does not pass on Upgrade"},
		{name: "no Connection", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"))
		}, want: cause.UpgradeHeaderMissing, cause: "does not pass on Connection"},
		{name: "neither", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, ""))
		}, want: cause.UpgradeHeaderMissing, cause: "nor does it speak HTTP/1.1"},
		{name: "HTTP/1.0", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo,
				"proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"))
		}, want: cause.UpstreamHTTP10},
		{name: "trailing slash", backend: strict, make: func(r *rig) {
			r.write("websocket", r.block(strict+"/", headersOfSite))
		}, want: cause.ProxyPassSlash, cause: "/ in place of /ws/"},
		{name: "a trailing slash that the backend does not mind", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo+"/", headersOfSite))
		}},
		{name: "path that the backend has not", backend: strictBackend(t, "/other/"), make: func(r *rig) {
			r.write("websocket", r.block("BACKEND", headersOfSite))
		}, want: cause.PathNotFound, cause: "itself has nothing at /ws/"},
		{name: "path without its slash", backend: strictBackend(t, "/ws"), make: func(r *rig) {
			r.write("websocket", r.block("BACKEND", headersOfSite))
		}, want: cause.PathNotFound, cause: "but at /ws"},
		{name: "no such location", backend: echo, make: func(r *rig) {
			r.write("websocket", strings.Replace(r.block(echo, headersOfSite), "/ws/", "/chat/", 1))
		}, want: cause.PathNotFound, cause: "passes nothing to a backend under /ws/"},
		{name: "a foreign Origin", backend: strict, make: func(r *rig) {
			r.write("websocket", r.block(strict, headersOfSite))
		},
			verify: verify.Verification{Origin: "http://evil.example.org"}, want: cause.OriginRefused,
			cause: "refuses the Origin http://evil.example.org"},
		{name: "Host is not passed on", backend: strict, make: func(r *rig) {
			r.write("websocket", r.block(strict, strings.Replace(headersOfSite, "proxy_set_header Host $host;", "", 1)))
		}, verify: verify.Verification{Origin: "http://ws.example.com:PORT"}, want: cause.OriginRefused,
			cause: "with Host, which nginx sets to 127.0.0.1:"},
		{name: "deny", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite+"deny all;"))
		}, want: cause.ForbiddenByNginx},
		{name: "read timeout", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite+"proxy_read_timeout 1s;"))
		},
			verify: verify.Verification{Idle: 3 * time.Second}, want: cause.ProxyReadTimeout, cause: "after 1 s"},
		{name: "long enough", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite+"proxy_read_timeout 24h;"))
		},
			verify: verify.Verification{Idle: 2 * time.Second}},
		{name: "the name is another's", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite))
			r.write("another", fmt.Sprintf("server { listen 127.0.0.1:%d; server_name ws.example.com; return 404; }\n",
				r.port))
		}, want: cause.ShadowedServerName, cause: "comes first"},
		{name: "the name is nobody's", backend: echo, make: func(r *rig) {
			r.write("websocket", strings.Replace(r.block(echo, headersOfSite), "ws.example.com", "example.com", 1))
		}, want: cause.ShadowedDefault, cause: "default_server"},
		{name: "the address is another's", backend: echo, make: func(r *rig) {
			r.write("websocket", strings.Replace(r.block(echo, headersOfSite), "listen 127.0.0.1:", "listen ", 1))
		}, want: cause.ShadowedListen},
		{name: "file not there", backend: echo, want: cause.NotIncluded, cause: "is not there"},
		{name: "file not included", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite))
			r.must(os.WriteFile(r.root+host.NginxConf,
				bytes.Replace(r.read(host.NginxConf), []byte("include conf.d/*.conf;"),
					nil, 1), 0o644))
		}, want: cause.NotIncluded, cause: "is not included by"},
		{name: "map inside server", backend: echo, make: func(r *rig) {
			r.write("websocket", strings.Replace(r.block(echo, headersOfSite), " server_name",
				" map $http_upgrade $c { default upgrade; }\n server_name", 1))
		}, want: cause.NginxConfigInvalid, cause: "a map stands inside another block"},
		{name: "brace not closed", backend: echo, make: func(r *rig) {
			r.write("websocket", strings.TrimSuffix(r.block(echo, headersOfSite), "}\n"))
		}, want: cause.NginxConfigInvalid,
			cause: "a brace is opened and not closed in /etc/nginx/conf.d/websocket.conf:8"},
		{name: "unknown directive", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite+"proxy_pas on;"))
		}, want: cause.NginxConfigInvalid,
			cause: `unknown directive "proxy_pas": misspelt, or of a module that is not loaded in ` +
				`/etc/nginx/conf.d/websocket.conf:6`},
		{name: "name of the backend", backend: "nowhere.invalid:3000", make: func(r *rig) {
			r.write("websocket", r.block("nowhere.invalid:3000", headersOfSite))
		}, want: cause.UpstreamUnresolved, cause: "nowhere.invalid"},
		{name: "port taken", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite))
			l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", r.port))
			r.must(err)
			go func() { _ = http.Serve(l, http.NotFoundHandler()) }()
			r.t.Cleanup(func() { l.Close() })
		}, want: cause.NginxBindInUse, cause: "process " + strconv.Itoa(os.Getpid())},
		{name: "stopped", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite))
		}, after: func(r *rig) {
			r.must(r.nginx.Process.Signal(syscall.SIGTERM))
			for range 300 {
				if _, err := r.host().Nginx.Master(r.t.Context(), 0); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}, want: cause.NginxNotRunning},
		{name: "not reloaded", backend: echo, make: func(r *rig) {
			r.write("websocket", strings.Replace(r.block(echo, headersOfSite), "/ws/", "/chat/", 1))
		}, after: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite))
			later := time.Now().Add(time.Minute)
			r.must(os.Chtimes(r.root+site, later, later))
		}, want: cause.NginxOlder},
		{name: "no connection left", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite))
			r.conf("4", "")
		}, after: func(r *rig) { r.crowd(8) }, want: cause.ConnectionsSpent, cause: "worker_connections is 4"},
		{name: "no descriptor left", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite))
			r.conf("512", "worker_rlimit_nofile 12;")
		}, after: func(r *rig) {
			r.crowd(20)
		}, verify: verify.Verification{Timeout: 1500 * time.Millisecond}, want: cause.OpenFilesSpent},
		{name: "silent backend", backend: silentBackend(t), make: func(r *rig) {
			r.write("websocket", r.block("BACKEND", headersOfSite+"proxy_read_timeout 1s;"))
		}, verify: verify.Verification{Timeout: 3 * time.Second}, want: cause.BackendNotAnswering},
		{name: "backend on IPv6 only", backend: "127.0.0.1:6PORT", make: func(r *rig) {
			r.write("websocket", r.block("BACKEND", headersOfSite))
		}, want: cause.BackendIPv6Only},
		{name: "URL by the other family", backend: echo, make: func(r *rig) {
			r.write("websocket", r.block(echo, headersOfSite))
		},
			verify: verify.Verification{URL: "ws://[::1]:PORT/ws/"}, want: cause.ListenerIPv4Only},
		{name: "URL of a backend", verify: verify.Verification{URL: "ws://" + strict + "/elsewhere"},
			want:  cause.PathNotFound,
			cause: strict + " has nothing at /elsewhere"},
		{name: "URL of nobody", verify: verify.Verification{URL: "ws://" + down + "/"}, want: cause.AddressRefuses,
			cause: "nothing listens on " + down},
		{name: "URL of no name", verify: verify.Verification{URL: "ws://nowhere.invalid/"},
			want: cause.NameUnresolved},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			if strings.HasSuffix(tt.backend, "6PORT") {
				l, err := net.Listen("tcp6", "[::1]:0")
				r.must(err)
				t.Cleanup(func() { l.Close() })
				tt.backend = fmt.Sprintf("127.0.0.1:%d", l.Addr().(*net.TCPAddr).Port)
			}
			v := tt.verify
			if tt.backend != "" {
				v.Config = r.site(tt.backend)
			}
			v.Origin = strings.Replace(v.Origin, "PORT", strconv.Itoa(r.port), 1)
			v.URL = strings.Replace(v.URL, "PORT", strconv.Itoa(r.port), 1)
			if tt.make != nil {
				tt.make(r)
				if b, err := os.ReadFile(r.root + site); err == nil {
					r.write("websocket", strings.ReplaceAll(string(b), "BACKEND", tt.backend))
				}
			}
			r.start()
			if tt.after != nil {
				tt.after(r)
			}
			r.judge(&v, tt.want, tt.cause)
		})
	}
}

func (r *rig) judge(v *verify.Verification, want cause.Code, words string) {
	r.t.Helper()
	got := r.verify(v)
	var d cause.Diagnosis
	if got.Diagnosis != nil {
		d = *got.Diagnosis
	}
	if d.Code != want || (got.Result == verify.OK) != (want == "") || !strings.Contains(d.Cause, words) {
		r.t.Errorf("%s, diagnosis %q: %s\nwant %q: …%s…\nevidence:\n  %s\nchecks: %+v", got.Result, d.Code, d.Cause,
			want, words, strings.Join(d.Evidence, "\n  "), got.Checks)
	}
	hosttest.Pasteable(r.t, string(d.Code), d.Mend.String())
	if want != "" && (d.Mend.IsZero() || len(d.Evidence) == 0) {
		r.t.Errorf("%s: no way to mend it (%q) or no evidence %q", d.Code, d.Mend, d.Evidence)
	}
	if strings.Contains(fmt.Sprint(d), r.root) {
		r.t.Logf("paths of the test in the diagnosis: %v", d)
	}
}

func (r *rig) read(name string) []byte {
	b, err := os.ReadFile(r.root + name)
	r.must(err)
	return b
}

// crowd takes connections and keeps them.
func (r *rig) crowd(n int) {
	for range n {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", r.port))
		r.must(err)
		r.t.Cleanup(func() { c.Close() })
		_, _ = c.Write([]byte("GET /ws/ HTTP/1.1\r\nHost: ws.example.com\r\nConnection: Upgrade\r\nUpgrade: " +
			"websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"))
	}
	time.Sleep(300 * time.Millisecond)
}

func silentBackend(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String() // the kernel takes connections, nobody reads
}

// TestExplainTLSWithNginx is about what a client sees of certificates, and what nginx says of keys.
func TestExplainTLSWithNginx(t *testing.T) {
	echo := echoBackend(t)
	day := 24 * time.Hour
	tests := []struct {
		name    string
		from    time.Duration // of the certificate's life, seen from now
		until   time.Duration
		forName string
		after   func(r *rig)
		before  func(r *rig)
		trust   bool
		want    cause.Code
		cause   string
	}{
		{name: "good", from: -day, until: day, forName: "ws.example.com", trust: true},
		{name: "expired", from: -2 * day, until: -day, forName: "ws.example.com", trust: true,
			want: cause.CertificateExpired, cause: "expired on"},
		{name: "not yet valid", from: day, until: 2 * day, forName: "ws.example.com", trust: true,
			want: cause.CertificateExpired, cause: "is not valid before"},
		{name: "for another name", from: -day, until: day, forName: "example.org", trust: true,
			want: cause.CertificateWrongName},
		{name: "unknown authority", from: -day, until: day, forName: "ws.example.com",
			want: cause.CertificateUntrusted},
		{name: "renewed and not reloaded", from: -2 * day, until: -day, forName: "ws.example.com", trust: true,
			want: cause.NginxOlder, cause: "was renewed",
			after: func(r *rig) { r.certificate("ws.example.com", -day, day) }},
		{name: "another key", from: -day, until: day, forName: "ws.example.com", trust: true,
			want: cause.CertificateKeyMismatch, cause: "/etc/nginx/key.pem",
			before: func(r *rig) {
				key := r.read("/etc/nginx/key.pem")
				r.certificate("ws.example.com", -day, day)
				r.must(os.WriteFile(r.root+"/etc/nginx/key.pem", key, 0o600))
			}},
		{name: "no key", from: -day, until: day, forName: "ws.example.com", trust: true,
			want: cause.CertificateKeyUnreadable, cause: "no such file",
			before: func(r *rig) { r.must(os.Remove(r.root + "/etc/nginx/key.pem")) }},
		{name: "no certificate", from: -day, until: day, forName: "ws.example.com", trust: true,
			want: cause.CertificateUnreadable, cause: "no such file",
			before: func(r *rig) { r.must(os.Remove(r.root + "/etc/nginx/cert.pem")) }},
		{name: "no ssl", from: -day, until: day, forName: "ws.example.com", trust: true, want: cause.TLSNotSpoken,
			before: func(r *rig) {
				r.write("websocket", strings.Replace(string(r.read(site)), " ssl;", ";", 1))
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			pool := r.certificate(tt.forName, tt.from, tt.until)
			// The listener is another than the default server's, which has no TLS.
			r.port = facts.PortOf(unusedAddress(t))
			v := &verify.Verification{Config: parse(t, fmt.Sprintf("sites:\n  - name: websocket\n    server_name: "+
				"ws.example.com\n    listen: 127.0.0.1:%d\n    tls: {certificate: /etc/nginx/cert.pem, key: "+
				"/etc/nginx/key.pem}\n    locations: [{path: /ws/, backend: \"%s\"}]\n", r.port, echo))}
			if tt.trust {
				v.TLS = &tls.Config{RootCAs: pool}
			}
			text := strings.Replace(r.block(echo, headersOfSite), ";\n", " ssl;\n", 1)
			r.write("websocket", strings.Replace(text, " server_name", fmt.Sprintf(" ssl_certificate "+
				"%[1]s/etc/nginx/cert.pem; ssl_certificate_key %[1]s/etc/nginx/key.pem;\n server_name", r.root), 1))
			if tt.before != nil {
				tt.before(r)
			}
			r.start()
			if tt.after != nil {
				tt.after(r)
			}
			r.judge(v, tt.want, tt.cause)
		})
	}
}

// certificate writes a self-signed one, and gives the pool that trusts it.
func (r *rig) certificate(name string, from, until time.Duration) *x509.CertPool {
	r.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	r.must(err)
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: now.Add(from), NotAfter: now.Add(until), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	r.must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	r.must(err)
	r.must(os.WriteFile(r.root+"/etc/nginx/cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		0o644))
	r.must(os.WriteFile(r.root+"/etc/nginx/key.pem",
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	leaf, err := x509.ParseCertificate(der)
	r.must(err)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return pool
}
