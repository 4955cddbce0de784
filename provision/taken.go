package provision

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	multierror "github.com/hashicorp/go-multierror"
	"golang.org/x/sys/unix"
)

// checkAddresses finds the addresses of our sites that another process listens on.
// nginx -t passes over a bind that fails with 98, and a file that the master
// then refuses would keep nginx from its next start. What is on the disk
// already, and owed a reload, is the reload's to refuse and to put back.
func (r *Run) checkAddresses(ctx context.Context) error {
	if r.Where.Offline() || r.reverting {
		return nil
	}
	s, err := r.service(ctx)
	if err != nil || s.owed { // who cannot be asked is the service step's to report
		return nil
	}
	var all *multierror.Error
	for _, site := range r.Config.Sites {
		for _, l := range site.Listen {
			if at, err := netip.ParseAddr(word(l.Address, "0.0.0.0")); err == nil {
				all = multierror.Append(all, r.takenBy(netip.AddrPortFrom(at, uint16(l.Port)), s.state.MainPID))
			}
		}
	}
	return together(all)
}

// takenBy is nil where the address can be bound, or is nginx.service's own.
func (r *Run) takenBy(at netip.AddrPort, master int) error {
	if err := r.TryBind(at); !errors.Is(err, syscall.EADDRINUSE) {
		return nil // what else is wrong with an address nginx -t says itself
	}
	holders := r.holders(conflicting(r.sockets(), at))
	if slices.ContainsFunc(holders, func(p process) bool { return p.pid == master }) {
		return nil
	}
	who, unit := "another process", "ss -ltnp shows which"
	if len(holders) > 0 {
		who, unit = holders[0].String(), fmt.Sprintf("systemctl status %d names its unit", holders[0].pid)
	}
	return fmt.Errorf("%s listens on port %d, so that nginx cannot listen on %s: stop it (%s), or give the site another port (listen, --listen)", who, at.Port(), at, unit)
}

// conflicting are the listening sockets that keep another from being bound to
// the address: one at the same address, or either of them at every address.
func conflicting(all []socket, at netip.AddrPort) []socket {
	return slices.DeleteFunc(listening(all, at.Port()), func(s socket) bool {
		have, want := s.local.Addr().Unmap(), at.Addr().Unmap()
		return have != want && !have.IsUnspecified() && !want.IsUnspecified()
	})
}

// tryBind binds a socket as nginx does and lets it go. It never listens, so
// that no client notices; the kernel refuses it where another socket listens.
func tryBind(at netip.AddrPort) error {
	family := unix.AF_INET6
	var address unix.Sockaddr = &unix.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
	if at.Addr().Is4() {
		family, address = unix.AF_INET, &unix.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if family == unix.AF_INET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return err
		}
	}
	return unix.Bind(fd, address)
}
