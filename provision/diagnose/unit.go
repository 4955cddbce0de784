package diagnose

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/systemd"
)

// unitFacts is nginx.service, as far as it can be told.
type unitFacts struct {
	state systemd.State
	err   error
}

func unitOf(ctx context.Context, e *evidence) unitFacts {
	units, err := host.Systemd(ctx, e.Host)
	if err != nil {
		return unitFacts{err: err}
	}
	st, err := units.State(ctx, host.NginxUnit)
	return unitFacts{st, err}
}

func (u unitFacts) failed() bool {
	return u.err == nil && (u.state.Active == "failed" || u.state.Result != "" && u.state.Result != "success")
}

// refused: the start itself failed, by a program's exit status. A master that was killed, or took too long to stop, is
// no word of the configuration's.
func (u unitFacts) refused() bool {
	return u.failed() && slices.Contains([]string{"exit-code", "start-limit", "start-limit-hit"}, u.state.Result)
}

func (u unitFacts) String() string {
	if u.err != nil {
		return u.err.Error()
	}
	s := fmt.Sprintf("%s: %s, %s (%s)", host.NginxUnit, u.state.Load, u.state.Active, u.state.Sub)
	if u.state.Result != "" {
		s += ", result " + u.state.Result
	}
	return s
}

// socketOf is the address that a listen directive binds; false for unix
// sockets and for names, which nginx resolves when it starts.
func socketOf(l nginx.ListenDirective) (netip.AddrPort, bool) {
	if l.Unix != "" || l.Port == 0 {
		return netip.AddrPort{}, false
	}
	if l.Address == "" {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(l.Port)), true
	}
	ip, err := netip.ParseAddr(l.Address)
	return netip.AddrPortFrom(ip, uint16(l.Port)), err == nil
}

// named reports whether a server has the name, as written or by a wildcard.
func ServerNamed(s nginx.Server, host string) bool {
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
