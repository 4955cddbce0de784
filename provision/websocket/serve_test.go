package websocket

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/websocket/handshake"

	ws "github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// raw is a client that sees every byte.
type raw struct {
	net.Conn
	br *bufio.Reader
}

func dialRaw(t *testing.T, target handshake.Target, after ...byte) *raw {
	t.Helper()
	return dialRawWith(t, target, nil, after...)
}

// dialRawWith has more fields in its request.
func dialRawWith(t *testing.T, target handshake.Target, header http.Header, after ...byte) *raw {
	t.Helper()
	c, err := net.Dial("tcp", target.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	key := handshake.NewKey()
	fields := handshake.UpgradeHeader(key, nil)
	maps.Copy(fields, header)
	if _, err := c.Write(append(handshake.Request(target, fields), after...)); err != nil { // in one segment
		t.Fatal(err)
	}
	r := &raw{c, bufio.NewReader(c)}
	resp, err := http.ReadResponse(r.br, nil)
	if err != nil || resp.StatusCode != 101 || resp.Header.Get("Sec-WebSocket-Accept") != handshake.Digest(key) {
		t.Fatalf("%v %v", resp, err)
	}
	return r
}

// frame is a client's: masked, with the first byte given.
func frame(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := []byte{1, 2, 3, 4}
	b = append(b, mask...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

func (r *raw) send(t *testing.T, b ...[]byte) {
	t.Helper()
	if _, err := r.Write(bytes.Join(b, nil)); err != nil {
		t.Fatal(err)
	}
}

// next is a server's frame of fewer than 126 bytes.
func (r *raw) next(t *testing.T) (first byte, payload string) {
	t.Helper()
	var h [2]byte
	if _, err := io.ReadFull(r.br, h[:]); err != nil {
		t.Fatal(err)
	}
	if h[1] > 125 {
		t.Fatalf("masked or long frame %x", h)
	}
	b := make([]byte, h[1])
	if _, err := io.ReadFull(r.br, b); err != nil {
		t.Fatal(err)
	}
	return h[0], string(b)
}

func (r *raw) want(t *testing.T, first byte, payload string) {
	t.Helper()
	if f, p := r.next(t); f != first || p != payload {
		t.Errorf("frame %#x %q, want %#x %q", f, p, first, payload)
	}
}

func TestServeFrames(t *testing.T) {
	noLeak(t)
	target := echo(t)
	for _, tt := range []struct {
		name    string
		send    []byte
		first   byte
		payload string
	}{
		{"text", frame(0x81, "hi"), 0x81, "Echo: hi"},
		{"empty text", frame(0x81, ""), 0x81, "Echo: "},
		{"unicode", frame(0x81, "žluťoučký"), 0x81, "Echo: žluťoučký"},
		{"binary", frame(0x82, "\x00\xff"), 0x82, "\x00\xff"},
		{"empty binary", frame(0x82, ""), 0x82, ""},
		{"fragments come back as one", slices.Concat(frame(0x01, "a"), frame(0x00, ""), frame(0x80, "b")), 0x81,
			"Echo: ab"},
		{"rune over two fragments", slices.Concat(frame(0x01, "\xe2\x82"), frame(0x80, "\xac")), 0x81, "Echo: €"},
		{"ping", frame(0x89, "x"), 0x8a, "x"},
		{"ping between fragments", slices.Concat(frame(0x01, "a"), frame(0x89, "x")), 0x8a, "x"},
		{"close", frame(0x88, "\x03\xe8"), 0x88, "\x03\xe8"},
		{"close with our own code", frame(0x88, "\x0f\xa0bye"), 0x88, "\x0f\xa0bye"},
		{"close without code", frame(0x88, ""), 0x88, ""},
		{"text not UTF-8", frame(0x81, "\xff"), 0x88, "\x03\xeftext is not UTF-8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := dialRaw(t, target)
			r.send(t, tt.send)
			r.want(t, tt.first, tt.payload)
		})
		t.Run(tt.name+", with the handshake", func(t *testing.T) {
			dialRaw(t, target, tt.send...).want(t, tt.first, tt.payload)
		})
	}
}

func TestServeBreaches(t *testing.T) {
	noLeak(t)
	target := echo(t)
	for _, tt := range []struct {
		name string
		send []byte
	}{
		{"unmasked", []byte("\x81\x02hi")},
		{"reserved bit", frame(0xa1, "hi")},
		{"compressed though not agreed", frame(0xc1, "hi")},
		{"unknown opcode", frame(0x83, "hi")},
		{"continuation of nothing", frame(0x80, "hi")},
		{"new message within another", slices.Concat(frame(0x01, "a"), frame(0x81, "b"))},
		{"fragmented ping", frame(0x09, "hi")},
		{"long ping", frame(0x89, strings.Repeat("x", 126))},
		{"close with a code not for the wire", frame(0x88, "\x03\xee")},
		{"longer than 1 MiB", append([]byte{0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0}, make([]byte, 1000)...)},
		{"negative length", append([]byte{0x82, 0xff, 0xff, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0},
			make([]byte, 1000)...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := dialRaw(t, target)
			r.send(t, tt.send)
			if tc, ok := r.Conn.(*net.TCPConn); ok {
				_ = tc.CloseWrite()
			}
			rest, _ := io.ReadAll(r.br)
			if len(rest) > 0 && rest[0] != 0x88 {
				t.Errorf("answered %q, want a close frame or an end", handshake.Clip(rest, 40))
			}
		})
	}
}

func TestServeLog(t *testing.T) {
	noLeak(t)
	log := &record{}
	target := startEcho(t, listen(t, "127.0.0.1:0"), Limits{}, log.add)
	r := dialRaw(t, target)
	r.send(t, frame(0x81, "hi"), frame(0x81, "a\nb\x1b[31m"), frame(0x81, strings.Repeat("é", 300)),
		frame(0x82, "\x00\x01"), frame(0x88, "\x03\xe8"))
	want := []string{
		"Client connected", "Received: hi", `Received: a\nb\x1b[31m`,
		"Received: " + strings.Repeat("é", 200) + "… (600 bytes)", "Received: 2 bytes", "Client disconnected",
	}
	for i, line := range want {
		want[i] = "[" + r.LocalAddr().String() + "] " + line
	}
	if diff := cmp.Diff(want, log.wait(t, len(want))); diff != "" {
		t.Error(diff)
	}
}

// TestHostileClientName: behind a proxy the log says for whom it asks, on one line and not for ever.
func TestHostileClientName(t *testing.T) {
	remote := &net.TCPAddr{IP: net.IPv6loopback, Port: 4}
	for _, tt := range []struct{ asked, want string }{
		{"", "[[::1]:4]"},
		{"203.0.113.7", "[[::1]:4 for 203.0.113.7]"},
		{"x]\nClient connected\x1b[2J", `[[::1]:4 for x]\nClient connected\x1b[2J]`},
		{strings.Repeat("9", 9000), "[[::1]:4 for " + strings.Repeat("9", 200) + "… (9000 bytes)]"},
	} {
		if got := nameOf(remote, http.Header{"X-Forwarded-For": {tt.asked}}); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestServePlainHTTP(t *testing.T) {
	target := echo(t)
	for _, tt := range []struct {
		name    string
		request string
		status  int
	}{
		{"a browser's address bar", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 426},
		{"http 1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 426},
		{"connection: close, as nginx without the map",
			"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nUpgrade: websocket\r\n\r\n", 426},
		{"no key", "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: " +
			"13\r\n\r\n", 400},
		{"old version", "GET / HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: " +
			"websocket\r\nSec-WebSocket-Version: 8\r\n\r\n", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", target.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, _ = io.WriteString(c, tt.request)
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || resp.StatusCode != tt.status {
				t.Errorf("got %v %v, want %d", resp, err, tt.status)
			}
		})
	}
}

func TestServeEnds(t *testing.T) {
	noLeak(t)
	ctx, cancel := context.WithCancel(t.Context())
	l := listen(t, "127.0.0.1:0")
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, Limits{}, nil) }()
	target := handshake.Target{Address: l.Addr().String()}
	polite, _, err := open(soon(t), target, dialOptions{limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	defer polite.end()
	deaf := dialRaw(t, target) // never answers the close frame
	half, err := net.Dial("tcp", target.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	_, _ = io.WriteString(half, "GET / HT")
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Serve did not end")
	}
	deaf.want(t, 0x88, "\x03\xe9")
	for range polite.in {
	}
	if code, _ := polite.watch.seen().closing(); code != 1001 {
		t.Errorf("close code %d, want 1001", code)
	}
}

// A connection that lies idle after a long message does not keep its memory.
func TestServeLongMessageIsLetGo(t *testing.T) {
	noLeak(t)
	const size, block = 32 << 20, 1 << 20
	r := dialRaw(t, roomyEcho(t))
	before := heap()
	r.send(t, []byte{0x82, 0xff, 0, 0, 0, 0, size >> 24, 0, 0, 0}, make([]byte, 4)) // under a mask of zeros
	for range size / block {
		r.send(t, make([]byte, block))
	}
	if _, err := io.CopyN(io.Discard, r.br, 10+size); err != nil {
		t.Fatal(err)
	}
	var more int64
	for range 500 {
		if more = heap() - before; more < size/4 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d bytes are still held, want fewer than a message's", more)
}

// heap is what is reachable.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestServeListenerLost(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	_ = l.Close()
	if err := Serve(soon(t), l, Limits{}, nil); err == nil || !strings.HasPrefix(err.Error(), "echo backend: ") {
		t.Errorf("got %v", err)
	}
}

func TestEchoSizes(t *testing.T) {
	noLeak(t)
	target := roomyEcho(t)
	for _, compress := range []bool{false, true} {
		for _, n := range []int{0, 125, 126, 65535, 65536, 16<<20 + 1} {
			if compress {
				n = min(n, 1<<20) // the race detector makes minutes of more
			}
			t.Run(fmt.Sprintf("%d bytes, compress %v", n, compress), func(t *testing.T) {
				s, hs, err := open(soon(t), target, dialOptions{limit: 32 << 20, compress: compress})
				if err != nil {
					t.Fatal(err)
				}
				defer s.end()
				if got := hs.Header.Get("Sec-WebSocket-Extensions") != ""; got != compress {
					t.Errorf("extensions %q", hs.Header.Get("Sec-WebSocket-Extensions"))
				}
				data := pattern(n)
				if _, err := s.echo(soon(t), ws.MessageBinary, data, 15*time.Second); err != nil {
					t.Fatal(err)
				}
				if want := compress && n >= 512; (s.watch.seen().compressed > 0) != want {
					t.Errorf("compressed %v, want %v", !want, want)
				}
			})
		}
	}
}

// pattern is newBinary made cheaper for many bytes.
func pattern(n int) []byte {
	block := newBinary(min(n, 64<<10))
	return bytes.Repeat(block, n/max(len(block), 1)+1)[:n]
}

func TestServeMany(t *testing.T) {
	noLeak(t)
	target := echo(t)
	timing, err := Measure(soon(t), target, Load{Count: 300, Concurrency: 100})
	if err != nil || timing.Count != 300 {
		t.Fatalf("%+v %v", timing, err)
	}
}
