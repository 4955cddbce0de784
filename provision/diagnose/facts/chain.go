package facts

import (
	"context"
	"net"
	"net/netip"
	"strconv"
)

// mostInner bounds how often a request is followed through the same nginx.
const mostInner = 5

// Inner is the same WebSocket one nginx further in: as this nginx passes it on to a listener of its own. Nil where it
// goes to anybody else. Nothing was tried of it yet, so that it has no error of its own.
func Inner(ctx context.Context, e *Evidence) *Evidence {
	all := Backends(e)
	if len(all) != 1 || e.TreeErr != nil {
		return nil
	}
	at, ok := ownListener(ctx, e, all[0])
	if !ok {
		return nil
	}
	inner := *e
	inner.Target = AsNginx(e, all[0])
	inner.Address, inner.Peer, inner.Asked = at, at.String(), &Answers{}
	inner.Way = follow(&inner)
	if inner.Way.Server == nil || !Ours(e, inner.Way.Server.File) {
		inner.Site, inner.Location, inner.Own = nil, nil, Own{}
	}
	return &inner
}

// ownListener is the address of a listener of this nginx's, where the backend is one.
func ownListener(ctx context.Context, e *Evidence, backend string) (netip.AddrPort, bool) {
	name, port, err := net.SplitHostPort(backend)
	if err != nil {
		return netip.AddrPort{}, false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	ips, unresolved := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil || unresolved != nil || len(ips) == 0 {
		return netip.AddrPort{}, false
	}
	at := netip.AddrPortFrom(ips[0].Unmap(), uint16(n))
	return at, IsOwn(at.Addr()) && len(e.Tree.Sharing(at)) > 0
}

// Circle reports whether the request comes back to the proxy_pass that passed it on.
func Circle(ctx context.Context, e *Evidence) bool {
	seen := map[string]bool{}
	for range mostInner {
		p := Passed(e)
		if p == nil {
			return false
		}
		if seen[PassedBy(p)] {
			return true
		}
		seen[PassedBy(p)] = true
		if e = Inner(ctx, e); e == nil {
			return false
		}
	}
	return true
}
