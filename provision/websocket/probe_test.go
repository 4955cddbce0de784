package websocket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsprovision/provision/websocket/handshake"
)

func TestProbe(t *testing.T) {
	noLeak(t)
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			target := startEcho(t, listen(t, address), Limits{}, nil)
			target.Subprotocols = []string{"chat", "superchat"}
			hs, err := Probe(soon(t), target)
			if err != nil {
				t.Fatal(err)
			}
			if !hs.Accepted || hs.Status != 101 || hs.Subprotocol != "chat" || hs.Peer != target.Address ||
				hs.Dial <= 0 || hs.Upgrade <= 0 {
				t.Errorf("got %+v", hs)
			}
			if want := "HTTP/1.1 101 Switching Protocols"; hs.StatusLine != want {
				t.Errorf("status line %q, want %q", hs.StatusLine, want)
			}
		})
	}
}

// kind names the errors that err holds, for comparison.
func kind(err error) string {
	var kinds []string
	add := func(ok bool, name string) {
		if ok {
			kinds = append(kinds, name)
		}
	}
	add(pick[*handshake.DialError](err) != nil, "dial")
	add(pick[*handshake.TLSError](err) != nil, "tls")
	add(pick[*handshake.ResponseError](err) != nil, "response")
	add(pick[*handshake.StatusError](err) != nil, "status")
	add(pick[*handshake.HeaderError](err) != nil, "header")
	add(pick[*handshake.AcceptError](err) != nil, "accept")
	return strings.Join(kinds, " ")
}

func TestProbeHostile(t *testing.T) {
	noLeak(t)
	good := func(r *http.Request) string {
		return "Sec-WebSocket-Accept: " + handshake.Digest(r.Header.Get("Sec-WebSocket-Key"))
	}
	const ok, up, conn = "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"
	for _, tt := range []struct {
		name, kind, want string
		do               func(net.Conn, *http.Request)
	}{
		{"good", "", "", func(c net.Conn, r *http.Request) { accept(c, r) }},
		{"letters of any case, more tokens", "", "", func(c net.Conn, r *http.Request) {
			say(c, "HTTP/1.1 101 Whatever", "upgrade: WebSocket", "connection: keep-alive, upgrade", good(r))
		}},
		{"early hints first", "", "", func(c net.Conn, r *http.Request) {
			say(c, "HTTP/1.1 103 Early Hints", "Link: </x>")
			accept(c, r)
		}},
		{"wrong digest", "accept", "is \"bm9uc2Vuc2U=\", want", func(c net.Conn, r *http.Request) {
			say(c, ok, up, conn, "Sec-WebSocket-Accept: bm9uc2Vuc2U=")
		}},
		{"no digest", "accept", "Sec-WebSocket-Accept is missing", func(c net.Conn, r *http.Request) {
			say(c, ok, up, conn)
		}},
		{"two digests", "accept", "", func(c net.Conn, r *http.Request) { say(c, ok, up, conn, good(r), good(r)) }},
		{"no upgrade", "header", "Upgrade is missing", func(c net.Conn, r *http.Request) { say(c, ok, conn, good(r)) }},
		{"no connection", "header", "Connection is missing", func(c net.Conn, r *http.Request) {
			say(c, ok, up, good(r))
		}},
		{"connection close", "header", `Connection is "close", want "upgrade"`, func(c net.Conn, r *http.Request) {
			say(c, ok, up, "Connection: close", good(r))
		}},
		{"nothing right", "header accept", "", func(c net.Conn, r *http.Request) { say(c, ok) }},
		{"http 1.0", "header", "status line", func(c net.Conn, r *http.Request) {
			say(c, "HTTP/1.0 101 Switching Protocols", up, conn, good(r))
		}},
		{"subprotocol not offered", "header", "Sec-WebSocket-Protocol", func(c net.Conn, r *http.Request) {
			accept(c, r, "Sec-WebSocket-Protocol: chat")
		}},
		{"extension not offered", "header", "Sec-WebSocket-Extensions", func(c net.Conn, r *http.Request) {
			accept(c, r, "Sec-WebSocket-Extensions: permessage-deflate")
		}},
		{"502", "status", "not upgraded: HTTP/1.1 502 Bad Gateway from nginx/1.20.1",
			func(c net.Conn, r *http.Request) {
				say(c, "HTTP/1.1 502 Bad Gateway", "Server: nginx/1.20.1", "Content-Length: 5")
				_, _ = io.WriteString(c, "sorry")
			}},
		{"redirection", "status", "301 Moved Permanently to https://h/", func(c net.Conn, r *http.Request) {
			say(c, "HTTP/1.1 301 Moved Permanently", "Location: https://h/", "Content-Length: 0")
		}},
		{"closed at once", "response", "closed without one", func(c net.Conn, r *http.Request) {}},
		{"closed in the header", "response", `after "HTTP/1.1 101 Sw`, func(c net.Conn, r *http.Request) {
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgr")
		}},
		{"not http", "response", "malformed HTTP", func(c net.Conn, r *http.Request) {
			_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_7.4\r\n")
		}},
		{"interim for ever", "response", "nothing but interim answers", func(c net.Conn, r *http.Request) {
			for range 100 {
				say(c, "HTTP/1.1 100 Continue")
			}
		}},
		{"huge header", "response", "longer than 64 KiB", func(c net.Conn, r *http.Request) {
			_, _ = io.WriteString(c, ok+"\r\n")
			for range 100 {
				_, _ = io.WriteString(c, "X: "+strings.Repeat("y", 4096)+"\r\n")
			}
			_, _ = io.Copy(io.Discard, c)
		}},
		{"huge status line", "response", "longer than 64 KiB", func(c net.Conn, r *http.Request) {
			_, _ = io.WriteString(c, "HTTP/1.1 101 "+strings.Repeat("y", 1<<20))
		}},
		{"slow header", "response", "none within", func(c net.Conn, r *http.Request) {
			for _, b := range []byte(ok + strings.Repeat(" ", 500)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		}},
		{"silence", "response", "none within", func(c net.Conn, r *http.Request) { _, _ = io.Copy(io.Discard, c) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const patience = 10 * time.Second
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				start := time.Now()
				hs, err := Probe(ctx, wired(tt.do))
				if got := kind(err); got != tt.kind || (err != nil) != (tt.kind != "") {
					t.Fatalf("error %v is %q, want %q", err, got, tt.kind)
				}
				if err != nil && !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error %q, want %q in it", err, tt.want)
				}
				if hs.Accepted != (tt.kind == "") {
					t.Errorf("accepted is %v", hs.Accepted)
				}
				if took := time.Since(start); took != patience && tt.want == "none within" || took > patience {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

func TestProbeEvidence(t *testing.T) {
	target := hostile(t, func(c net.Conn, r *http.Request) {
		say(c, "HTTP/1.1 403 Forbidden", "Server: backend", "Transfer-Encoding: chunked")
		_, _ = io.WriteString(c, "4\r\nbad \r\n6\r\norigin\r\n") // and no end
		_, _ = io.Copy(io.Discard, c)
	})
	hs, err := Probe(soon(t), target)
	var status *handshake.StatusError
	if !errors.As(err, &status) {
		t.Fatal(err)
	}
	if status.Code != 403 || status.Header.Get("Server") != "backend" || string(status.Body) != "bad origin" {
		t.Errorf("got %+v", status)
	}
	if string(hs.Body) != "bad origin" || hs.Status != 403 {
		t.Errorf("got %+v", hs)
	}
}

func TestProbeRequest(t *testing.T) {
	seen := make(chan *http.Request, 1)
	target := hostile(t, func(c net.Conn, r *http.Request) { seen <- r; accept(c, r) })
	target.Host, target.Path = "ws.example.com:8080", "/a%2Fb?c=d"
	target.Origin = "https://ws.example.com"
	target.Header = http.Header{"Cookie": {"a=b"}, "User-Agent": {"x"}}
	t.Setenv("http_proxy", "http://127.0.0.1:1")
	if _, err := Probe(soon(t), target); err != nil {
		t.Fatal(err)
	}
	r := <-seen
	for _, tt := range []struct{ name, got, want string }{
		{"method", r.Method, "GET"}, {"host", r.Host, "ws.example.com:8080"}, {"path", r.RequestURI, "/a%2Fb?c=d"},
		{"origin", r.Header.Get("Origin"), "https://ws.example.com"}, {"cookie", r.Header.Get("Cookie"), "a=b"},
		{"agent", strings.Join(r.Header.Values("User-Agent"), "|"), "x"},
		{"version", r.Header.Get("Sec-WebSocket-Version"), "13"},
		{"key", fmt.Sprint(len(r.Header.Get("Sec-WebSocket-Key"))), "24"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

func TestProbeInjection(t *testing.T) {
	for _, tt := range []struct {
		name   string
		target handshake.Target
	}{
		{"path", handshake.Target{Address: "127.0.0.1:1", Path: "/ HTTP/1.1\r\nX: y"}},
		{"relative path", handshake.Target{Address: "127.0.0.1:1", Path: "ws"}},
		{"host", handshake.Target{Address: "127.0.0.1:1", Host: "a\r\nX: y"}},
		{"origin", handshake.Target{Address: "127.0.0.1:1", Origin: "a\nb"}},
		{"header value", handshake.Target{Address: "127.0.0.1:1", Header: http.Header{"X": {"a\r\nb"}}}},
		{"header name", handshake.Target{Address: "127.0.0.1:1", Header: http.Header{"X: y\r\nZ": {"a"}}}},
		{"handshake field", handshake.Target{Address: "127.0.0.1:1", Header: http.Header{"Sec-WebSocket-Key": {"a"}}}},
		{"subprotocol", handshake.Target{Address: "127.0.0.1:1", Subprotocols: []string{"a, b"}}},
		{"nothing", handshake.Target{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Probe(soon(t), tt.target); err == nil || kind(err) != "" {
				t.Errorf("got %v, want a refusal before any dial", err)
			}
		})
	}
}

func TestProbeDial(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	address := l.Addr().String()
	_ = l.Close()
	_, err := Probe(soon(t), handshake.Target{Address: address})
	var dial *handshake.DialError
	if !errors.As(err, &dial) || dial.Errno != syscall.ECONNREFUSED || dial.Address != address {
		t.Fatalf("got %#v", err)
	}
	if want := "connect to " + address + ": connection refused (errno 111)"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	_, err = Probe(soon(t), handshake.Target{Address: "no.such.host.invalid:80"})
	var dns *net.DNSError
	if kind(err) != "dial" || !errors.As(err, &dns) {
		t.Errorf("got %#v", err)
	}
}

func TestProbeCancelled(t *testing.T) {
	noLeak(t)
	target := hostile(t, func(c net.Conn, r *http.Request) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := Probe(ctx, target)
	var response *handshake.ResponseError
	if !errors.Is(err, context.Canceled) || !errors.As(err, &response) || response.Timeout {
		t.Errorf("got %v", err)
	}
}
