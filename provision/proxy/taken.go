package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"syscall"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/site"
)

// checkAddresses finds the addresses of our sites that another process listens on.
// nginx -t passes over a bind that fails with 98, and a file that the master
// then refuses would keep nginx from its next start. What is on the disk
// already, and owed a reload, is the reload's to refuse and to put back.
func (v *Candidate) checkAddresses(ctx context.Context) error {
	if v.Where.Offline() || v.Reverting {
		return nil
	}
	s, err := v.Unit.State(ctx)
	if err != nil || s.Owed { // who cannot be asked is the service step's to report
		return nil
	}
	var all *multierror.Error
	asked := map[netip.AddrPort]bool{}
	for _, site := range v.Config.Sites {
		for _, l := range site.Sockets() {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			if a := at(l); a.IsValid() && !asked[a] {
				asked[a] = true
				all = multierror.Append(all, v.TakenBy(ctx, a, s))
			}
		}
	}
	return engine.Lines(all)
}

// at is the address that nginx binds for a listen.
func at(l site.Listen) netip.AddrPort {
	ip, err := netip.ParseAddr(cmp.Or(l.Address, "0.0.0.0"))
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, uint16(l.Port))
}

// TakenBy is nil where the address can be bound, or nobody but nginx.service
// is in the way.
func (v *Candidate) TakenBy(ctx context.Context, at netip.AddrPort, service ServiceState) error {
	if err := v.TryBind(at); !errors.Is(err, syscall.EADDRINUSE) {
		return nil // what else is wrong with an address nginx -t says itself
	}
	o, master := v.Survey.occupied(), service.State.MainPID
	all := conflicting(o.Listening(at.Port()), at)
	others := slices.DeleteFunc(slices.Clone(all), func(s host.Socket) bool { return o.HeldBy(ctx, master, s) })
	if len(all) > 0 && len(others) == 0 {
		return nil
	}
	who, unit := "another process", "ss -ltnp shows which"
	holders := o.Holders(ctx, others)
	if err := context.Cause(ctx); err != nil { // /proc was not gone through to its end
		return err
	}
	if left := host.OrphansOf(ctx, v.Host).Holding(holders); len(left) > 0 {
		if !service.Running() {
			return nil // the service step says what is in its way
		}
		return host.OrphansHold(left, map[string]bool{strconv.Itoa(int(at.Port())): true})
	}
	if len(holders) > 0 {
		who, unit = holders[0].String(), fmt.Sprintf("systemctl status %d names its unit", holders[0].Pid)
	}
	return fmt.Errorf("%s listens on port %d, so that nginx cannot listen on %s: stop it (%s), or give the site "+
		"another port (listen, --listen)", who, at.Port(), at, unit)
}

// checkExchange finds the addresses that a reload cannot bring nginx to listen
// on, because the master itself is in the way: it binds what is new before it
// closes what is old (ngx_init_cycle), be it on our behalf or another's.
func (v *Candidate) checkExchange(ctx context.Context, tree conf.Tree) error {
	if v.Where.Offline() {
		return nil
	}
	s, err := v.Unit.State(ctx)
	if err != nil || s.Owed || !s.Running() {
		return nil
	}
	now, err := v.Survey.Tree(nil)
	if err != nil {
		return nil
	}
	var all *multierror.Error
	o, before, bound := v.Survey.occupied(), set(now.Bindings().Bound()), tree.Bindings().Bound()
	after := set(bound)
	for _, at := range bound {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		near := conflicting(o.Listening(at.Port()), at)
		if slices.ContainsFunc(near, func(s host.Socket) bool { return s.Local == at }) {
			continue // a reload keeps it open
		}
		held := slices.DeleteFunc(near, func(near host.Socket) bool { return !o.HeldBy(ctx, s.State.MainPID, near) })
		if len(held) == 0 || !errors.Is(v.TryBind(at), syscall.EADDRINUSE) {
			continue
		}
		old := held[0].Local
		if before[old] && !after[old] {
			all = multierror.Append(all,
				fmt.Errorf("nginx itself listens on %s and can exchange that for %s only by a restart: stop it "+
					"(systemctl stop nginx, which cuts every WebSocket) and run this again, or choose another port",
					old, at))
		} else { // stream's, or one with a socket of its own: a start would fail too
			all = multierror.Append(all,
				fmt.Errorf("nginx itself listens on %s, which keeps it from listening on %s: choose another port; "+
					"if that listen is gone from its configuration, reload nginx first", old, at))
		}
	}
	return engine.Lines(all)
}

func set(all []netip.AddrPort) map[netip.AddrPort]bool {
	has := map[netip.AddrPort]bool{}
	for _, a := range all {
		has[a] = true
	}
	return has
}

// conflicting are the listening sockets that keep another from being bound to
// the address: one at the same address, or either of them at every address.
// Those of the other family do only where IPV6_V6ONLY is off, which /proc does
// not say, and then there are none of the address's own.
func conflicting(all []host.Socket, at netip.AddrPort) []host.Socket {
	near := slices.DeleteFunc(host.Listening(all, at.Port()), func(s host.Socket) bool {
		have, want := s.Local.Addr().Unmap(), at.Addr().Unmap()
		return have != want && !have.IsUnspecified() && !want.IsUnspecified()
	})
	own := slices.DeleteFunc(slices.Clone(near), func(s host.Socket) bool {
		return s.Local.Addr().Unmap().Is4() != at.Addr().Unmap().Is4()
	})
	if len(own) > 0 {
		return own
	}
	return near
}
