package systemd

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

func plain(_ string, do func() error) error { return do() }

func TestConnect(t *testing.T) {
	const wait = 3 * time.Second
	gone := transport{name: "system bus", address: "unix:path=/nonexistent/bus", bus: true}
	tests := []struct {
		name     string
		bus      func(*fake)
		directly bool
	}{
		{"bus answers", func(*fake) {}, false},
		{"bus socket is gone", nil, true},
		{"bus says nothing", func(f *fake) { f.deaf = true }, true},
		{"bus hangs after the handshake", func(f *fake) { f.noHello = true }, true},
		{"bus never matches signals", func(f *fake) { f.mute = "AddMatch" }, true},
		{"bus without PID 1", func(f *fake) { f.versionErr = true }, true},
		{"bus on which PID 1 hangs", func(f *fake) { f.mute = "Get" }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bus := gone
			if tt.bus != nil {
				f := newFake(t)
				tt.bus(f)
				bus = f.way("system bus", true)
			}
			private := newFake(t)
			// Direct connections have no bus object; systemd answers so.
			private.fail["Hello"] = *dbus.NewError("org.freedesktop.DBus.Error.UnknownObject", nil)
			private.fail["AddMatch"] = *dbus.NewError("org.freedesktop.DBus.Error.UnknownObject", nil)
			bus.wait = wait
			l, err := connect(t.Context(), []transport{bus, private.way("systemd's private socket", false)}, plain)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			private.mu.Lock()
			directly := len(private.clients) > 0
			private.mu.Unlock()
			if directly != tt.directly {
				t.Errorf("over systemd's private socket: %v, want %v", directly, tt.directly)
			}
			if tt.bus == nil || !tt.directly { // the bound on connecting must not end the connection; of each kind once
				time.Sleep(wait + 50*time.Millisecond)
			}
			if err := l.Reload(t.Context(), "nginx.service"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConnectReportsEveryWay(t *testing.T) {
	f := newFake(t)
	f.deaf = true
	ways := []transport{f.way("system bus", true),
		{name: "systemd's private socket", address: "unix:path=/nonexistent/private"}}
	ways[0].wait, ways[1].wait = time.Second, time.Second
	_, err := connect(t.Context(), ways, plain)
	want := "connect to systemd: system bus: no answer in 1s; systemd's private socket: dial unix " +
		"/nonexistent/private: connect: no such file or directory"
	if errText(err) != want {
		t.Errorf("got %q, want %q", errText(err), want)
	}
}

func TestConnectEndsWithItsContext(t *testing.T) {
	f := newFake(t)
	f.deaf = true
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	ways := []transport{f.way("system bus", true), f.way("again", true)}
	ways[0].wait, ways[1].wait = time.Hour, time.Hour
	if _, err := connect(ctx, ways, plain); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context canceled at once", err)
	}
}

// The connection outlives the context that bounded connecting.
func TestConnectionOutlivesTheContext(t *testing.T) {
	f := newFake(t)
	ctx, cancel := context.WithCancel(t.Context())
	l, err := connect(ctx, []transport{f.way("system bus", true)}, plain)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	cancel()
	time.Sleep(20 * time.Millisecond)
	if _, err := l.State(t.Context(), "nginx.service"); err != nil {
		t.Error(err)
	}
}

func TestConnectWantsMutate(t *testing.T) {
	if _, err := connect(t.Context(), nil, nil); !errors.Is(err, errNoMutate) {
		t.Errorf("got %v, want %v", err, errNoMutate)
	}
}

func TestParseVersion(t *testing.T) {
	tests := map[string]int{"219": 219, "systemd 208": 208, "systemd 219\n+PAM +AUDIT": 219, "252.39-1~deb12u1": 252,
		"systemd 252 (252.39-1)": 252, "v255.4-1.fc40": 255, "": 0, "systemd": 0}
	for text, want := range tests {
		got, err := ParseVersion(text)
		if got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
}

func FuzzParseVersion(f *testing.F) {
	for _, s := range []string{"219", "systemd 208", "systemd 219\n+PAM", "252.39-1~deb12u1", "v255", "systemd",
		"99999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if v, err := ParseVersion(text); (err == nil) != (v > 0) && !strings.Contains(text, "000") || v > 9999 {
			t.Errorf("%q: %d, %v", text, v, err)
		}
	})
}
