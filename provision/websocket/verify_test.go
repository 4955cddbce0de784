package websocket

import (
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wsprovision/provision/websocket/handshake"

	"github.com/google/go-cmp/cmp"
)

// verdicts is the checks in short: name=ok, name=failed or name=skipped.
func verdicts(list []Check) string {
	var out []string
	for _, c := range list {
		v := "ok"
		switch {
		case c.Failed():
			v = "failed"
		case c.Skipped != "":
			v = "skipped"
		}
		out = append(out, c.Name+"="+v)
	}
	return strings.Join(out, " ")
}

func find(t *testing.T, list []Check, name string) Check {
	t.Helper()
	for _, c := range list {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check %s in %s", name, verdicts(list))
	return Check{}
}

// scripted is a WebSocket server that does as told, frame by frame.
func scripted(t *testing.T, do func(*raw)) handshake.Target {
	return hostile(t, script(do))
}

func script(do func(*raw)) func(net.Conn, *http.Request) {
	return func(c net.Conn, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			say(c, "HTTP/1.1 426 Upgrade Required", "Content-Length: 0")
			return
		}
		accept(c, r)
		do(&raw{Conn: c})
	}
}

// client is the next frame of a client, unmasked.
func (r *raw) client() (first byte, payload []byte, ok bool) {
	var h [14]byte
	if _, err := io.ReadFull(r.Conn, h[:2]); err != nil {
		return 0, nil, false
	}
	n := uint64(h[1] & 0x7f)
	switch n {
	case 126:
		_, _ = io.ReadFull(r.Conn, h[6:8])
		n = uint64(h[6])<<8 | uint64(h[7])
	case 127:
		_, _ = io.ReadFull(r.Conn, h[:8])
		n = uint64(binary.BigEndian.Uint32(h[4:8]))
		h[0] = 0x82
	}
	mask := make([]byte, 4)
	_, _ = io.ReadFull(r.Conn, mask)
	payload = make([]byte, n)
	_, err := io.ReadFull(r.Conn, payload)
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return h[0], payload, err == nil
}

// serveFrames answers pings and close, and hands messages to do.
func (r *raw) serveFrames(do func(payload []byte) bool) {
	for {
		first, payload, ok := r.client()
		if !ok {
			return
		}
		switch first & 0xf {
		case opPing:
			_, _ = r.Write(append([]byte{0x8a, byte(len(payload))}, payload...))
		case opClose:
			_, _ = r.Write(append([]byte{0x88, byte(len(payload))}, payload...))
			return
		default:
			if !do(payload) {
				return
			}
		}
	}
}

func TestVerifyEcho(t *testing.T) {
	noLeak(t)
	for _, tt := range []struct {
		name    string
		options Options
		want    string
	}{
		{"auto", Options{}, "tcp=ok upgrade=ok headers=ok accept=ok text-echo=ok binary-64k-echo=ok ping=ok close=ok " +
			"no-upgrade-without-header=ok other-host=skipped idle=skipped"},
		{"yes", Options{Echo: EchoYes, Idle: 50 * time.Millisecond}, "tcp=ok upgrade=ok headers=ok accept=ok " +
			"text-echo=ok binary-64k-echo=ok ping=ok close=ok no-upgrade-without-header=ok other-host=skipped idle=ok"},
		{"no", Options{Echo: EchoNo}, "tcp=ok upgrade=ok headers=ok accept=ok text-echo=skipped " +
			"binary-64k-echo=skipped ping=ok close=ok no-upgrade-without-header=ok other-host=skipped idle=skipped"},
		{"a backend of every name", Options{OtherHost: "other.example.com"}, "tcp=ok upgrade=ok headers=ok accept=ok " +
			"text-echo=ok binary-64k-echo=ok ping=ok close=ok no-upgrade-without-header=ok other-host=failed " +
			"idle=skipped"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := verdicts(Verify(soon(t), echo(t), tt.options)); got != tt.want {
				t.Error(cmp.Diff(tt.want, got))
			}
		})
	}
}

func TestVerifyOpeningFails(t *testing.T) {
	noLeak(t)
	const rest = " text-echo=skipped binary-64k-echo=skipped ping=skipped close=skipped " +
		"no-upgrade-without-header=skipped other-host=skipped idle=skipped"
	closed := listen(t, "127.0.0.1:0")
	_ = closed.Close()
	for _, tt := range []struct {
		name, want string
		target     handshake.Target
	}{
		{"refused", "tcp=failed upgrade=skipped headers=skipped accept=skipped",
			handshake.Target{Address: closed.Addr().String()}},
		{"502", "tcp=ok upgrade=failed headers=skipped accept=skipped", hostile(t, func(c net.Conn, r *http.Request) {
			say(c, "HTTP/1.1 502 Bad Gateway", "Content-Length: 0")
		})},
		{"wrong digest", "tcp=ok upgrade=ok headers=ok accept=failed", hostile(t, func(c net.Conn, r *http.Request) {
			say(c, "HTTP/1.1 101 X", "Upgrade: websocket", "Connection: upgrade", "Sec-WebSocket-Accept: x")
		})},
		{"wrong header", "tcp=ok upgrade=ok headers=failed accept=ok", hostile(t, func(c net.Conn, r *http.Request) {
			say(c, "HTTP/1.1 101 X", "Connection: upgrade", "Sec-WebSocket-Accept: "+
				handshake.Digest(r.Header.Get("Sec-WebSocket-Key")))
		})},
		{"neither", "tcp=ok upgrade=ok headers=failed accept=failed", hostile(t, func(c net.Conn, r *http.Request) {
			say(c, "HTTP/1.1 101 X")
		})},
		{"plain server, tls asked", "tcp=ok certificate=failed upgrade=skipped headers=skipped accept=skipped",
			func() handshake.Target {
				x := hostile(t, func(c net.Conn, r *http.Request) {})
				x.TLS = &tls.Config{}
				return x
			}()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := verdicts(Verify(soon(t), tt.target, Options{Timeout: 5 * time.Second})); got != tt.want+rest {
				t.Error(cmp.Diff(tt.want+rest, got))
			}
		})
	}
}

func TestVerifyBackends(t *testing.T) {
	noLeak(t)
	send := func(r *raw, first byte, payload string) { _, _ = r.Write(unmask(first, payload)) }
	var wasCut atomic.Bool
	var group sync.WaitGroup // they mostly wait, and t.Parallel would let no more of them than there are CPUs
	for _, tt := range []struct {
		name    string
		options Options
		do      func(*raw)
		want    string // text, binary, ping, close
	}{
		{"silent", Options{}, func(r *raw) {
			r.serveFrames(func([]byte) bool { return true })
		}, "skipped skipped ok ok"},
		{"silent though it must not be", Options{Echo: EchoYes}, func(r *raw) {
			r.serveFrames(func([]byte) bool { return true })
		}, "failed failed ok ok"},
		{"raw echo after a greeting", Options{}, func(r *raw) {
			send(r, 0x81, "welcome")
			r.serveFrames(func(p []byte) bool { send(r, 0x82, string(p)); return true })
		}, "ok ok ok ok"},
		{"chat", Options{}, func(r *raw) {
			r.serveFrames(func(p []byte) bool { send(r, 0x81, `{"from":"you","text":"`+string(p)+`"}`); return true })
		}, "ok ok ok ok"},
		{"the tutorial's, which makes text of binary", Options{Echo: EchoYes}, func(r *raw) {
			r.serveFrames(func(p []byte) bool {
				send(r, 0x81, "Echo: "+strings.ToValidUTF8(string(p), "\ufffd"))
				return true
			})
		}, "ok ok ok ok"},
		{"says other things", Options{}, func(r *raw) {
			r.serveFrames(func(p []byte) bool { send(r, 0x81, "what?"); return true })
		}, "skipped skipped ok ok"},
		{"echo of text only", Options{}, func(r *raw) {
			r.serveFrames(func(p []byte) bool {
				if len(p) < 1000 {
					send(r, 0x81, string(p))
				}
				return true
			})
		}, "ok failed ok ok"},
		{"chat of text only", Options{}, func(r *raw) {
			r.serveFrames(func(p []byte) bool {
				if len(p) < 1000 {
					send(r, 0x81, `{"text":"`+string(p)+`"}`)
				}
				return true
			})
		}, "ok skipped ok ok"},
		{"binary refused with 1003", Options{}, func(r *raw) {
			r.serveFrames(func(p []byte) bool {
				if len(p) < 1000 {
					send(r, 0x81, string(p))
					return true
				}
				send(r, 0x88, "\x03\xeb")
				_, _, _ = r.client()
				return false
			})
		}, "ok skipped ok ok"},
		{"truncates", Options{}, func(r *raw) {
			r.serveFrames(func(p []byte) bool { send(r, 0x81, "Echo: "+string(p[:min(len(p), 4096)])); return true })
		}, "ok failed ok ok"},
		{"closes politely what it does not know", Options{}, func(r *raw) {
			r.serveFrames(func([]byte) bool { send(r, 0x88, "\x03\xf0policy"); _, _, _ = r.client(); return false })
		}, "skipped skipped ok ok"},
		{"cut without a close frame", Options{}, func(r *raw) {
			r.serveFrames(func([]byte) bool { return false })
		}, "failed failed ok ok"},
		{"cuts the first long message", Options{}, func(r *raw) {
			r.serveFrames(func(p []byte) bool {
				if len(p) > 1000 && !wasCut.Swap(true) {
					return false
				}
				send(r, 0x82, string(p))
				return true
			})
		}, "ok failed ok ok"},
		{"masks", Options{}, func(r *raw) {
			r.serveFrames(func(p []byte) bool { _, _ = r.Write(frame(0x81, string(p))); return true })
		}, "failed failed ok ok"},
		{"no pong, no close", Options{Echo: EchoNo}, func(r *raw) {
			_, _ = io.Copy(io.Discard, r.Conn)
		}, "skipped skipped failed failed"},
	} {
		tt.options.Timeout, tt.options.EchoWait = 10*time.Second, 5*time.Second
		if strings.HasPrefix(tt.want, "skipped") { // nothing hangs on an echo
			tt.options.EchoWait = 500 * time.Millisecond
		}
		if strings.Contains(tt.want, "failed") {
			tt.options.Timeout = 3 * time.Second
		}
		target := scripted(t, tt.do)
		group.Go(func() {
			list := Verify(soon(t), target, tt.options)
			var got []string
			for _, v := range strings.Fields(verdicts(list)) {
				name, verdict, _ := strings.Cut(v, "=")
				switch name {
				case "text-echo", "binary-64k-echo", "ping", "close":
					got = append(got, verdict)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("%s: got %s, want %s: %+v", tt.name, s, tt.want, list)
			}
		})
	}
	deaf := scripted(t, func(r *raw) { _, _ = io.Copy(io.Discard, r.Conn) })
	group.Go(func() { noCloseFrame(t, deaf) })
	group.Wait()
}

// noCloseFrame: the library waits 5 s, fewer than Timeout; a peer that is there all the while has cut nothing.
func noCloseFrame(t *testing.T, deaf handshake.Target) {
	v := &verifier{target: deaf, options: Options{}.withDefaults()}
	c := v.check(soon(t), "close", 0, v.close)
	if c.Err == nil || pick[*CloseError](c.Err) != nil || !strings.HasPrefix(c.Err.Error(), "no close frame within ") {
		t.Errorf("no close frame: got %+v", c)
	}
}

// unmask is a server's frame.
func unmask(first byte, payload string) []byte {
	b := frame(first, payload)
	head := headSize(b[1])
	b[1] &= 0x7f
	return append(b[:head:head], payload...)
}

func TestVerifyIdleCut(t *testing.T) {
	noLeak(t)
	for _, tt := range []struct {
		name string
		do   func(*raw)
		code int
	}{
		{"cut", func(r *raw) { time.Sleep(time.Second) }, 1006},
		{"closed", func(r *raw) { time.Sleep(time.Second); _, _ = r.Write([]byte("\x88\x02\x03\xe9")) }, 1001},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := &verifier{target: scripted(t, tt.do), options: Options{Idle: 10 * time.Second}.withDefaults()}
			c := v.check(soon(t), "idle", v.options.Idle, v.idle)
			var idle *IdleError
			if !c.Failed() || !errors.As(c.Err, &idle) {
				t.Fatalf("got %+v", c)
			}
			if idle.Code != tt.code || idle.After < 300*time.Millisecond || idle.After > 8*time.Second {
				t.Errorf("got %+v, want code %d after 1s", idle, tt.code)
			}
		})
	}
}

// A peer that hangs up must not look like one that is slow with its pong.
func TestVerifyPingCut(t *testing.T) {
	noLeak(t)
	target := scripted(t, func(r *raw) { _, _, _ = r.client() })
	c := find(t, Verify(soon(t), target, Options{Echo: EchoNo, Timeout: 15 * time.Second}), "ping")
	if closed, ok := pick[*CloseError](c.Err).(*CloseError); !ok || closed.Code != 1006 || c.Took > 10*time.Second {
		t.Errorf("got %+v", c)
	}
}

func TestVerifyPlainUpgraded(t *testing.T) {
	target := hostile(t, func(c net.Conn, r *http.Request) {
		accept(c, r)
		(&raw{Conn: c}).serveFrames(func([]byte) bool { return true })
	})
	list := Verify(soon(t), target, Options{Echo: EchoNo})
	if c := find(t, list, "no-upgrade-without-header"); !c.Failed() {
		t.Errorf("got %+v", c)
	}
}

func TestVerifyOtherHost(t *testing.T) {
	secret := make(chan string, 10)
	target := hostile(t, func(c net.Conn, r *http.Request) {
		if r.Host == "other.example.com" {
			secret <- r.Header.Get("Authorization")
			say(c, "HTTP/1.1 404 Not Found", "Content-Length: 0")
			return
		}
		accept(c, r)
		(&raw{Conn: c}).serveFrames(func([]byte) bool { return true })
	})
	target.Header = http.Header{"Authorization": {"Bearer x"}}
	list := Verify(soon(t), target, Options{Echo: EchoNo, OtherHost: "other.example.com"})
	if c := find(t, list, "other-host"); !c.OK || c.Detail != "HTTP/1.1 404 Not Found" {
		t.Errorf("got %+v", c)
	}
	if got := <-secret; got != "" {
		t.Errorf("the other site was told %q", got)
	}
}
