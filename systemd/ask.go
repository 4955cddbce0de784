package systemd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/godbus/dbus/v5"
)

// ask puts a question: a call that changes nothing, and so may be made twice. Where no answer comes in time, it is put
// once more over the way that is left, which is used from then on. Where none is left, nobody is asked again: each
// further question would take as long, for nothing. What changes something is never sent through here.
func (l *Live) ask(ctx context.Context, question func(context.Context, *wire) error) error {
	var problems []error
	for l.dead == nil {
		if l.wire == nil {
			problems = append(problems, l.next(ctx)...)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case l.wire == nil:
			l.dead = fmt.Errorf("systemd does not answer: %w", silence(problems))
			continue
		}
		err := l.wire.put(ctx, question)
		if ctx.Err() != nil || !l.wire.silent(err) {
			return err
		}
		problems = append(problems, fmt.Errorf("%s: %w", l.wire.name, l.wire.named(err)))
		l.wire.close()
		l.wire = nil
	}
	return l.dead
}

// reached is for what changes something: the way in use, over which alone it is sent.
func (l *Live) reached() (*wire, error) {
	if l.wire == nil {
		return nil, cmp.Or(l.dead, ErrNoAnswer)
	}
	return l.wire, nil
}

func (w *wire) put(ctx context.Context, question func(context.Context, *wire) error) error {
	ctx, cancel := context.WithTimeout(ctx, w.wait)
	defer cancel()
	return question(ctx, w)
}

// silent tells a call that nobody has answered from a refusal. dbus-daemon says the last ones in the place of a PID 1
// that has left the bus (D-Bus specification, "Message Bus Names").
func (w *wire) silent(err error) bool {
	var failed dbus.Error
	if !errors.As(err, &failed) {
		return err != nil && (errors.Is(err, context.DeadlineExceeded) || w.lost(err))
	}
	switch failed.Name {
	case "org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.Timeout",
		"org.freedesktop.DBus.Error.TimedOut", "org.freedesktop.DBus.Error.Disconnected",
		"org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner":
		return true
	}
	return false
}

func (w *wire) lost(err error) bool {
	return errors.Is(err, dbus.ErrClosed) || !w.calls.Connected() || errors.Is(err, syscall.EPIPE)
}

// named says of a silence how long it lasted, or that the connection is gone.
func (w *wire) named(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w in %s", ErrNoAnswer, seconds(w.wait))
	case w.lost(err):
		return fmt.Errorf("the connection was lost: %w", err)
	}
	return err
}
