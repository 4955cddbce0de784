package conf

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsprovision/provision/nginx/nginxtest"
)

// modules is where nginx's packages put what is loaded at run time.
const modules = "/usr/lib/nginx/modules"

// TestHostileSockets: what a neighbour listens on beside us is judged as the real nginx takes it at its start. PORT and
// PATH are filled in; a section that this nginx was not built with is judged only.
func TestHostileSockets(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	for _, test := range []struct {
		name, other, our string // other is a listen of http, or a whole section
		collides         bool
	}{
		{"the same", "PORT", "PORT", false},
		{"one of all, without options", "127.0.0.1:PORT", "PORT", false},
		{"backlog, for one of all", "127.0.0.1:PORT backlog=511", "PORT", true},
		{"bind, for one of all", "127.0.0.1:PORT bind", "PORT", true},
		{"reuseport, for one of all", "127.0.0.1:PORT reuseport", "PORT", true},
		{"rcvbuf, for one of all", "127.0.0.1:PORT rcvbuf=16k", "PORT", true},
		{"sndbuf, for one of all", "127.0.0.1:PORT sndbuf=16k", "PORT", true},
		{"deferred, for one of all", "127.0.0.1:PORT deferred", "PORT", true},
		{"fastopen, for one of all", "127.0.0.1:PORT fastopen=3", "PORT", true},
		{"keepalive, for one of all", "127.0.0.1:PORT so_keepalive=on", "PORT", true},
		{"backlog of all, for all of ours", "PORT backlog=511", "PORT", false},
		{"backlog of all, and one of ours", "PORT backlog=511", "127.0.0.1:PORT", false},
		{"ours is the one", "PORT", "127.0.0.1:PORT", false},
		{"both have it", "127.0.0.1:PORT reuseport; listen PORT reuseport", "PORT", false},
		{"one after the other, both their own", "127.0.0.1:PORT bind; listen 127.0.0.2:PORT bind", "127.0.0.1:PORT",
			false},
		{"IPv6 beside IPv4", "[::]:PORT", "PORT", false},
		{"IPv6 alone, in words", "[::]:PORT ipv6only=on", "PORT", false},
		{"IPv6 that takes IPv4", "[::]:PORT ipv6only=off", "PORT", true},
		{"IPv6 that takes IPv4, and one of ours", "[::]:PORT ipv6only=off", "127.0.0.1:PORT", true},
		{"IPv6 that takes IPv4, and ours of IPv6", "[::]:PORT ipv6only=off", "[::1]:PORT", false},
		{"a mapped IPv4 address", "[::ffff:127.0.0.1]:PORT ipv6only=off", "127.0.0.1:PORT", true},
		{"a mapped IPv4 address, for all of ours", "[::ffff:127.0.0.1]:PORT ipv6only=off", "PORT", true},
		{"every IPv4 address, mapped", "[::ffff:0.0.0.0]:PORT ipv6only=off", "127.0.0.1:PORT", true},
		{"a mapped IPv4 address, another address", "[::ffff:127.0.0.2]:PORT ipv6only=off", "127.0.0.1:PORT", false},
		{"one of IPv6", "[::1]:PORT backlog=5", "[::]:PORT", true},
		{"one of IPv6, and ours of IPv4", "[::1]:PORT backlog=5", "PORT", false},
		{"a range", "127.0.0.1:PORT-PORT backlog=5", "PORT", true},
		{"a name", "localhost:PORT backlog=5", "PORT", true},
		{"a name without options", "localhost:PORT", "PORT", false},
		{"proxy_protocol and ssl are no options of its own", "127.0.0.1:PORT proxy_protocol default_server", "PORT",
			false},
		{"a unix socket", "unix:PATH", "PORT", false},
		{"stream", "stream { server { listen PORT; return x; } }", "PORT", true},
		{"stream, one address", "stream { server { listen 127.0.0.1:PORT; return x; } }", "PORT", true},
		{"stream, another address", "stream { server { listen 127.0.0.2:PORT; return x; } }", "127.0.0.1:PORT", false},
		{"stream, udp", "stream { server { listen PORT udp; return x; } }", "PORT", false},
		{"stream, IPv6", "stream { server { listen [::]:PORT; return x; } }", "PORT", false},
		{"mail", "mail { auth_http 127.0.0.1:1; server { listen PORT; protocol imap; } }", "PORT", true},
		{"mail, one address, IPv6", "mail { auth_http 127.0.0.1:1; server { listen [::1]:PORT; protocol imap; } }",
			"[::]:PORT", true},
		{"stream's own, of all", "stream { server { listen 127.0.0.1:PORT; return x; } server { listen PORT; " +
			"return y; } }", "[::1]:PORT", false},
		{"stream's own, backlog",
			"stream { server { listen 127.0.0.1:PORT backlog=5; return x; } server { listen PORT; return y; } }",
			"127.0.0.2:PORT", true},
		{"the same unix socket twice", "stream { server { listen unix:PATH; return x; } }",
			"127.0.0.1:PORT; listen unix:PATH", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := nginxtest.NewHost(t, nil)
			fill := strings.NewReplacer("PORT", fmt.Sprint(nginxtest.FreePort(t)), "PATH", h.Path("run/u")).Replace
			section, load := "http", ""
			if head, _, found := strings.Cut(test.other, " {"); found {
				section = head
				module := filepath.Join(modules, "ngx_"+section+"_module.so")
				load = "load_module " + module + ";\n"
				h.Write("nginx.conf", h.Main("")+fill(test.other))
				if _, err := os.Stat(module); err == nil {
					h.Write("nginx.conf", load+h.Main("")+fill(test.other))
				} else {
					load = "missing"
				}
			} else {
				h.Write("conf.d/other.conf", "server { server_name b; listen "+fill(test.other)+"; }")
			}
			h.Write("conf.d/site.conf", "server { server_name a; listen "+fill(test.our)+"; }")
			tree, err := Load("", h.Conf(), nil)
			h.Must(err)
			found := tree.Resolved(HostAddresses(t.Context())).Bindings().Collisions()
			if (len(found) > 0) != test.collides {
				t.Errorf("collisions: %v, want some: %v", found, test.collides)
			}
			for _, c := range found {
				if !c.Fatal || !strings.Contains(c.Message, h.Dir+"/") || !strings.HasPrefix(c.File, h.Dir) {
					t.Errorf("%+v does not name both places", c)
				}
			}
			if load == "missing" {
				return
			}
			if starts, said := starts(h); starts == test.collides {
				t.Errorf("nginx starts: %v, want %v: %s", starts, !test.collides, said)
			}
		})
	}
}

// starts tells whether a real nginx comes up with the configuration, and ends it again. At the first bind that fails it
// is killed: it would try for two seconds more, and has no workers yet.
func starts(h nginxtest.Host) (bool, string) {
	h.T.Helper()
	cmd := exec.Command(nginxtest.Program, "-c", h.Conf(), "-g", "daemon off;")
	stderr, err := cmd.StderrPipe()
	h.Must(err)
	h.Must(cmd.Start())
	said := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "[emerg]") {
				said <- lines.Text()
				return
			}
		}
	}()
	defer cmd.Wait()
	for range 3000 {
		select {
		case line := <-said:
			_ = cmd.Process.Kill()
			return false, line
		case <-time.After(20 * time.Millisecond):
		}
		if h.Up() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			return true, ""
		}
	}
	_ = cmd.Process.Kill()
	h.T.Fatal("nginx neither starts nor says why not")
	return false, ""
}
