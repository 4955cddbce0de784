package websocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"wsprovision/provision/websocket/handshake"

	"github.com/google/go-cmp/cmp"
)

func TestConnect(t *testing.T) {
	noLeak(t)
	big := strings.Repeat("x", 16<<20)
	for _, tt := range []struct {
		name, in, want string
		options        ConnectOptions
	}{
		{"one line", "hi\n", "Echo: hi\n", ConnectOptions{}},
		{"no line end", "hi", "Echo: hi\n", ConnectOptions{}},
		{"nothing", "", "", ConnectOptions{}},
		{"empty lines are messages", "a\n\nb\n", "Echo: a\nEcho: \nEcho: b\n", ConnectOptions{}},
		{"crlf", "a\r\nb\r\n", "Echo: a\nEcho: b\n", ConnectOptions{}},
		{"binary as hex", "a\nb\n", "61\n62\n", ConnectOptions{SendBinary: true}},
		{"what steers a terminal", "a\x1b[2J\u202eb\n", `Echo: a\u001b[2J\u202eb` + "\n", ConnectOptions{}},
		{"other scripts, longer than a piece", strings.Repeat("世", 30<<10),
			"Echo: " + strings.Repeat("世", 30<<10) + "\n", ConnectOptions{}},
		{"text raw", "a\x1b[2J\n", "Echo: a\x1b[2J\n", ConnectOptions{Raw: true}},
		{"binary raw", "a\n\xff\n", "a\xff", ConnectOptions{SendBinary: true, Raw: true}},
		{"compressed", strings.Repeat("y", 5000), "Echo: " + strings.Repeat("y", 5000) + "\n",
			ConnectOptions{Compress: true}},
		{"16 MiB in a line", big, "Echo: " + big + "\n", ConnectOptions{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			tt.options.Wait = 15 * time.Second
			code, reason, err := Connect(soon(t), roomyEcho(t), strings.NewReader(tt.in), &out, tt.options)
			if code != 1000 || reason != "" || err != nil {
				t.Errorf("got %d %q %v, want 1000", code, reason, err)
			}
			if out.String() != tt.want {
				t.Errorf("got %q, want %q", handshake.Clip(out.Bytes(), 80), handshake.Clip([]byte(tt.want), 80))
			}
		})
	}
}

func TestConnectInOrder(t *testing.T) {
	noLeak(t)
	var in, want strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&in, "message %d\n", i)
		fmt.Fprintf(&want, "Echo: message %d\n", i)
	}
	var out bytes.Buffer
	code, _, err := Connect(soon(t), echo(t), strings.NewReader(in.String()), &out,
		ConnectOptions{Ping: 10 * time.Millisecond, Wait: 15 * time.Second})
	if code != 1000 || err != nil {
		t.Fatalf("got %d %v", code, err)
	}
	if out.String() != want.String() {
		t.Error("not the 10 000 answers in order")
	}
}

// A ping is under way whenever the input ends; it must not cost the closing handshake.
func TestConnectEndsDuringPing(t *testing.T) {
	noLeak(t)
	target, o := echo(t), ConnectOptions{Ping: time.Microsecond, Wait: 5 * time.Millisecond}
	for range 200 {
		if code, _, err := Connect(soon(t), target, strings.NewReader("hi\n"), io.Discard, o); code != 1000 ||
			err != nil {
			t.Fatalf("got %d %v", code, err)
		}
	}
}

func TestConnectPeerCloses(t *testing.T) {
	noLeak(t)
	for _, tt := range []struct {
		name, reason string
		bytes        string
		code         int
		err          string // the end of it
	}{
		{"with its own code", "over", "\x88\x06\x0f\xa1over", 4001, ""},
		{"normally", "", "\x88\x02\x03\xe8", 1000, ""},
		{"without code", "", "\x88\x00", 1005, ""},
		{"without close frame", "", "", 1006, " without a close frame"},
		{"after a message", "", "\x81\x03bye\x88\x02\x03\xe9", 1001, ""},
		{"text that is none", "", "\x81\x01\xff", 1006, "not UTF-8"},
		{"masked", "", "\x81\x81\x00\x00\x00\x00a", 1006,
			"frame: the server masked it (opcode 1); RFC 6455 section 5.1 forbids it"},
		{"longer than we take", "", string(unmask(0x81, strings.Repeat("x", 200))), 1006,
			"websocket: message too big: read limited at 101 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := hostile(t, func(c net.Conn, r *http.Request) {
				accept(c, r)
				_, _ = io.WriteString(c, tt.bytes)
				time.Sleep(50 * time.Millisecond)
			})
			r, w, err := os.Pipe() // a terminal on which nobody types
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			defer w.Close()
			var out bytes.Buffer
			code, reason, err := Connect(soon(t), target, r, &out, ConnectOptions{MaxMessage: 100})
			if code != tt.code || reason != tt.reason || (err != nil) != (tt.err != "") {
				t.Errorf("got %d %q %v, want %d %q, error %q", code, reason, err, tt.code, tt.reason, tt.err)
			}
			if err != nil && !strings.HasSuffix(err.Error(), tt.err) {
				t.Errorf("got %v, want %q at its end", err, tt.err)
			}
			if want := strings.Contains(tt.bytes, "bye"); (out.String() == "bye\n") != want {
				t.Errorf("printed %q", out.String())
			}
		})
	}
}

func TestConnectSilentBackend(t *testing.T) {
	for name, ping := range map[string]time.Duration{"no ping": 0, "pongs are no answer": 50 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				target := wired(script(func(r *raw) { r.serveFrames(func([]byte) bool { return true }) }))
				start := time.Now()
				o := ConnectOptions{Wait: 300 * time.Millisecond, Ping: ping}
				code, _, err := Connect(soon(t), target, strings.NewReader("hi\n"), io.Discard, o)
				if took := time.Since(start); code != 1000 || err != nil || took != 300*time.Millisecond {
					t.Errorf("got %d %v after %s, want 1000 after 300ms", code, err, took)
				}
			})
		})
	}
}

func TestConnectTalkativeBackend(t *testing.T) {
	bubble(t, func(t *testing.T) {
		target := wired(script(func(r *raw) {
			go func() {
				for {
					if _, err := r.Write([]byte("\x81\x04tick")); err != nil {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}()
			r.serveFrames(func([]byte) bool { return true })
		}))
		start := time.Now()
		_, _, err := Connect(soon(t), target, strings.NewReader("hi\n"), io.Discard,
			ConnectOptions{Wait: 300 * time.Millisecond})
		if took := time.Since(start); err != nil || took < settleTime || took > 300*time.Millisecond {
			t.Errorf("took %s: %v, want at most the 300ms of Wait", took, err)
		}
	})
}

func TestConnectInterrupted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		codes := make(chan string, 1)
		target := wired(script(func(r *raw) {
			for {
				first, payload, ok := r.client()
				if !ok || first&0xf == opClose {
					codes <- fmt.Sprintf("%x", payload)
					time.Sleep(closeWait + 200*time.Millisecond) // a slow link; our patience is longer here
					_, _ = r.Write(append([]byte{0x88, byte(len(payload))}, payload...))
					return
				}
			}
		}))
		r, w := net.Pipe() // with read deadlines, as a terminal
		defer r.Close()
		defer w.Close()
		ctx, cancel := context.WithCancel(t.Context())
		code, _, err := Connect(ctx, target, r, io.Discard, ConnectOptions{Opened: func(handshake.Result) {
			time.AfterFunc(50*time.Millisecond, cancel)
		}})
		if code != 1001 || !errors.Is(err, context.Canceled) {
			t.Errorf("got %d %v", code, err)
		}
		if got := <-codes; got != "03e9" {
			t.Errorf("the server was told %q, want 1001", got)
		}
	})
}

// A line is under way when the session is interrupted; it must not cost the closing handshake.
func TestConnectInterruptedWithinALine(t *testing.T) {
	noLeak(t)
	ctx, cancel := context.WithCancel(soon(t))
	defer cancel()
	codes := make(chan string, 1)
	target := scripted(t, func(r *raw) {
		_, _ = io.CopyN(io.Discard, r.Conn, 14) // its header; the rest fits in no buffer
		cancel()
		time.Sleep(100 * time.Millisecond)
		_, _ = io.CopyN(io.Discard, r.Conn, maxLine)
		_, payload, _ := r.client()
		codes <- fmt.Sprintf("%x", payload)
		_, _ = r.Write(append([]byte{0x88, byte(len(payload))}, payload...))
	})
	code, _, err := Connect(ctx, target, strings.NewReader(strings.Repeat("x", maxLine)), io.Discard, ConnectOptions{})
	if code != 1001 || !errors.Is(err, context.Canceled) {
		t.Errorf("got %d %v", code, err)
	}
	if got := <-codes; got != "03e9" {
		t.Errorf("the server was told %q, want 1001", got)
	}
}

// slow leaves a long message in the wire for a while.
type slow struct {
	net.Conn
	once sync.Once
}

func (s *slow) Read(p []byte) (int, error) {
	if len(p) > 1<<20 {
		s.once.Do(func() { time.Sleep(5500 * time.Millisecond) })
	}
	return s.Conn.Read(p)
}

func TestConnectSlowPeers(t *testing.T) {
	for _, tt := range []struct {
		name     string
		do       func(*raw)
		in, want string
		options  ConnectOptions
		fails    string
	}{
		{"answers that take longer than Wait in all", func(r *raw) {
			r.serveFrames(func(p []byte) bool {
				time.Sleep(4 * time.Second)
				_, _ = r.Write(unmask(0x81, string(p)))
				return true
			})
		}, "a\nb\nc\nd\n", "a\nb\nc\nd\n", ConnectOptions{Wait: 6 * time.Second}, ""},
		{"one answer that takes longer than Wait to arrive, but never stops arriving", func(r *raw) {
			r.serveFrames(func([]byte) bool {
				for _, b := range unmask(0x81, "slow but coming") {
					time.Sleep(500 * time.Millisecond)
					_, _ = r.Write([]byte{b})
				}
				return true
			})
		}, "a\n", "slow but coming\n", ConnectOptions{Wait: 6 * time.Second}, ""},
		{"a line that takes longer than the 5 s for which the library lets a ping wait behind it", func(r *raw) {
			r.Conn = &slow{Conn: r.Conn}
			r.serveFrames(func([]byte) bool { _, _ = r.Write(unmask(0x81, "thanks")); return true })
		}, strings.Repeat("x", maxLine), "thanks\n",
			ConnectOptions{Ping: 50 * time.Millisecond, Wait: 10 * time.Second}, ""},
		{"one that stops reading within a line", func(*raw) { time.Sleep(16 * time.Second) },
			strings.Repeat("x", maxLine), "", ConnectOptions{Ping: 50 * time.Millisecond}, "no pong within 10s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var out bytes.Buffer
				code, _, err := Connect(soon(t), wired(script(tt.do)), strings.NewReader(tt.in), &out, tt.options)
				said := ""
				if err != nil {
					said = err.Error()
				}
				if (code == 1000) != (tt.fails == "") || said != tt.fails || out.String() != tt.want {
					t.Errorf("got %d %v, having printed %q, want %q", code, err, handshake.Clip(out.Bytes(), 80),
						tt.want)
				}
			})
		})
	}
}

type broken struct{ after int }

func (b *broken) Write(p []byte) (int, error) {
	if b.after--; b.after < 0 {
		return 0, os.ErrClosed
	}
	return len(p), nil
}

func TestConnectBadEnds(t *testing.T) {
	noLeak(t)
	for _, tt := range []struct {
		name, in, want string
		out            io.Writer
	}{
		{"output gone", "a\nb\nc\n", "output: file already closed", &broken{1}},
		{"line not UTF-8", "a\n\xff\n", "line 2: not UTF-8", io.Discard},
		{"line too long", "a\n" + strings.Repeat("x", maxLine+3), "line 2: longer than 16 MiB", io.Discard},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Connect(soon(t), echo(t), strings.NewReader(tt.in), tt.out, ConnectOptions{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestConnectRefused(t *testing.T) {
	target := hostile(t, func(c net.Conn, r *http.Request) { say(c, "HTTP/1.1 403 Forbidden", "Content-Length: 0") })
	_, _, err := Connect(soon(t), target, strings.NewReader(""), io.Discard, ConnectOptions{})
	if want := "not upgraded: HTTP/1.1 403 Forbidden"; kind(err) != "status" || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A user types, sees the answer, types again, and ends with Ctrl-D.
func TestConnectDialogue(t *testing.T) {
	noLeak(t)
	in, type_ := io.Pipe()
	read, out := io.Pipe()
	var group sync.WaitGroup
	var code int
	var err error
	target := echo(t)
	group.Go(func() { code, _, err = Connect(soon(t), target, in, out, ConnectOptions{}); _ = out.Close() })
	for _, s := range []string{"one", "two"} {
		_, _ = io.WriteString(type_, s+"\n")
		buf := make([]byte, 100)
		n, _ := read.Read(buf)
		if diff := cmp.Diff("Echo: "+s+"\n", string(buf[:n])); diff != "" {
			t.Error(diff)
		}
	}
	_ = type_.Close()
	group.Wait()
	if code != 1000 || err != nil {
		t.Errorf("got %d %v", code, err)
	}
}

func FuzzReadLine(f *testing.F) {
	f.Add([]byte("a\r\n\nb"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := newInput(bytes.NewReader(b))
		defer in.end()
		var got [][]byte
		for line := range in.lines {
			got = append(got, line)
		}
		want := bytes.Split(b, []byte("\n"))
		if len(want[len(want)-1]) == 0 {
			want = want[:len(want)-1]
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %d lines, want %d", b, len(got), len(want))
		}
	})
}
