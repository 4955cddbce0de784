package render_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/site"
)

// seen is what the backend was asked.
type seen struct {
	Path   string
	Host   string
	Header http.Header
}

// mirror is a backend that answers with what it was asked; a WebSocket gets 101 and is held open.
func mirror(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mirrorOn(t, l, "")
	return l.Addr().(*net.TCPAddr).Port
}

// mirrorOn is a mirror with a name, which its answers carry; stop ends it.
func mirrorOn(t *testing.T, l net.Listener, name string) (stop func()) {
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		if r.Header.Get("Upgrade") == "websocket" {
			c, rw, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			fmt.Fprint(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
			rw.Flush()
			_, _ = io.Copy(io.Discard, c)
			c.Close()
			return
		}
		w.Header().Set("X-Mirror", name+" "+r.RemoteAddr)
		_ = json.NewEncoder(w).Encode(seen{r.RequestURI, r.Host, r.Header})
	})}
	go s.Serve(l)
	stop = func() { s.Close() }
	t.Cleanup(stop)
	return stop
}

// published is an nginx that serves sites, each at a port of its own of 127.0.0.1.
func published(t *testing.T, all ...site.Site) (nginxtest.Host, int) {
	t.Helper()
	h := nginxtest.NewHost(t, nil)
	port80 := nginxtest.FreePort(t)
	files, err := render.Installed{}.Render(all)
	h.Must(err)
	for _, f := range files {
		text := string(f.Content)
		for _, end := range []string{" ", ";"} {
			text = strings.ReplaceAll(text, "127.0.0.1:80"+end, fmt.Sprintf("127.0.0.1:%d%s", port80, end))
		}
		h.Write("conf.d/"+f.Name, text)
	}
	h.Start()
	return h, port80
}

// at is a site with one socket on the loopback.
func at(t *testing.T, name string, locations ...site.Location) site.Site {
	return site.Site{Name: name, ServerNames: []string{name + ".example.com"},
		Listen: []site.Listen{{Address: "127.0.0.1", Port: nginxtest.FreePort(t)}}, Locations: locations}
}

// answer is what comes back for some lines of a request.
type answer struct {
	Status int
	Header http.Header
	Seen   seen
	Body   string
}

const handshake = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="

// ask sends the lines, LF as CRLF. Status 0 is a connection that was closed without an answer.
func ask(t *testing.T, s site.Site, preface, target string, lines ...string) answer {
	t.Helper()
	c, err := net.DialTimeout("tcp", s.Listen[0].String(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return askOn(t, c, s, preface, target, lines...)
}

func askOn(t *testing.T, c net.Conn, s site.Site, preface, target string, lines ...string) answer {
	t.Helper()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	text := preface + "GET " + target + " HTTP/1.1\n"
	if !strings.Contains("\n"+strings.Join(lines, "\n"), "\nHost:") {
		text += "Host: " + s.ServerNames[0] + "\n"
	}
	for _, l := range lines {
		text += l + "\n"
	}
	fmt.Fprint(c, strings.ReplaceAll(text+"\n", "\n", "\r\n"))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return answer{}
	}
	a := answer{Status: r.StatusCode, Header: r.Header}
	if r.StatusCode != 101 {
		body, _ := io.ReadAll(r.Body)
		a.Body = string(body)
		_ = json.Unmarshal(body, &a.Seen)
	}
	return a
}

// TestHostileOrigins: a page of another site opens no WebSocket, however it spells where it is from.
func TestHostileOrigins(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	to := site.Backend{Host: "127.0.0.1", Port: mirror(t)}
	s := at(t, "a", site.Location{Path: "/", Backends: []site.Backend{to}, WebSocket: true,
		AllowedOrigins: []string{"https://app.example.com", "http://[::1]:8080"}},
		site.Location{Path: "/any", Backends: []site.Backend{to}, WebSocket: true, AllowedOrigins: []string{"any"}})
	published(t, s)
	for origin, want := range map[string]int{
		"https://app.example.com": 101, "http://[::1]:8080": 101, "": 101,
		"null": 403, "https://app.example.com.evil.example": 403, "https://evil.example/https://app.example.com": 403,
		"https://appxexample.com": 403, "http://app.example.com": 403, "https://app.example.com:8443": 403,
		"https://app.example.com/": 403, "xhttps://app.example.com": 403, "https://app.example.com https://b": 403,
		"https://app.example.com\nOrigin: https://evil.example": 101, // nginx before 1.23 takes the first, as we do
		"https://evil.example": 403, "http://[::1]:80801": 403,
	} {
		lines := []string{handshake}
		if origin != "" {
			lines = append(lines, "Origin: "+origin)
		}
		if got := ask(t, s, "", "/", lines...); got.Status != want {
			t.Errorf("Origin %q: %d, want %d", origin, got.Status, want)
		}
	}
	if got := ask(t, s, "", "/", "Origin: https://evil.example"); got.Status != 200 {
		t.Errorf("what is no WebSocket: %d", got.Status)
	}
	if got := ask(t, s, "", "/any", handshake, "Origin: null"); got.Status != 101 {
		t.Errorf("any: %d", got.Status)
	}
}

// TestLocations: what each key of a location does, by what the client and the backend see.
func TestLocations(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	to := site.Backend{Host: "127.0.0.1", Port: mirror(t)}
	h := nginxtest.NewHost(t, nil)
	h.Must(os.Chmod(h.Dir, 0o755))
	h.Write("www/static/a.txt", "a file")
	h.Write("www/secret.txt", "a secret")
	h.Write("users", "u:{PLAIN}p\n")
	plain := func(path string) site.Location { return site.Location{Path: path, Backends: []site.Backend{to}} }
	strip, exact, regex, only := plain("/app/"), plain("/one"), plain(`\.(png|"x")$`), plain("/only")
	strip.StripPrefix, exact.Match, regex.Match = true, site.MatchExact, site.MatchRegex
	regex.RequestHeaders = []site.Header{{Name: "X-By", Value: `a "regex" \ ;{}`}, {Name: "Accept-Encoding"}}
	exact.RequestHeaders = []site.Header{{Name: "Host", Value: "app_internal"}}
	only.WebSocket, only.Only = true, true
	files, alias := site.Location{Path: "/static/", Root: h.Path("www")},
		site.Location{Path: "/s/", Root: h.Path("www/static")}
	alias.StripPrefix = true
	denied, allowed, auth, small := plain("/denied"), plain("/allowed"), plain("/auth"), plain("/small")
	denied.Deny, allowed.Allow, auth.BasicAuthFile, small.MaxBody = []string{"127.0.0.0/8"}, []string{"127.0.0.1"},
		h.Path("users"), "10"
	other := plain("/other")
	other.Allow = []string{"192.0.2.0/24"}
	s := at(t, "a", plain("/"), strip, exact, regex, only, files, alias, denied, allowed, auth, small, other)
	published(t, s)
	for _, test := range []struct {
		target, lines string
		status        int
		want          string // in what the backend saw, or in the answer
	}{
		{"/x", "", 200, "/x"},
		{"/app/x%20y?z=1", "", 200, "/x%20y?z=1"},
		{"/one", "", 200, "app_internal"},
		{"/one/more", "", 200, "a.example.com"},
		{"/b.png", "Accept-Encoding: gzip", 200, `a "regex" \ ;{}`},
		{"/only", "", 426, ""},
		{"/only", "Upgrade: h2c\nConnection: Upgrade", 426, ""},
		{"/only", handshake, 101, ""},
		{"/static/a.txt", "", 200, "a file"},
		{"/s/a.txt", "", 200, "a file"},
		{"/s/../secret.txt", "", 200, "/secret.txt"}, // normalised, so that it goes to the backend of /
		{"/s/%2e%2e/secret.txt", "", 200, "/s/%2e%2e/secret.txt"},
		{"/s../secret.txt", "", 200, "/s../secret.txt"},
		{"/denied", "", 403, ""},
		{"/allowed", "", 200, ""},
		{"/other", "", 403, ""},
		{"/auth", "", 401, ""},
		{"/auth", "Authorization: Basic dTpw", 200, ""},
		{"/small", "Content-Length: 11", 413, ""},
	} {
		var lines []string
		if test.lines != "" {
			lines = append(lines, test.lines)
		}
		got := ask(t, s, "", test.target, lines...)
		all := fmt.Sprint(got.Seen.Path, got.Seen.Host, got.Seen.Header, got.Body)
		if got.Status != test.status || !strings.Contains(all, test.want) {
			t.Errorf("%s %q: %d %s; want %d and %q", test.target, test.lines, got.Status, all, test.status, test.want)
		}
		if got.Status == 426 && got.Header.Get("Upgrade") != "websocket" {
			t.Errorf("%s: 426 without Upgrade: %v", test.target, got.Header)
		}
		if got.Seen.Path == "/b.png" && got.Seen.Header.Get("Accept-Encoding") != "" {
			t.Error("a header with an empty value is passed on")
		}
	}
}

// TestLimits: a client has no more connections and requests than it may, in each location by itself.
func TestLimits(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	to := site.Backend{Host: "127.0.0.1", Port: mirror(t)}
	two := &site.Limits{ConnectionsPerClient: 2}
	slow := &site.Limits{RequestsPerSecond: 1, Burst: 1}
	a := at(t, "a", site.Location{Path: "/ws", Backends: []site.Backend{to}, WebSocket: true, Limits: two},
		site.Location{Path: "/two", Backends: []site.Backend{to}, WebSocket: true, Limits: two},
		site.Location{Path: "/slow", Backends: []site.Backend{to}, Limits: slow})
	b := at(t, "b", site.Location{Path: "/ws", Backends: []site.Backend{to}, WebSocket: true, Limits: two},
		site.Location{Path: "/slow", Backends: []site.Backend{to}, Limits: slow})
	published(t, a, b)
	for n, want := range []int{101, 101, 429} {
		if got := ask(t, a, "", "/ws", handshake); got.Status != want {
			t.Errorf("WebSocket %d: %d, want %d", n, got.Status, want)
		}
	}
	if x, y := ask(t, a, "", "/two", handshake), ask(t, b, "", "/ws", handshake); x.Status != 101 || y.Status != 101 {
		t.Errorf("another location: %d, another site: %d", x.Status, y.Status)
	}
	var got []int
	for range 4 {
		got = append(got, ask(t, a, "", "/slow").Status)
	}
	if got[0] != 200 || got[1] != 200 || got[3] != 429 && got[2] != 429 {
		t.Errorf("four requests at once: %v", got)
	}
	if other := ask(t, b, "", "/slow"); other.Status != 200 {
		t.Errorf("the other site: %d", other.Status)
	}
}

// TestHostileForwarded: what a client says of itself reaches the backend only through a proxy that is trusted.
func TestHostileForwarded(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	l := site.Location{Path: "/", Backends: []site.Backend{{Host: "127.0.0.1", Port: mirror(t)}}}
	alone, behind, foreign, proxied := at(t, "alone", l), at(t, "behind", l), at(t, "foreign", l), at(t, "proxied", l)
	behind.TrustedProxies, behind.RealIPHeader = []string{"127.0.0.1"}, "X-Forwarded-For"
	foreign.TrustedProxies, foreign.RealIPHeader = []string{"192.0.2.1"}, "X-Forwarded-For"
	proxied.TrustedProxies, proxied.RealIPHeader = []string{"127.0.0.0/8"}, "proxy_protocol"
	proxied.Listen[0].ProxyProtocol = true
	published(t, alone, behind, foreign, proxied)
	lies := "X-Forwarded-For: 203.0.113.9\nX-Forwarded-Proto: https\nX-Real-IP: 203.0.113.8"
	for _, test := range []struct {
		name           string
		s              site.Site
		preface, lines string
		ip, via, proto string
	}{
		{"alone", alone, "", lies, "127.0.0.1", "127.0.0.1", "http"},
		{"behind", behind, "", lies, "203.0.113.9", "203.0.113.9, 127.0.0.1", "https"},
		{"behind, in turn", behind, "", "X-Forwarded-For: 1.2.3.4, 203.0.113.9", "203.0.113.9",
			"1.2.3.4, 203.0.113.9, 127.0.0.1", "http"},
		{"behind, odd scheme", behind, "", "X-Forwarded-Proto: gopher", "127.0.0.1", "127.0.0.1", "http"},
		{"foreign", foreign, "", lies, "127.0.0.1", "127.0.0.1", "http"},
		{"proxied", proxied, "PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\n", lies, "203.0.113.7", "203.0.113.7", "http"},
	} {
		got := ask(t, test.s, test.preface, "/", test.lines).Seen.Header
		if got.Get("X-Real-IP") != test.ip || got.Get("X-Forwarded-For") != test.via ||
			got.Get("X-Forwarded-Proto") != test.proto {
			t.Errorf("%s: the backend sees %v", test.name, got)
		}
	}
	if got := ask(t, proxied, "", "/"); got.Status != 0 {
		t.Errorf("without a PROXY line: %d", got.Status)
	}
}

// TestHostHeader: the backend sees the name by which nginx chose the site, and the client's port.
func TestHostHeader(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	s := at(t, "a", site.Location{Path: "/", Backends: []site.Backend{{Host: "127.0.0.1", Port: mirror(t)}}})
	published(t, s)
	for _, test := range []struct{ target, host, want string }{
		{"/", "A.example.com:8443", "a.example.com:8443"}, {"/", "a.example.com", "a.example.com"},
		{"http://a.example.com/", "evil.example:99", "a.example.com:99"}, {"/", "[::1]:80", "[::1]:80"},
	} {
		if got := ask(t, s, "", test.target, "Host: "+test.host); got.Seen.Host != test.want {
			t.Errorf("%s, Host %s: the backend sees %q, want %q", test.target, test.host, got.Seen.Host, test.want)
		}
	}
}

// TestTLSWhole: the redirect, the challenge, HSTS, the protocols, and who has no certificate or no name.
func TestTLSWhole(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	files := nginxtest.NewHost(t, nil)
	files.Must(os.Chmod(files.Dir, 0o755))
	pair := files.Certificate()
	files.Write("acme/.well-known/acme-challenge/token", "an answer")
	l := site.Location{Path: "/", Backends: []site.Backend{{Host: "127.0.0.1", Port: mirror(t)}}, WebSocket: true,
		Only: true}
	s, closed := at(t, "a", l), at(t, "closed", l)
	tls1 := pair
	tls1.Redirect, tls1.HSTS, tls1.HTTP2 = true, site.MozillaHSTS, true
	s.TLS, s.ACMEWebroot, s.DefaultServer = &tls1, files.Path("acme"), site.DefaultReject
	tls2 := pair
	tls2.ClientCA, tls2.Profile = pair.Certificate, site.ProfileModern
	closed.TLS = &tls2
	_, port80 := published(t, s, closed)
	plain := s
	plain.Listen = []site.Listen{{Address: "127.0.0.1", Port: port80}}
	moved := ask(t, plain, "", "/ws?x=1")
	if want := fmt.Sprintf("https://a.example.com:%d/ws?x=1", s.Listen[0].Port); moved.Status != 308 ||
		moved.Header.Get("Location") != want {
		t.Errorf("the redirect: %d %v, want 308 to %s", moved.Status, moved.Header, want)
	}
	if got := ask(t, plain, "", "/.well-known/acme-challenge/token"); got.Body != "an answer" {
		t.Errorf("the challenge: %+v", got)
	}
	if got := ask(t, plain, "", "/", "Host: nobody.example"); got.Status != 0 {
		t.Errorf("a name that nobody has: %d", got.Status)
	}
	got := askTLS(t, s, &tls.Config{ServerName: "a.example.com"})
	if got.Status != 426 || got.Header.Get("Strict-Transport-Security") != "max-age=63072000" {
		t.Errorf("over TLS: %+v", got)
	}
	if _, err := dialTLS(s, &tls.Config{ServerName: "nobody.example"}); err == nil {
		t.Error("the handshake for a name that nobody has goes through")
	}
	if _, err := dialTLS(s, &tls.Config{ServerName: "a.example.com", MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 goes through")
	}
	if _, err := dialTLS(closed, &tls.Config{MaxVersion: tls.VersionTLS12}); err == nil {
		t.Error("modern: TLS 1.2 goes through")
	}
	if got := askTLS(t, closed, &tls.Config{ServerName: "closed.example.com"}); got.Status != 400 {
		t.Errorf("without a certificate: %d, want nginx's 400", got.Status)
	}
}

func dialTLS(s site.Site, c *tls.Config) (net.Conn, error) {
	c.InsecureSkipVerify = true
	raw, err := net.DialTimeout("tcp", s.Listen[0].String(), 10*time.Second)
	if err != nil {
		return nil, err
	}
	conn := tls.Client(raw, c)
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn, conn.Handshake()
}

func askTLS(t *testing.T, s site.Site, c *tls.Config) answer {
	t.Helper()
	conn, err := dialTLS(s, c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return askOn(t, conn, s, "", "/")
}
