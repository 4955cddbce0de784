package facts

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
	"wsprovision/systemd"
)

// UnitFacts is nginx.service, as far as it can be told.
type UnitFacts struct {
	State systemd.State
	Err   error
}

// UnitOf asks systemd for nginx.service.
func UnitOf(ctx context.Context, e *Evidence) UnitFacts {
	units, err := host.Systemd(ctx, e.Host)
	if err != nil {
		return UnitFacts{Err: err}
	}
	st, err := units.State(ctx, host.NginxUnit)
	return UnitFacts{st, err}
}

func (u UnitFacts) Failed() bool {
	return u.Err == nil && (u.State.Active == "failed" || u.State.Result != "" && u.State.Result != "success")
}

// Refused: the start itself failed, by a program's exit status. A master that was killed, or took too long to stop, is
// no word of the configuration's.
func (u UnitFacts) Refused() bool {
	return u.Failed() && slices.Contains([]string{"exit-code", "start-limit", "start-limit-hit"}, u.State.Result)
}

func (u UnitFacts) String() string {
	if u.Err != nil {
		return u.Err.Error()
	}
	s := fmt.Sprintf("%s: %s, %s (%s)", host.NginxUnit, u.State.Load, u.State.Active, u.State.Sub)
	if u.State.Result != "" {
		s += ", result " + u.State.Result
	}
	return s
}

// SocketOf is the address that a listen directive binds; false for unix
// sockets and for names, which nginx resolves when it starts.
func SocketOf(l conf.ListenDirective) (netip.AddrPort, bool) {
	if l.Unix != "" || l.Port == 0 {
		return netip.AddrPort{}, false
	}
	if l.Address == "" {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(l.Port)), true
	}
	ip, err := netip.ParseAddr(l.Address)
	return netip.AddrPortFrom(ip, uint16(l.Port)), err == nil
}

// ServerNamed reports whether a server has the name, as written or by a wildcard.
func ServerNamed(s conf.Server, host string) bool {
	name, _, found := strings.Cut(host, ":")
	if strings.HasPrefix(host, "[") || !found {
		name = host
	}
	return slices.ContainsFunc(s.Names, func(n string) bool {
		n = strings.ToLower(n)
		return n == strings.ToLower(name) || strings.HasPrefix(n, "*.") &&
			strings.HasSuffix(strings.ToLower(name), n[1:])
	})
}
