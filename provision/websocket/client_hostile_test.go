package websocket

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A server that answers the handshake and then does what no server should: nobody waits for its end, or keeps it all.
func TestHostileServerFrames(t *testing.T) {
	noLeak(t)
	gigabyte := binary.BigEndian.AppendUint64([]byte{0x82, 127}, 1<<30)
	for _, tt := range []struct {
		name  string
		first []byte
		then  []byte // without end
		slow  bool   // a byte every 10 ms
	}{
		{"a message of 1 GiB", gigabyte, make([]byte, 64<<10), false},
		{"a message of 1 GiB in fragments of 32 KiB", []byte("\x02\x00"),
			append([]byte{0x00, 126, 0x80, 0}, make([]byte, 32<<10)...), false},
		{"messages without end", nil, bytes.Repeat([]byte("\x81\x05hello"), 1000), false},
		{"fragments of nothing without end", []byte("\x01\x00"), bytes.Repeat([]byte("\x00\x00"), 1000), false},
		{"pings without end", nil, bytes.Repeat([]byte("\x89\x01x"), 1000), false},
		{"a message a byte at a time", gigabyte, []byte("x"), true},
		{"a close frame a byte at a time", []byte("\x88\x7d"), []byte("x"), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // most of it is waiting
			target := hostile(t, func(c net.Conn, r *http.Request) {
				if r.Header.Get("Upgrade") == "" {
					return
				}
				accept(c, r)
				go func() { _, _ = io.Copy(io.Discard, c) }()
				_, err := c.Write(tt.first)
				for err == nil {
					_, err = c.Write(tt.then)
					if tt.slow {
						time.Sleep(10 * time.Millisecond)
					}
				}
			})
			most := peak(t, func() {
				if _, err := Probe(soon(t), target); err != nil {
					t.Errorf("Probe: %v", err)
				}
				for _, c := range Verify(soon(t), target, Options{Timeout: 300 * time.Millisecond, Echo: EchoYes}) {
					if c.Took > 10*time.Second {
						t.Errorf("the check %s took %s", c.Name, c.Took)
					}
				}
			})
			if most > 96<<20 { // of all that run at once
				t.Errorf("verify held %d KiB", most>>10)
			}
			most = peak(t, func() {
				o := ConnectOptions{Wait: 200 * time.Millisecond, MaxMessage: 4 << 20, arrival: 500 * time.Millisecond}
				_, _, _ = Connect(soon(t), target, strings.NewReader("hi\n"), io.Discard, o)
			})
			if most > 192<<20 {
				t.Errorf("connect held %d KiB", most>>10)
			}
		})
	}
}

// peak is how much more was held at most while do ran, which has to end.
func peak(t *testing.T, do func()) int64 {
	t.Helper()
	before := heap()
	var most atomic.Int64
	done, seen := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(seen)
		for {
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
				most.Store(max(most.Load(), heap()-before))
			}
		}
	}()
	start := time.Now()
	do()
	close(done)
	<-seen
	if took := time.Since(start); took > 19*time.Second {
		t.Errorf("it took %s", took)
	}
	return most.Load()
}

// What a server writes into a header is shown only as far as a sentence can hold it.
func TestHostileServerHeader(t *testing.T) {
	long := strings.Repeat("y", 20<<10)
	for _, head := range [][]string{
		{"HTTP/1.1 502 " + long},
		{"HTTP/1.1 302 Found", "Server: " + long, "Location: " + long},
		{"HTTP/1.1 101 Switching Protocols", "Upgrade: " + long, "Connection: " + long},
		{"HTTP/1.1 101 " + long, "Sec-WebSocket-Accept: " + long},
	} {
		hs, err := Probe(soon(t), hostile(t, func(c net.Conn, _ *http.Request) { say(c, head...) }))
		if err == nil || len(err.Error()) > 1500 || len(hs.StatusLine) > 300 {
			t.Errorf("%.40q: a message of %d bytes, a status line of %d", head[0], len(err.Error()), len(hs.StatusLine))
		}
	}
}
