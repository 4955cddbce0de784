package render_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/nginx/nginxtest"
)

// willing is a backend that follows every protocol it is asked for, as one that speaks h2c does.
func willing(t *testing.T, asked chan<- http.Header) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil {
				c.Close()
				continue
			}
			asked <- r.Header
			answer := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
			if to := r.Header.Get("Upgrade"); to != "" {
				answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: " + to + "\r\n\r\n"
			}
			fmt.Fprint(c, answer)
			c.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// TestHostileUpgrade: a client gets no protocol but a WebSocket's past nginx, whatever it asks for and however.
func TestHostileUpgrade(t *testing.T) {
	nginxtest.NeedNginx(t, false)
	asked := make(chan http.Header, 1)
	s := nginxtest.Example(nginxtest.FreePort(t))
	s.Listen[0].Address, s.Locations[0].Backends[0].Port = "127.0.0.1", willing(t, asked)
	h := nginxtest.NewHost(t, map[string]string{"conf.d/site.conf": nginxtest.Rendered(t, s)})
	h.Start()
	for _, test := range []struct {
		fields string
		passed bool
	}{
		{"Upgrade: websocket", true},
		{"Upgrade: WebSocket", true},
		{"Upgrade: WEBSOCKET", true},
		{"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", false},
		{"Upgrade: h2c, websocket", false},
		{"Upgrade: websocket, h2c", false},
		{"Upgrade: websocket/13", false},
		{"Upgrade: xwebsocket", false},
		{"Upgrade: websocketx", false},
		{"Upgrade: default", false},
		{"Upgrade: TLS/1.2", false},
		{"Upgrade: h2c\r\nUpgrade: websocket", false},
		{"Upgrade: websocket\r\nUpgrade: websocket", false}, // either is right; nginx before 1.23 takes the first
		{"Upgrade: websocket\r\nUpgrade: h2c", false},       // as well; never is h2c passed on
		{"Upgrade:", false},
		{"X: y", false},
	} {
		status := request(t, s.Listen[0].String(), test.fields)
		got := <-asked
		field, connection := strings.Join(got.Values("Upgrade"), "|"), strings.Join(got.Values("Connection"), "|")
		twice := strings.Count(test.fields, "Upgrade:") == 2 && strings.HasPrefix(test.fields, "Upgrade: websocket")
		switch {
		case field == "websocket" && connection == "upgrade" && status == 101 && (test.passed || twice):
		case field == "" && connection == "close" && status == 200 && !test.passed:
		default:
			t.Errorf("%q: %d, and the backend was asked with Upgrade %q, Connection %q", test.fields, status, field,
				connection)
		}
	}
}

// request asks for an upgrade with some fields, and gives the status of the answer.
func request(t *testing.T, address, fields string) int {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(c, "GET /ws/ HTTP/1.1\r\nHost: ws.example.com\r\nConnection: Upgrade, HTTP2-Settings\r\n%s\r\n\r\n",
		fields)
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%q: %v", fields, err)
	}
	return r.StatusCode
}
