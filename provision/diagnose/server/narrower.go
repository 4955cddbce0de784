package server

import (
	"context"
	"fmt"
	"net/netip"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
)

// NginxHoldsItsOwnAddress: the configuration asks for every address at a port, and the running nginx holds one of them
// there. It cannot bind the one before it has closed the other, which a reload does in the other order
// (ngx_init_cycle).
func NginxHoldsItsOwnAddress(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	want, ok := facts.SocketOf(e.Way.Listen)
	if e.Way.Server == nil || !ok || !want.Addr().IsUnspecified() || len(host.Taking(e.Sockets, e.Address)) > 0 {
		return nil
	}
	for _, s := range host.Listening(e.Sockets, want.Port()) {
		if !holdsFor(ctx, e, s) || s.Local.Addr().Unmap().Is6() != want.Addr().Is6() {
			continue
		}
		return cause.New(cause.NginxOlder,
			fmt.Sprintf("nginx still listens on %s alone, and cannot take every address at that port by a reload, "+
				"while it holds the one", netip.AddrPortFrom(s.Local.Addr().Unmap(), s.Local.Port())),
			cause.Do("nginx", "-t").And("systemctl", "restart", "nginx").Note("which ends all connections"),
			append([]string{e.Err.Error()}, facts.LastBind(facts.ErrorLog(ctx, e), int(want.Port()), 98)...)...)
	}
	return nil
}

func holdsFor(ctx context.Context, e *facts.Evidence, s host.Socket) bool {
	for _, p := range host.Holders(ctx, e.Host, []host.Socket{s}) {
		if facts.IsNginx(e, p) {
			return true
		}
	}
	return false
}
