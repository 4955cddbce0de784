package websocket

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/websocket/handshake"
)

// limited is an echo backend with its log.
func limited(t *testing.T, limits Limits) (handshake.Target, *record) {
	t.Helper()
	log := &record{}
	return startEcho(t, listen(t, "127.0.0.1:0"), limits, log.add), log
}

// ended reads until the connection is over, and wants that to be the server's doing.
func (r *raw) ended(t *testing.T) (rest []byte) {
	t.Helper()
	rest, err := io.ReadAll(r.br)
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		t.Error("the connection was not ended")
	}
	return rest
}

// upTo waits for a line of the log that has the text.
func (r *record) upTo(t *testing.T, text string) {
	t.Helper()
	for range 1000 {
		if slices.ContainsFunc(r.all(), func(line string) bool { return strings.Contains(line, text) }) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the log has %q, want a line with %q", r.all(), text)
}

// Many clients begin a message of the greatest length and never end it: what is held is the budget, not their sum.
func TestHostileEchoMemory(t *testing.T) {
	noLeak(t)
	const clients, size, memory = 64, 1 << 20, 4 << 20
	for _, tt := range []struct {
		name   string
		header http.Header
	}{
		{"plain", nil},
		{"permessage-deflate", http.Header{"Sec-Websocket-Extensions": {"permessage-deflate"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, log := limited(t, Limits{Memory: memory})
			begun := append([]byte{0x82, 0xff, 0, 0, 0, 0, size >> 24, size >> 16 & 0xff, 0, 0},
				make([]byte, 4+size-1)...)
			before, most := heap(), int64(0)
			for range clients {
				r := dialRawWith(t, target, tt.header)
				_, _ = r.Write(begun) // the echo backend may hang up within it
				most = max(most, heap()-before)
			}
			if limit := int64(memory + clients*96<<10); most > limit {
				t.Errorf("%d KiB are held, want at most %d", most>>10, limit>>10)
			}
			log.upTo(t, "because messages take all of 4096 KiB: ")
		})
	}
}

// A few bytes that inflate to far more than a message may be.
func TestHostileEchoInflates(t *testing.T) {
	noLeak(t)
	target, _ := limited(t, Limits{Memory: 8 << 20})
	var small bytes.Buffer
	w, err := flate.NewWriter(&small, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 1<<20)
	for range 64 {
		_, _ = w.Write(block)
	}
	_ = w.Flush()
	r := dialRawWith(t, target, http.Header{"Sec-Websocket-Extensions": {"permessage-deflate"}})
	before := heap()
	r.send(t, frame(0xc2, small.String()))
	if got := r.ended(t); !bytes.HasPrefix(got, []byte("\x88")) || !bytes.Contains(got, []byte("\x03\xf1")) {
		t.Errorf("answered %q, want a close with 1009", handshake.Clip(got, 40))
	}
	if more := heap() - before; more > 8<<20 {
		t.Errorf("%d KiB are held", more>>10)
	}
}

// Who is silent, or slow on purpose, is not waited for.
func TestHostileEchoClocks(t *testing.T) {
	noLeak(t)
	short := 100 * time.Millisecond
	for _, tt := range []struct {
		name   string
		limits Limits
		do     func(*raw)
		close  string // "": the client does not read
		log    string // its beginning
	}{
		{"silent", Limits{Idle: short}, func(*raw) {}, "\x88\x21\x03\xf0no message and no ping in 100ms",
			"Client disconnected: no message and no ping in 100ms"},
		{"a message a byte at a time", Limits{Transfer: short}, func(r *raw) {
			drip(r, frame(0x82, strings.Repeat("x", 60)))
		}, "\x88\x20\x03\xf0not the whole message in 100ms", "Client disconnected: not the whole message in 100ms"},
		{"fragments of nothing without end", Limits{Transfer: short}, func(r *raw) {
			_, _ = r.Write(frame(0x02, ""))
			flood(r, frame(0x00, ""))
		}, "", "Client disconnected: not the whole message in 100ms"},
		{"pings within a message", Limits{Transfer: short}, func(r *raw) {
			_, _ = r.Write(frame(0x02, "x"))
			drip(r, bytes.Repeat(frame(0x89, ""), 100))
		}, "", "Client disconnected: not the whole message in 100ms"},
		{"reads nothing", Limits{Transfer: short}, func(r *raw) {
			flood(r, frame(0x82, strings.Repeat("x", 1<<20)))
			// the echo was not taken, or on a slow machine the next message not sent, in time
		}, "", "Client disconnected: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target, log := limited(t, tt.limits)
			r := dialRaw(t, target)
			go tt.do(r)
			if tt.close != "" {
				if got := r.ended(t); string(got) != tt.close {
					t.Errorf("got %q, want %q", got, tt.close)
				}
			}
			log.upTo(t, tt.log)
			_ = r.Close()
		})
	}
	t.Run("pings keep a connection", func(t *testing.T) {
		target, _ := limited(t, Limits{Idle: 2 * time.Second})
		r := dialRaw(t, target)
		for range 6 {
			time.Sleep(500 * time.Millisecond)
			r.send(t, frame(0x89, "x"))
			r.want(t, 0x8a, "x")
		}
	})
	t.Run("never asks for anything", func(t *testing.T) {
		target, _ := limited(t, Limits{Header: short})
		c, err := net.Dial("tcp", target.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("not closed: %v", err)
		}
	})
}

// drip sends a byte every 10 ms, until the other side has gone.
func drip(r *raw, b []byte) {
	for i := range b {
		if _, err := r.Write(b[i : i+1]); err != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func flood(r *raw, b []byte) {
	for {
		if _, err := r.Write(b); err != nil {
			return
		}
	}
}

func TestHostileEchoConnections(t *testing.T) {
	noLeak(t)
	const limit = 4
	target, log := limited(t, Limits{Connections: limit})
	open := make([]*raw, limit)
	for i := range open {
		open[i] = dialRaw(t, target)
	}
	for range 3 {
		status, header := plainGet(t, target)
		if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			t.Errorf("got %d %v, want 503", status, header)
		}
	}
	log.upTo(t, "Connections refused, because 4 are open: 1")
	for range 500 { // until each connection that was taken has its line, whose order is the scheduler's
		if len(log.all()) > limit {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := len(log.all()); n != limit+1 {
		t.Errorf("the log has %q, want each refusal counted and one line", log.all())
	}
	_ = open[0].Close()
	for range 500 { // until the backend has seen it
		if status, _ := plainGet(t, target); status == http.StatusUpgradeRequired {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("a place that was left is not given away again")
}

func plainGet(t *testing.T, target handshake.Target) (int, http.Header) {
	t.Helper()
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get("http://" + target.Address + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode, resp.Header
}

// What does not even ask is not kept beyond a few, either.
func TestHostileEchoFlood(t *testing.T) {
	noLeak(t)
	target, _ := limited(t, Limits{Connections: 1})
	closed := 0
	for range 1 + spare + 20 {
		c, err := net.Dial("tcp", target.Address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		var late net.Error
		if _, err := c.Read(make([]byte, 1)); err != nil && !(errors.As(err, &late) && late.Timeout()) {
			closed++
		}
	}
	if closed < 10 {
		t.Errorf("%d of 20 connections over all limits were closed at once", closed)
	}
}

func TestHostileEchoLog(t *testing.T) {
	noLeak(t)
	const messages = 2000
	target, log := limited(t, Limits{})
	r := dialRaw(t, target)
	go flood(r, bytes.Repeat(frame(0x81, "x"), 50))
	for range messages {
		r.want(t, 0x81, "Echo: x")
	}
	_ = r.Close()
	log.upTo(t, fmt.Sprintf("Lines left out, because there are more than %d in a second: ", linesPerSecond))
}
