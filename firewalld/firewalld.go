package firewalld

import (
	"context"
	"errors"
	"fmt"

	"wsprovision/provision/lazy"
)

// Firewall is what a step may ask of firewalld. Live and Offline are its two implementations.
type Firewall interface {
	// DefaultZone is the zone of every interface that no other zone is given.
	DefaultZone(ctx context.Context) (string, error)
	// Zone is what a zone lets in. One that firewalld does not have is ErrNoZone.
	Zone(ctx context.Context, zone string) (Zone, error)
	// Bound are the zones that an interface or a source is bound to; none where that cannot be told.
	Bound(ctx context.Context) ([]string, error)
	// Open lets the tcp port in, and Shut lets it in no more.
	Open(ctx context.Context, in Place, zone string, port int) error
	Shut(ctx context.Context, in Place, zone string, port int) error
	Close() error
}

var (
	_ Firewall = (*Live)(nil)
	_ Firewall = (*Offline)(nil)
)

// Place is where something is opened: firewalld keeps the two apart.
type Place string

// The places. Permanent is what firewalld has from its next start on.
const (
	Permanent Place = "permanent"
	Running   Place = "running"
)

// ErrNoZone says that firewalld has no zone of that name.
var ErrNoZone = errors.New("firewalld has no such zone")

// errNotRunning says that there is no firewall that runs.
var errNotRunning = errors.New("firewalld does not run")

// zoneName is what may become a path and an argument. firewalld 0.6.3 takes 17 characters at most, because the zone's
// name is part of a chain's (firewall/functions.py, max_zone_name_len).
var zoneName = lazy.Regexp(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,16}$`)

// IsZoneName reports whether a zone may be called that.
func IsZoneName(name string) bool { return zoneName().MatchString(name) }

func check(zone string, port int) error {
	if !IsZoneName(zone) {
		return fmt.Errorf("%q is no name of a zone", zone)
	}
	if port < 1 || port > 65535 {
		return fmt.Errorf("%d is no port", port)
	}
	return nil
}
