package render_test

import (
	"crypto/tls"
	"net"
	"os"
	"strings"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/site"
)

// listenOn is a listener of this test's on the loopback, and the backend that it is.
func listenOn(t *testing.T) (net.Listener, site.Backend) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l, site.Backend{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port}
}

// both is a location's answers to plain HTTP and to a handshake.
func both(t *testing.T, s site.Site, path string) [2]int {
	t.Helper()
	return [2]int{ask(t, s, "", path).Status, ask(t, s, "", path, handshake).Status}
}

// TestBackendOnASocket: requests and WebSockets go through a UNIX socket.
func TestBackendOnASocket(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	h := nginxtest.NewHost(t, nil)
	h.Must(os.Chmod(h.Dir, 0o755))
	socket := h.Path("app.sock")
	l, err := net.Listen("unix", socket)
	h.Must(err)
	h.Must(os.Chmod(socket, 0o666))
	mirrorOn(t, l, "unix")
	s := at(t, "a", site.Location{Path: "/", WebSocket: true, Backends: []site.Backend{{Socket: socket}}})
	published(t, s)
	if got := both(t, s, "/x"); got != [2]int{200, 101} {
		t.Errorf("%v", got)
	}
}

// TestHostileBackendTLS: a backend is who its certificate says, or gets no request.
func TestHostileBackendTLS(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	h := nginxtest.NewHost(t, nil)
	h.Must(os.Chmod(h.Dir, 0o755))
	pair := h.Certificate() // ws.example.com, by itself
	certificate, err := tls.LoadX509KeyPair(pair.Certificate, pair.Key)
	h.Must(err)
	other := nginxtest.NewHost(t, nil)
	h.Must(os.Chmod(other.Dir, 0o755))
	stranger := other.Certificate()
	asked := make(chan string, 100)
	to := func(version uint16) site.Backend {
		l, b := listenOn(t)
		mirrorOn(t, tls.NewListener(l, &tls.Config{MinVersion: version, MaxVersion: version,
			GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
				asked <- hello.ServerName
				return &certificate, nil
			}}), "tls")
		b.HTTPS = true
		return b
	}
	at12, at13, at11 := to(tls.VersionTLS12), to(tls.VersionTLS13), to(tls.VersionTLS11)
	location := func(path string, b site.Backend, trust site.BackendTLS) site.Location {
		return site.Location{Path: path, WebSocket: true, Backends: []site.Backend{b}, BackendTLS: &trust}
	}
	right := site.BackendTLS{CA: pair.Certificate, Name: "ws.example.com"}
	s := at(t, "a",
		location("/12", at12, right), location("/13", at13, right), location("/11", at11, right),
		location("/name", at13, site.BackendTLS{CA: pair.Certificate, Name: "app.internal"}),
		location("/stranger", at13, site.BackendTLS{CA: stranger.Certificate, Name: "ws.example.com"}),
		location("/any", at13, site.BackendTLS{Name: "app.internal", Unverified: true}))
	published(t, s)
	for path, want := range map[string][2]int{"/12": {200, 101}, "/13": {200, 101}, "/11": {502, 502},
		"/name": {502, 502}, "/stranger": {502, 502}, "/any": {200, 101}} {
		if got := both(t, s, path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	close(asked)
	for name := range asked {
		if name != "ws.example.com" && name != "app.internal" {
			t.Errorf("asked for the certificate of %q", name)
		}
	}
}

// TestBackendDies: with ip_hash a client has the same backend, until that one ends; a backup is asked then alone.
func TestBackendDies(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	one, first := listenOn(t)
	two, second := listenOn(t)
	stop := map[string]func(){"one": mirrorOn(t, one, "one"), "two": mirrorOn(t, two, "two")}
	backup := second
	backup.Backup = true
	s := at(t, "a", site.Location{Path: "/", WebSocket: true, Balance: "ip_hash",
		Backends: []site.Backend{first, second}},
		site.Location{Path: "/backup", WebSocket: true, Backends: []site.Backend{first, backup}})
	published(t, s)
	mirrored := func(path string) string {
		name, _, _ := strings.Cut(ask(t, s, "", path).Header.Get("X-Mirror"), " ")
		return name
	}
	if got := mirrored("/backup"); got != "one" {
		t.Errorf("the backup is asked: %s", got)
	}
	before := mirrored("/")
	for range 5 {
		if now := mirrored("/"); now != before {
			t.Errorf("%s, and then %s", before, now)
		}
	}
	stop[before]()
	if now := mirrored("/"); now == before || now == "" {
		t.Errorf("%s ended, and %q answers", before, now)
	}
	if got := both(t, s, "/"); got != [2]int{200, 101} {
		t.Errorf("one of two ended: %v", got)
	}
	if got := both(t, s, "/backup"); got != [2]int{200, 101} {
		t.Errorf("the backup: %v", got)
	}
}

// TestKeepalive: plain requests share a connection to the backend, and a protocol that nginx does not follow opens no
// tunnel on it.
func TestKeepalive(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	l, b := listenOn(t)
	mirrorOn(t, l, "kept")
	s := at(t, "a", site.Location{Path: "/", WebSocket: true, Keepalive: 1, Backends: []site.Backend{b}})
	published(t, s)
	first := ask(t, s, "", "/", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings")
	second := ask(t, s, "", "/")
	if a, b := first.Header.Get("X-Mirror"), second.Header.Get("X-Mirror"); a != b || a == "" {
		t.Errorf("two connections: %q and %q", a, b)
	}
	if h := first.Seen.Header; first.Status != 200 || h.Get("Upgrade") != "" || h.Get("Connection") != "" {
		t.Errorf("h2c reaches the backend: %v", h)
	}
	if got := both(t, s, "/"); got != [2]int{200, 101} {
		t.Errorf("%v", got)
	}
}
