package systemd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	sd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
	"github.com/hashicorp/go-multierror"
)

// transport is one way to PID 1. The addresses are fixed: DBUS_SYSTEM_BUS_ADDRESS in the environment of a
// provisioning run must not choose whose units are changed.
type transport struct {
	name, address string
	bus           bool // a message bus, which wants a Hello; not a direct connection
}

var errNoMutate = errors.New("connect to systemd: no function to make changes with")

// Connect finds a way to PID 1: the system bus, then, for root, systemd's private socket, which works without
// dbus-daemon. Each gets 10 s in all, and counts only if PID 1 answers over it. The context bounds connecting, not
// the connection's life. Every change is made inside mutate; what says which, like "systemd: reload nginx.service".
func Connect(ctx context.Context, mutate func(what string, do func() error) error) (*Live, error) {
	ways := []transport{{name: "system bus", address: "unix:path=/run/dbus/system_bus_socket", bus: true}}
	if os.Geteuid() == 0 {
		ways = append(ways, transport{name: "systemd's private socket", address: "unix:path=/run/systemd/private"})
	}
	return connect(ctx, ways, 10*time.Second, mutate)
}

func connect(ctx context.Context, ways []transport, wait time.Duration, mutate func(string, func() error) error) (*Live, error) {
	if mutate == nil {
		return nil, errNoMutate
	}
	problems := new(multierror.Error)
	for _, way := range ways {
		l, err := dial(ctx, way, wait)
		if err == nil {
			l.mutate = mutate
			return l, nil
		}
		problems = multierror.Append(problems, fmt.Errorf("%s: %w", way.name, err))
		if ctx.Err() != nil {
			break
		}
	}
	problems.ErrorFormat = oneLine
	return nil, fmt.Errorf("connect to systemd: %w", problems)
}

func oneLine(list []error) string {
	texts := make([]string, len(list))
	for i, err := range list {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// dial opens the two connections that go-systemd wants. godbus ties a connection's life to the context it was
// dialled with and offers no deadline for the handshake, so both get a context of their own, which only a
// handshake that takes too long, or the caller's cancellation meanwhile, ends.
func dial(ctx context.Context, way transport, wait time.Duration) (*Live, error) {
	life, hangUp := context.WithCancel(context.Background())
	keepCaller := context.AfterFunc(ctx, hangUp)
	clock := time.AfterFunc(wait, hangUp)
	l, err := open(life, way)
	inTime, wanted := clock.Stop(), keepCaller()
	switch {
	case !wanted:
		err = context.Cause(ctx)
	case !inTime:
		err = fmt.Errorf("no answer in %s", wait)
	}
	if err != nil {
		hangUp()
		return nil, err
	}
	l.hangUp = hangUp
	return l, nil
}

func open(life context.Context, way transport) (*Live, error) {
	l := &Live{JobWait: 90 * time.Second, CallWait: 90 * time.Second}
	var err error
	l.conn, err = sd.NewConnection(func() (*dbus.Conn, error) {
		// go-systemd dials the connection for calls first, the one for signals second.
		c, err := handshake(life, way)
		l.calls, l.signals = l.signals, c
		return c, err
	})
	if err != nil {
		return nil, err
	}
	// A bus that lives while PID 1 is not on it is no way to PID 1.
	if _, err := version(life, l.calls); err != nil {
		return nil, err
	}
	return l, nil
}

// handshake authenticates by the number of the user, not the name: a static executable can look up no names of
// network directories.
func handshake(life context.Context, way transport) (*dbus.Conn, error) {
	c, err := dbus.Dial(way.address, dbus.WithContext(life))
	if err != nil {
		return nil, err
	}
	err = c.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))})
	if err == nil && way.bus {
		err = c.Hello()
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}
