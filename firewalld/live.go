package firewalld

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// firewalld's names on the bus (firewalld.dbus(5)).
const (
	destination = "org.fedoraproject.FirewallD1"
	ofZones     = destination + ".zone"
	config      = destination + ".config"
	ofZone      = config + ".zone"
	ofService   = config + ".service"
	path        = "/org/fedoraproject/FirewallD1"
	configPath  = path + "/config"
	busAddress  = "unix:path=/run/dbus/system_bus_socket" // fixed: the environment must not choose it
	answerWait  = 20 * time.Second                        // it answers after the change of a table that may be long
)

// The fields of a zone's settings, (sssbsasa(ss)…, and of a service's, (sssa(ss)…
const (
	settingTarget   = 4
	settingServices = 5
	settingPorts    = 6
	servicePorts    = 3
)

// Live changes a firewalld that runs, and what it starts with.
type Live struct {
	conn   *dbus.Conn
	mutate func(what string, do func() error) error
}

// Connect finds firewalld on the system bus. Every change is made inside mutate.
func Connect(ctx context.Context, mutate func(what string, do func() error) error) (*Live, error) {
	return connect(ctx, busAddress, mutate)
}

func connect(ctx context.Context, address string, mutate func(string, func() error) error) (*Live, error) {
	conn, err := dbus.Dial(address)
	if err != nil {
		return nil, fmt.Errorf("connect to firewalld: %w", err)
	}
	// It authenticates by number: a static executable can look up no names of network directories.
	clock := context.AfterFunc(ctx, func() { _ = conn.Close() })
	late := time.AfterFunc(answerWait, func() { _ = conn.Close() })
	err = conn.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Geteuid()))})
	if err == nil {
		err = conn.Hello()
	}
	clock()
	late.Stop()
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("connect to firewalld: %w", err)
	}
	return &Live{conn: conn, mutate: mutate}, nil
}

// Close ends the connection.
func (l *Live) Close() error { return l.conn.Close() }

// call calls a method; firewalld is not started for it.
func (l *Live) call(ctx context.Context, at dbus.ObjectPath, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	return l.conn.Object(destination, at).CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...)
}

// DefaultZone asks firewalld.
func (l *Live) DefaultZone(ctx context.Context) (zone string, err error) {
	if err = l.call(ctx, path, destination+".getDefaultZone").Store(&zone); err != nil {
		return "", fmt.Errorf("ask firewalld for its default zone: %w", err)
	}
	return zone, nil
}

// Bound asks firewalld.
func (l *Live) Bound(ctx context.Context) ([]string, error) {
	var zones map[string]map[string][]string
	if err := l.call(ctx, path, ofZones+".getActiveZones").Store(&zones); err != nil {
		return nil, fmt.Errorf("ask firewalld for the zones in use: %w", err)
	}
	return slices.Sorted(maps.Keys(zones)), nil
}

// Zone asks firewalld for what it lets in now and from its next start on.
func (l *Live) Zone(ctx context.Context, zone string) (z Zone, err error) {
	if err := check(zone, 1); err != nil {
		return z, err
	}
	if z.Permanent, err = l.permanent(ctx, zone); err != nil {
		return z, l.sentence("read", zone, err)
	}
	now, err := l.running(ctx, zone)
	if errors.Is(err, ErrNoZone) { // one that was added since, and is not loaded
		return z, fmt.Errorf("zone %s: it is in firewalld's files and not in the firewall that runs: firewall-cmd "+
			"--reload loads it", zone)
	}
	if err != nil {
		return z, l.sentence("read", zone, err)
	}
	z.Running = &now
	return z, nil
}

func (l *Live) running(ctx context.Context, zone string) (a Admits, err error) {
	var ports [][]string
	if err := named(l.call(ctx, path, ofZones+".getPorts", zone).Store(&ports)); err != nil {
		return a, err
	}
	for _, p := range ports {
		if len(p) == 2 {
			a.Ports = add(a.Ports, p[0], p[1])
		}
	}
	var services []string
	if err := named(l.call(ctx, path, ofZones+".getServices", zone).Store(&services)); err != nil {
		return a, err
	}
	for _, s := range services {
		if settings, err := tuple(l.call(ctx, path, destination+".getServiceSettings", s)); err == nil {
			a.Services = append(a.Services, spansOf(settings, servicePorts)...)
		}
	}
	// Before 0.4 firewalld does not tell; the target is then not heeded.
	if settings, err := tuple(l.call(ctx, path, destination+".getZoneSettings", zone)); err == nil {
		a.All = accepts(settings)
	}
	return a, nil
}

func (l *Live) permanent(ctx context.Context, zone string) (a Admits, err error) {
	at, err := l.zonePath(ctx, zone)
	if err != nil {
		return a, err
	}
	settings, err := tuple(l.call(ctx, at, ofZone+".getSettings"))
	if err != nil {
		return a, err
	}
	a = Admits{All: accepts(settings), Ports: spansOf(settings, settingPorts)}
	for _, s := range servicesOf(settings) {
		var at dbus.ObjectPath
		if err := l.call(ctx, configPath, config+".getServiceByName", s).Store(&at); err != nil {
			continue // a service without a file lets nothing in
		}
		if settings, err := tuple(l.call(ctx, at, ofService+".getSettings")); err == nil {
			a.Services = append(a.Services, spansOf(settings, servicePorts)...)
		}
	}
	return a, nil
}

func (l *Live) zonePath(ctx context.Context, zone string) (at dbus.ObjectPath, err error) {
	return at, named(l.call(ctx, configPath, config+".getZoneByName", zone).Store(&at))
}

// Open opens the port for as long as firewalld runs, or in its files.
func (l *Live) Open(ctx context.Context, in Place, zone string, port int) error {
	return l.change(ctx, in, "open", zone, port)
}

// Shut takes the opening back.
func (l *Live) Shut(ctx context.Context, in Place, zone string, port int) error {
	return l.change(ctx, in, "shut", zone, port)
}

func (l *Live) change(ctx context.Context, in Place, what, zone string, port int) error {
	if err := check(zone, port); err != nil {
		return err
	}
	err := l.mutate(fmt.Sprintf("firewalld: %s %d/tcp in %s (%s)", what, port, zone, in), func() error {
		method := map[string]string{"open": ".addPort", "shut": ".removePort"}[what]
		if in == Permanent {
			at, err := l.zonePath(ctx, zone)
			if err != nil {
				return err
			}
			return settled(l.call(ctx, at, ofZone+method, strconv.Itoa(port), "tcp").Err)
		}
		args := []any{zone, strconv.Itoa(port), "tcp"}
		if what == "open" {
			args = append(args, int32(0)) // without an end
		}
		return settled(named(l.call(ctx, path, ofZones+method, args...).Err))
	})
	if err != nil {
		return l.sentence(fmt.Sprintf("%s port %d (%s) in", what, port, in), zone, err)
	}
	return nil
}

// settled: what is as it should be already is no failure; it is read back anyway.
func settled(err error) error {
	if says(err, "ALREADY_ENABLED") || says(err, "NOT_ENABLED") {
		return nil
	}
	return err
}

// named tells a zone that is not there from other failures.
func named(err error) error {
	if says(err, "INVALID_ZONE") {
		return ErrNoZone
	}
	return err
}

// says reports whether firewalld's error has that code; its message begins with it.
func says(err error, code string) bool {
	var failed dbus.Error
	if !errors.As(err, &failed) || len(failed.Body) == 0 {
		return false
	}
	text, _ := failed.Body[0].(string)
	return text == code || strings.HasPrefix(text, code+":")
}

func (l *Live) sentence(what, zone string, err error) error {
	return fmt.Errorf("%s the zone %s of firewalld: %w", what, zone, err)
}

// tuple is the structure that a method answers with; of its many fields, which grew with the versions, only some count.
func tuple(c *dbus.Call) ([]any, error) {
	if c.Err != nil {
		return nil, named(c.Err)
	}
	if len(c.Body) == 1 {
		if fields, ok := c.Body[0].([]any); ok {
			return fields, nil
		}
	}
	return nil, fmt.Errorf("firewalld answers %v", c.Body)
}

func servicesOf(settings []any) []string {
	if len(settings) <= settingServices {
		return nil
	}
	all, _ := settings[settingServices].([]string)
	return all
}

func accepts(settings []any) bool {
	if len(settings) <= settingTarget {
		return false
	}
	target, _ := settings[settingTarget].(string)
	return target == "ACCEPT"
}

// spansOf are the ports in a field of type a(ss).
func spansOf(settings []any, field int) (all []Span) {
	if len(settings) <= field {
		return nil
	}
	ports, _ := settings[field].([][]any)
	for _, p := range ports {
		if len(p) != 2 {
			continue
		}
		number, _ := p[0].(string)
		protocol, _ := p[1].(string)
		all = add(all, number, protocol)
	}
	return all
}

func add(all []Span, ports, protocol string) []Span {
	if s, ok := span(ports, protocol); ok {
		return append(all, s)
	}
	return all
}
