package systemd

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// hangs is what a PID 1 that is silent everywhere means.
const hangs = `PID 1 is busy or hangs: if "systemctl status" does not answer either, only a reboot helps`

// twoWays gives a Live on a bus and, behind it, the private socket of the same PID 1.
func twoWays(t *testing.T) (bus, private *fake, l *Live) {
	t.Helper()
	bus, private = newFake(t), newFake(t)
	private.fail["Hello"] = *dbus.NewError("org.freedesktop.DBus.Error.UnknownObject", nil)
	private.fail["AddMatch"] = *dbus.NewError("org.freedesktop.DBus.Error.UnknownObject", nil)
	ways := []transport{bus.way("system bus", true), private.way("systemd's private socket", false)}
	l, err := connect(t.Context(), ways, plain)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	l.wire.wait = 200 * time.Millisecond
	l.ways[0].wait = 2 * time.Second
	return bus, private, l
}

func (f *fake) asked(method string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if strings.HasPrefix(c, method) {
			n++
		}
	}
	return n
}

func TestAskTwice(t *testing.T) {
	gone := func(name string) func(*fake) {
		return func(f *fake) { f.fail["GetAll"] = *dbus.NewError(name, []any{"gone"}) }
	}
	for _, tt := range []struct {
		name string
		bus  func(*fake)
	}{
		{"no answer", func(f *fake) { f.mute = "GetAll" }},
		{"no answer to the last question of several", func(f *fake) { f.mute = "GetUnitFileState" }},
		{"dbus-daemon gave up waiting", gone("org.freedesktop.DBus.Error.NoReply")},
		{"PID 1 has left the bus", gone("org.freedesktop.DBus.Error.ServiceUnknown")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bus, private, l := twoWays(t)
			bus.set(func() { tt.bus(bus) })
			for range 2 {
				if st, err := l.State(t.Context(), "nginx.service"); err != nil || st.MainPID != 812 ||
					st.File != "enabled" {
					t.Errorf("got %+v, %v", st, err)
				}
			}
			if n := bus.asked("GetAll"); n > 2 {
				t.Errorf("the bus was asked %d times", n)
			}
			if err := l.Reload(t.Context(), "nginx.service"); err != nil || private.asked("ReloadUnit") != 1 {
				t.Errorf("the way that answers is not used for the change: %v", err)
			}
		})
	}
	t.Run("the connection was lost", func(t *testing.T) {
		bus, _, l := twoWays(t)
		bus.hangUp(0)
		if st, err := l.State(t.Context(), "nginx.service"); err != nil || st.MainPID != 812 {
			t.Errorf("got %+v, %v", st, err)
		}
	})
}

// A refusal is an answer.
func TestAskOnceWhereRefused(t *testing.T) {
	bus, private, l := twoWays(t)
	bus.set(func() { bus.fail["GetAll"] = *dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"no"}) })
	_, err := l.State(t.Context(), "nginx.service")
	if want := "read nginx.service: systemd does not permit it to this user"; errText(err) != want {
		t.Errorf("got %q, want %q", errText(err), want)
	}
	if n := private.asked("Get"); n > 0 {
		t.Errorf("the private socket was asked %d times", n)
	}
}

// Nobody asks a PID 1 that is dead on both ways a second time, and nothing is changed without an answer.
func TestAskTheDeadOnce(t *testing.T) {
	bus, private, l := twoWays(t)
	bus.set(func() { bus.mute = "GetAll" })
	private.set(func() { private.mute = "GetAll" })
	l.ways[0].wait = 300 * time.Millisecond
	why := "systemd does not answer: system bus: no answer in 200ms; systemd's private socket: no answer in 300ms; " +
		hangs
	if _, err := l.State(t.Context(), "nginx.service"); errText(err) != "read nginx.service: "+why {
		t.Errorf("got %q", errText(err))
	}
	asked := bus.asked("Get") + private.asked("Get")
	for name, do := range map[string]func(context.Context, string) error{
		"read": func(ctx context.Context, unit string) error { _, err := l.State(ctx, unit); return err },
		"ask systemd for its version": func(ctx context.Context, _ string) error {
			_, err := l.Version(ctx)
			return err
		},
		"start": l.Start, "reload": l.Reload, "enable": l.Enable, "disable": l.Disable, "reset-failed": l.ResetFailed,
	} {
		if err := do(t.Context(), "nginx.service"); !strings.HasSuffix(errText(err), why) {
			t.Errorf("%s: got %q", name, errText(err))
		}
	}
	if again := bus.asked("Get") + private.asked("Get"); again != asked {
		t.Errorf("it was asked %d times more", again-asked)
	}
	if changed := slices.Concat(bus.changes(), private.changes()); len(changed) > 0 {
		t.Errorf("changed %q", changed)
	}
}

// What changes something has its own time, and is sent over one way only, whatever becomes of it.
func TestAskNeverSendsAChangeTwice(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		do           func(*Live, context.Context) error
	}{
		{"a job", "ReloadUnit", func(l *Live, ctx context.Context) error { return l.Reload(ctx, "nginx.service") }},
		{"an enablement", "EnableUnitFiles", func(l *Live, ctx context.Context) error {
			return l.Enable(ctx, "nginx.service")
		}},
		{"a daemon-reload", "Reload", func(l *Live, ctx context.Context) error { return l.DaemonReload(ctx) }},
		{"reset-failed", "ResetFailedUnit", func(l *Live, ctx context.Context) error {
			return l.ResetFailed(ctx, "nginx.service")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bus, private, l := twoWays(t)
			bus.set(func() { bus.mute = tt.method })
			l.JobWait, l.CallWait = time.Second, time.Second // longer than a question's
			begun := time.Now()
			if err := tt.do(l, t.Context()); err == nil || time.Since(begun) < time.Second {
				t.Errorf("got %v after %s", err, time.Since(begun))
			}
			if again := private.changes(); len(again) > 0 {
				t.Errorf("sent again: %q", again)
			}
		})
	}
}

// A caller who leaves takes no way away.
func TestAskAfterTheCallerLeft(t *testing.T) {
	bus, private, l := twoWays(t)
	bus.set(func() { bus.mute = "GetAll" })
	private.set(func() { private.mute = "Get" })
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // while the private socket is dialled
	defer cancel()
	if _, err := l.State(ctx, "nginx.service"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	private.set(func() { private.mute = "" })
	if _, err := l.State(t.Context(), "nginx.service"); err != nil {
		t.Error(err)
	}
}
