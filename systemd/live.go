package systemd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wsprovision/provision/running"

	"github.com/godbus/dbus/v5"
)

const (
	destination = "org.freedesktop.systemd1"
	manager     = "org.freedesktop.systemd1.Manager"
)

// Live changes units through PID 1.
type Live struct {
	// Read runs journalctl where a job failed, for its last lines in the error; nil leaves them out.
	Read running.Run
	// JobWait bounds the wait for a job's result, and CallWait any other call that changes something. systemd's own
	// limit on a start is 90 s (DefaultTimeoutStartSec).
	JobWait, CallWait time.Duration

	mutate func(what string, do func() error) error
	wire   *wire       // in use; nil once none is left
	ways   []transport // that were not tried yet
	dead   error       // why there is none
}

// Close ends both connections. A job that was started goes on.
func (l *Live) Close() error {
	if l.wire != nil {
		l.wire.close()
	}
	return nil
}

// State reads the unit's properties. Its File is computed from the files now: the unit's own property
// UnitFileState is kept by systemd 208 and 219 until the next daemon-reload and may be stale.
func (l *Live) State(ctx context.Context, unit string) (State, error) {
	if err := checkName(unit); err != nil {
		return State{}, err
	}
	var st State
	err := l.ask(ctx, func(ctx context.Context, w *wire) (err error) {
		st, err = w.state(ctx, unit)
		return err
	})
	if err != nil {
		return State{}, l.sentence("read", unit, err)
	}
	st.File, err = l.file(ctx, unit)
	return st, err
}

func (w *wire) state(ctx context.Context, unit string) (State, error) {
	props, err := w.conn.GetUnitPropertiesContext(ctx, unit)
	if err != nil {
		return State{}, err
	}
	st := State{
		Load:             text(props, "LoadState"),
		Active:           text(props, "ActiveState"),
		Sub:              text(props, "SubState"),
		CanReload:        flag(props, "CanReload"),
		NeedDaemonReload: flag(props, "NeedDaemonReload"),
		Known:            true,
	}
	return st, w.service(ctx, unit, &st)
}

// service adds what only services have.
func (w *wire) service(ctx context.Context, unit string, st *State) error {
	if !strings.HasSuffix(unit, ".service") || st.Load == "not-found" {
		return nil
	}
	props, err := w.conn.GetUnitTypePropertiesContext(ctx, unit, "Service")
	if err != nil {
		return err
	}
	pid, _ := props["MainPID"].(uint32)
	st.MainPID, st.Result = int(pid), text(props, "Result")
	st.OpenFiles, _ = props["LimitNOFILE"].(uint64)
	if soft, told := props["LimitNOFILESoft"].(uint64); told { // since 229
		st.OpenFiles = soft
	}
	return nil
}

// file asks for the enablement. A unit without a file (not there, or made by a generator) has none.
func (l *Live) file(ctx context.Context, unit string) (string, error) {
	var state string
	err := l.ask(ctx, func(ctx context.Context, w *wire) error {
		o := w.calls.Object(destination, "/org/freedesktop/systemd1")
		return o.CallWithContext(ctx, manager+".GetUnitFileState", 0, unit).Store(&state)
	})
	var failed dbus.Error
	if errors.As(err, &failed) && failed.Name == "org.freedesktop.DBus.Error.FileNotFound" {
		return "", nil
	}
	if err != nil {
		return "", l.sentence("read the enablement of", unit, err)
	}
	return state, nil
}

// Version is systemd's, from PID 1 itself.
func (l *Live) Version(ctx context.Context) (int, error) {
	var v string
	err := l.ask(ctx, func(ctx context.Context, w *wire) (err error) {
		v, err = version(ctx, w.calls)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("ask systemd for its version: %w", err)
	}
	return ParseVersion(v)
}

func version(ctx context.Context, c *dbus.Conn) (v string, err error) {
	o := c.Object(destination, "/org/freedesktop/systemd1")
	err = o.CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, manager, "Version").Store(&v)
	return v, err
}

func text(props map[string]any, key string) string {
	s, _ := props[key].(string)
	return s
}

func flag(props map[string]any, key string) bool {
	b, _ := props[key].(bool)
	return b
}
