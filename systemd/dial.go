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
	bus           bool          // a message bus, which wants a Hello; not a direct connection
	wait          time.Duration // for a connection, and for the answer to a question
}

// wire is a way over which PID 1 has answered.
type wire struct {
	transport
	conn *sd.Conn
	// The two connections of conn: calls go over one, signals come over the other.
	calls, signals *dbus.Conn
	hangUp         context.CancelFunc
}

func (w *wire) close() {
	w.conn.Close()
	w.hangUp()
}

var errNoMutate = errors.New("connect to systemd: no function to make changes with")

// Connect finds a way to PID 1: the system bus, and, for root, systemd's private socket, which works without
// dbus-daemon. The bus gets 5 s and the socket, which has nobody in between, 3 s; a way counts only if PID 1 answers
// over it. The context bounds connecting, not the connection's life. Every change is made inside mutate; what says
// which, like "systemd: reload nginx.service".
func Connect(ctx context.Context, mutate func(what string, do func() error) error) (*Live, error) {
	ways := []transport{
		{name: "system bus", address: "unix:path=/run/dbus/system_bus_socket", bus: true, wait: 5 * time.Second},
	}
	if os.Geteuid() == 0 {
		ways = append(ways, transport{
			name: "systemd's private socket", address: "unix:path=/run/systemd/private", wait: 3 * time.Second,
		})
	}
	return connect(ctx, ways, mutate)
}

func connect(ctx context.Context, ways []transport, mutate func(string, func() error) error) (*Live, error) {
	if mutate == nil {
		return nil, errNoMutate
	}
	l := &Live{JobWait: 90 * time.Second, CallWait: 90 * time.Second, mutate: mutate, ways: ways}
	if problems := l.next(ctx); l.wire == nil {
		return nil, fmt.Errorf("connect to systemd: %w", silence(problems))
	}
	return l, nil
}

// next takes the next way over which PID 1 answers; the errors are those of the ways that were tried in vain. Without
// such a way wire is nil.
func (l *Live) next(ctx context.Context) (problems []error) {
	l.wire = nil
	for l.wire == nil && len(l.ways) > 0 {
		way := l.ways[0]
		w, err := dial(ctx, way)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", way.name, err))
		}
		if ctx.Err() != nil { // which says nothing of the way
			break
		}
		l.wire, l.ways = w, l.ways[1:]
	}
	return problems
}

// ErrNoAnswer is in every error of a PID 1 that is silent: one that has much to do, as in a boot, may answer later.
var ErrNoAnswer = errors.New("no answer")

// silence is why PID 1 cannot be reached, over each way, and what that means where it is silent on all of them.
func silence(problems []error) error {
	all := &multierror.Error{Errors: problems, ErrorFormat: oneLine}
	for _, err := range problems {
		if !errors.Is(err, ErrNoAnswer) {
			return all
		}
	}
	return fmt.Errorf("%w; PID 1 is busy or hangs: if \"systemctl status\" does not answer either, only a reboot "+
		"helps", all)
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
func dial(ctx context.Context, way transport) (*wire, error) {
	life, hangUp := context.WithCancel(context.Background())
	keepCaller := context.AfterFunc(ctx, hangUp)
	clock := time.AfterFunc(way.wait, hangUp)
	w, err := open(life, way)
	inTime, wanted := clock.Stop(), keepCaller()
	switch {
	case !wanted:
		err = context.Cause(ctx)
	case !inTime:
		err = fmt.Errorf("%w in %s", ErrNoAnswer, seconds(way.wait))
	}
	if err != nil {
		hangUp()
		return nil, err
	}
	w.hangUp = hangUp
	return w, nil
}

func open(life context.Context, way transport) (*wire, error) {
	w := &wire{transport: way}
	var err error
	w.conn, err = sd.NewConnection(func() (*dbus.Conn, error) {
		// go-systemd dials the connection for calls first, the one for signals second.
		c, err := handshake(life, way)
		w.calls, w.signals = w.signals, c
		return c, err
	})
	if err != nil {
		return nil, err
	}
	// A bus that lives while PID 1 is not on it is no way to PID 1.
	if _, err := version(life, w.calls); err != nil {
		return nil, err
	}
	return w, nil
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
