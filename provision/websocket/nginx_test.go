package websocket

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsprovision/provision/websocket/handshake"

	ws "github.com/coder/websocket"
)

// The tutorial's server block, without its names and paths, and another default server beside it.
const nginxConf = `
daemon off; master_process on; worker_processes 1; pid %[1]s/pid; error_log stderr error; %[5]s
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; ` +
	`scgi_temp_path %[1]s/s;
  map $http_upgrade $connection_upgrade { default upgrade; '' close; }
  server { listen %[2]s default_server; server_name _; return 404; }
  server {
    listen %[2]s; listen %[3]s; server_name ws.example.com;
    location /ws/ {
      proxy_pass http://%[4]s; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_set_header ` +
	`Host $host;
      proxy_read_timeout 24h; proxy_send_timeout 24h;
    }
    location /short/ {
      proxy_pass http://%[4]s; proxy_http_version 1.1; proxy_read_timeout 2s;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
    }
    location /nohead/ { proxy_pass http://%[4]s; proxy_http_version 1.1; }
    location /http10/ { proxy_pass http://%[4]s; proxy_set_header Upgrade $http_upgrade; proxy_set_header ` +
	`Connection $connection_upgrade; proxy_http_version 1.0; }
    location /down/ { proxy_pass http://127.0.0.1:1; }
  }
}
`

// startNginx gives a real nginx before backend, on IPv4 and IPv6 loopback.
func startNginx(t *testing.T, backend string) (v4, v6 handshake.Target) {
	t.Helper()
	binary, err := exec.LookPath("nginx")
	if err != nil {
		binary = "/usr/sbin/nginx"
	}
	if _, err := os.Stat(binary); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no nginx here")
		}
		t.Skip("no nginx here")
	}
	dir := t.TempDir()
	a4, a6 := free(t, "127.0.0.1:0"), free(t, "[::1]:0")
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;" // the temporary directory is ours alone
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxConf, dir, a4, a6, backend, user), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "-p", dir, "-c", conf, "-e", "stderr")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("nginx: %s", stderr.String())
		}
	})
	target := handshake.Target{Address: a4, Host: "ws.example.com", Path: "/ws/"}
	waitFor(t, a4)
	v6 = target
	v6.Address = a6
	return target, v6
}

func free(t *testing.T, address string) string {
	l := listen(t, address)
	defer l.Close()
	return l.Addr().String()
}

func waitFor(t *testing.T, address string) {
	t.Helper()
	for range 3000 {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("nobody listens on %s", address)
}

func TestNginx(t *testing.T) {
	noLeak(t)
	backend := roomyEcho(t)
	v4, v6 := startNginx(t, backend.Address)
	const all = "tcp=ok upgrade=ok headers=ok accept=ok text-echo=ok binary-64k-echo=ok ping=ok close=ok " +
		"no-upgrade-without-header=ok"
	t.Run("verify", func(t *testing.T) {
		list := Verify(soon(t), v4,
			Options{Echo: EchoYes, OtherHost: "other.example.com", Idle: 1500 * time.Millisecond})
		if got, want := verdicts(list), all+" other-host=ok idle=ok"; got != want {
			t.Errorf("got %s, want %s: %+v", got, want, list)
		}
	})
	t.Run("ipv6", func(t *testing.T) {
		if got, want := verdicts(Verify(soon(t), v6, Options{Echo: EchoYes})), all+
			" other-host=skipped idle=skipped"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("short read time-out", func(t *testing.T) {
		short := v4
		short.Path = "/short/"
		c := find(t, Verify(soon(t), short, Options{Idle: 10 * time.Second}), "idle")
		idle, ok := pick[*IdleError](c.Err).(*IdleError)
		if !ok || idle.Code != 1006 || idle.After < 500*time.Millisecond || idle.After > 8*time.Second {
			t.Errorf("got %+v, want a cut after 2 s", c)
		}
	})
	for _, tt := range []struct {
		name, path, host string
		status           int
	}{
		{"no upgrade header", "/nohead/", "ws.example.com", 426},
		{"http 1.0 upstream", "/http10/", "ws.example.com", 426},
		{"backend down", "/down/", "ws.example.com", 502},
		{"other path", "/", "ws.example.com", 404},
		{"other host", "/ws/", "other.example.com", 404},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := v4
			target.Path, target.Host = tt.path, tt.host
			_, err := Probe(soon(t), target)
			status, ok := pick[*handshake.StatusError](err).(*handshake.StatusError)
			if !ok || status.Code != tt.status || !strings.HasPrefix(status.Header.Get("Server"), "nginx") {
				t.Errorf("got %v, want %d from nginx", err, tt.status)
			}
		})
	}
	t.Run("16 MiB, and 1 MiB compressed", func(t *testing.T) {
		for size, compress := range map[int]bool{16 << 20: false, 1 << 20: true} {
			s, _, err := open(soon(t), v4, dialOptions{limit: 32 << 20, compress: compress})
			if err != nil {
				t.Fatal(err)
			}
			defer s.end()
			if _, err := s.echo(soon(t), ws.MessageBinary, pattern(size), 20*time.Second); err != nil {
				t.Error(err)
			}
			if got := s.watch.seen().compressed > 0; got != compress {
				t.Errorf("compressed %v, want %v", got, compress)
			}
		}
	})
	t.Run("first frame with the handshake", func(t *testing.T) {
		dialRaw(t, v4, frame(0x81, "hi")...).want(t, 0x81, "Echo: hi")
	})
	t.Run("load", func(t *testing.T) {
		got, err := Measure(soon(t), v4, Load{Count: 200, Concurrency: 20})
		if err != nil || got.Count != 200 {
			t.Errorf("%+v %v", got, err)
		}
		t.Logf("%+v", got)
	})
}
