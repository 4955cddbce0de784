// Package nginxtest gives tests a real nginx with a configuration of its own below a temporary directory. Only tests
// import it.
package nginxtest

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/site"
)

// Run is a plain Run, as the caller's is: the child is started on the calling goroutine.
func Run(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
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

// Program is the real nginx.
const Program = "/usr/sbin/nginx"

// NeedNginx stops the test where there is no nginx (or, if asked for, no root); under CI that is a failure.
func NeedNginx(t *testing.T, root bool) {
	t.Helper()
	why := ""
	if _, err := os.Stat(Program); err != nil {
		why = fmt.Sprintf("needs a real nginx: %v", err)
	} else if root && os.Geteuid() != 0 {
		why = "needs root for a mount namespace"
	}
	if why != "" {
		Cannot(t, why)
	}
}

// Cannot says why a test is left out, and fails where nothing may be.
func Cannot(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Host is a configuration tree of its own for the real nginx, with every path that nginx writes to below one directory.
type Host struct {
	T   *testing.T
	Dir string
}

// NewHost is a host with some files; their names are relative to its directory.
func NewHost(t *testing.T, files map[string]string) Host {
	t.Helper()
	h := Host{t, t.TempDir()}
	h.Write("nginx.conf", h.Main(""))
	for _, dir := range []string{"conf.d", "log", "tmp", "run"} {
		h.Must(os.Mkdir(h.Path(dir), 0o755))
	}
	for name, content := range files {
		h.Write(name, content)
	}
	return h
}

// Main is nginx.conf; extra goes to its http block, behind conf.d.
func (h Host) Main(extra string) string {
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
    `, "DIR", h.Dir) + extra + "\n}\n"
}

// Path is a file of the host.
func (h Host) Path(name string) string { return filepath.Join(h.Dir, name) }

// Conf is its nginx.conf.
func (h Host) Conf() string { return h.Path("nginx.conf") }

// Must ends the test where there is an error.
func (h Host) Must(err error) {
	h.T.Helper()
	if err != nil {
		h.T.Fatal(err)
	}
}

// Write puts a file below the host's directory.
func (h Host) Write(name, content string) {
	h.T.Helper()
	h.Must(os.MkdirAll(filepath.Dir(h.Path(name)), 0o755))
	h.Must(os.WriteFile(h.Path(name), []byte(content), 0o644))
}

// Clear empties conf.d.
func (h Host) Clear() {
	h.T.Helper()
	h.Must(os.RemoveAll(h.Path("conf.d")))
	h.Must(os.Mkdir(h.Path("conf.d"), 0o755))
}

// Check is nginx -t without any isolation; what it leaves lies in the host's directory.
func (h Host) Check() (string, int) {
	h.T.Helper()
	_, stderr, status, err := Run(h.T.Context(), "", Program, "-t", "-c", h.Conf())
	h.Must(err)
	return stderr, status
}

// Read is the content of a file, by its whole path.
func (h Host) Read(name string) string {
	h.T.Helper()
	content, err := os.ReadFile(name)
	h.Must(err)
	return string(content)
}

var dumped = regexp.MustCompile(`(?m)^# configuration file (/.*):\n`)

// Dump is what nginx -T says that it read, by file.
func (h Host) Dump() (files map[string]string, stderr string, status int) {
	h.T.Helper()
	stdout, stderr, status, err := Run(h.T.Context(), "", Program, "-T", "-c", h.Conf())
	h.Must(err)
	files = map[string]string{}
	heads := dumped.FindAllStringSubmatchIndex(stdout, -1)
	for i, head := range heads {
		end := len(stdout)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		files[stdout[head[2]:head[3]]] = stdout[head[1]:end]
	}
	return files, stderr, status
}

// Certificate is a self-signed pair in the host's directory.
func (h Host) Certificate() site.TLS {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	h.Must(err)
	template := x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"ws.example.com"},
		NotAfter: time.Now().Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	h.Must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	h.Must(err)
	h.Must(os.WriteFile(h.Path("cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		0o600))
	h.Must(os.WriteFile(h.Path("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return site.TLS{Certificate: h.Path("cert.pem"), Key: h.Path("key.pem")}
}
