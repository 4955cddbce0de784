package nginx

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// execRun is a plain Run, as the caller's is: the child is started on the calling goroutine.
func execRun(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return stdout.String(), stderr.String(), exit.ExitCode(), nil
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), err
}

const program = "/usr/sbin/nginx"

// needNginx stops the test where there is no nginx (or, if asked for, no root); under CI that is a failure.
func needNginx(t *testing.T, root bool) {
	t.Helper()
	why := ""
	if _, err := os.Stat(program); err != nil {
		why = fmt.Sprintf("needs a real nginx: %v", err)
	} else if root && os.Geteuid() != 0 {
		why = "needs root for a mount namespace"
	}
	if why != "" {
		cannot(t, why)
	}
}

// cannot says why a test is left out, and fails where nothing may be.
func cannot(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// host is a configuration tree of its own for the real nginx, with every path that nginx writes to below one directory.
type host struct {
	t   *testing.T
	dir string
}

func newHost(t *testing.T, files map[string]string) host {
	t.Helper()
	h := host{t, t.TempDir()}
	h.write("nginx.conf", h.main(""))
	for _, dir := range []string{"conf.d", "log", "tmp", "run"} {
		h.must(os.Mkdir(h.path(dir), 0o755))
	}
	for name, content := range files {
		h.write(name, content)
	}
	return h
}

// main is nginx.conf; extra goes to its http block, behind conf.d.
func (h host) main(extra string) string {
	return strings.ReplaceAll(`worker_processes 1;
user root;
error_log DIR/log/error.log;
pid DIR/run/nginx.pid;
events { worker_connections 64; }
http {
    access_log DIR/log/access.log;
    client_body_temp_path DIR/tmp/body;
    proxy_temp_path DIR/tmp/proxy;
    fastcgi_temp_path DIR/tmp/fastcgi;
    uwsgi_temp_path DIR/tmp/uwsgi;
    scgi_temp_path DIR/tmp/scgi;
    include DIR/conf.d/*.conf;
    `, "DIR", h.dir) + extra + "\n}\n"
}

func (h host) path(name string) string { return filepath.Join(h.dir, name) }
func (h host) conf() string            { return h.path("nginx.conf") }
func (h host) nginx() Nginx            { return Nginx{Read: execRun, Conf: h.conf()} }

func (h host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h host) write(name, content string) {
	h.t.Helper()
	h.must(os.MkdirAll(filepath.Dir(h.path(name)), 0o755))
	h.must(os.WriteFile(h.path(name), []byte(content), 0o644))
}

// clear empties conf.d.
func (h host) clear() {
	h.t.Helper()
	h.must(os.RemoveAll(h.path("conf.d")))
	h.must(os.Mkdir(h.path("conf.d"), 0o755))
}

// check is nginx -t without any isolation; what it leaves lies in the host's directory.
func (h host) check() (string, int) {
	h.t.Helper()
	_, stderr, status, err := execRun(h.t.Context(), "", program, "-t", "-c", h.conf())
	h.must(err)
	return stderr, status
}

// listing describes everything below some directories, so that two of them can be compared.
func listing(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return nil
			}
			all[name] = fmt.Sprintf("%s %d %d %s", info.Mode(), inode(info), info.Size(),
				info.ModTime().Format(time.RFC3339Nano))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func example(listen int) Site {
	return Site{
		Name:        "websocket",
		ServerNames: []string{"ws.example.com"},
		Listen:      []Listen{{Port: listen}},
		Locations:   []Location{{Path: "/ws/", Backends: []Backend{{Host: "127.0.0.1", Port: 3000}}, WebSocket: true}},
	}
}

func rendered(t *testing.T, s Site) string {
	t.Helper()
	content, err := Render(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
