package websocket

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// closing calls do before the close frame is written: after it the client may be gone already, and another in its
// place.
type closing struct {
	net.Conn
	do func()
}

func (c closing) Write(p []byte) (int, error) {
	if p[0] == 0x88 {
		c.do()
	}
	return c.Conn.Write(p)
}

func TestMeasure(t *testing.T) {
	noLeak(t)
	var all, most, now atomic.Int32
	target := hostile(t, func(c net.Conn, r *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if all.Add(1) == 3 {
			now.Add(-1)
			say(c, "HTTP/1.1 502 Bad Gateway", "Content-Length: 0")
			return
		}
		accept(c, r)
		(&raw{Conn: closing{c, func() { now.Add(-1) }}}).serveFrames(func([]byte) bool { return true })
	})
	got, err := Measure(soon(t), target, Load{Count: 20, Concurrency: 4})
	if kind(err) != "status" || got.Count != 19 || got.Failed != 1 {
		t.Fatalf("got %+v %v", got, err)
	}
	if h := got.Handshake; h.P50 <= 0 || h.P50 > h.P90 || h.P90 > h.P99 || h.P99 > h.Max || got.RoundTrip.P50 <= 0 {
		t.Errorf("got %+v", got)
	}
	if most.Load() > 4 {
		t.Errorf("%d at a time, want 4", most.Load())
	}
}

func TestMeasureStops(t *testing.T) {
	noLeak(t)
	target := hostile(t, func(c net.Conn, r *http.Request) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := Measure(ctx, target, Load{Count: 1000, Concurrency: 2})
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 10*time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
}

func TestPercentiles(t *testing.T) {
	var d []time.Duration
	for i := 200; i >= 1; i-- {
		d = append(d, time.Duration(i))
	}
	for _, tt := range []struct {
		name string
		in   []time.Duration
		want Percentiles
	}{
		{"none", nil, Percentiles{}},
		{"one", []time.Duration{7}, Percentiles{7, 7, 7, 7}},
		{"two", []time.Duration{9, 7}, Percentiles{7, 9, 9, 9}},
		{"200", d, Percentiles{100, 180, 198, 200}},
	} {
		if got := percentiles(tt.in); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
