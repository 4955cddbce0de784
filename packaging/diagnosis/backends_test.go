//go:build diagnosis

package diagnosis

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	ws "github.com/coder/websocket"
)

// start has the backend listen; it ends with the case's process.
func (b backend) start() error {
	if at, ok := strings.CutPrefix(b.at, "udp:"); ok {
		return knowsNoName(at)
	}
	network := "tcp"
	if strings.HasPrefix(b.at, "/") {
		network = "unix"
		if err := os.MkdirAll(filepath.Dir(b.at), 0o755); err != nil {
			return err
		}
	}
	l, err := net.Listen(network, b.at)
	if err != nil {
		return fmt.Errorf("backend %s: %w", b.at, err)
	}
	switch {
	case b.tls != nil:
		go func() { _ = (&http.Server{Handler: b.serves, TLSConfig: b.tls}).ServeTLS(l, "", "") }()
	case b.raw != nil:
		go accept(l, b.raw)
	default:
		go func() { _ = (&http.Server{Handler: b.serves}).Serve(l) }()
	}
	return nil
}

func accept(l net.Listener, serve func(net.Conn)) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go serve(conn)
	}
}

// silent reads and never answers; curt closes at the first byte; another is of another protocol.
func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func curt(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 4096))
	_ = conn.Close()
}

func another(conn net.Conn) {
	_, _ = conn.Read(make([]byte, 4096))
	_, _ = io.WriteString(conn, "-ERR unknown command 'GET'\r\n")
	_ = conn.Close()
}

// accepting upgrades every path and sends back what comes, as Node's ws does with any origin.
func accepting(w http.ResponseWriter, r *http.Request, o *ws.AcceptOptions) {
	o.InsecureSkipVerify = true
	conn, err := ws.Accept(w, r, o)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	conn.SetReadLimit(1 << 20)
	for {
		kind, data, err := conn.Read(context.Background())
		if err != nil || conn.Write(context.Background(), kind, data) != nil {
			return
		}
	}
}

func echo(w http.ResponseWriter, r *http.Request) { accepting(w, r, &ws.AcceptOptions{}) }

// answering has one status for all.
func answering(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// unless echoes but for the requests that it refuses with the status.
func unless(status int, refuses func(*http.Request) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if refuses(r) {
			http.Error(w, "no", status)
			return
		}
		echo(w, r)
	}
}

// has: the request has the field.
func has(field string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Header.Get(field) != "" }
}

func not(f func(*http.Request) bool) func(*http.Request) bool {
	return func(r *http.Request) bool { return !f(r) }
}

// only is a backend with one path.
func only(path string) http.HandlerFunc {
	return unless(http.StatusNotFound, func(r *http.Request) bool { return r.URL.Path != path })
}

// sameOrigin compares Origin with Host, as most frameworks do.
func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	return origin == "" || strings.TrimPrefix(strings.TrimPrefix(origin, "https://"), "http://") == r.Host
}

// eager upgrades whatever has Upgrade, as a server does that looks at nothing else.
func eager(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" || r.Header.Get("Sec-WebSocket-Key") != "" {
		echo(w, r)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
}

func redirecting(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusMovedPermanently) }
}

// busyNginx answers as another nginx would that is overloaded.
func busyNginx(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprint(w, "<html>\r\n<head><title>503 Service Temporarily "+
		"Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily "+
		"Unavailable</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n")
}
