package diagnose

import (
	"fmt"
	"net/netip"
	"strings"

	"wsprovision/provision/host"
)

// notListeningThere: the connection to the backend was refused (111).
func (q *inquiry) notListeningThere(address string) *Diagnosis {
	at, err := netip.ParseAddrPort(address)
	if err == nil {
		if d := q.familyOfBackend(at); d != nil {
			return d
		}
	}
	mend := say("start the backend (systemctl start its unit)")
	if PortOf(address) != 0 {
		mend = mend.say(", so that it listens on ").name(address)
	}
	evidence := fmt.Sprintf("nothing listens on %s", address)
	if near := q.nearby(PortOf(address)); near != "" {
		evidence += "; " + near
	}
	if q.Location != nil && q.passed && q.pass.Address() != q.Location.Backend.String() && q.pass.Address() == address {
		evidence += fmt.Sprintf("; the configuration has %s, and %s:%d passes to %s", q.Location.Backend, q.pass.File,
			q.pass.Line, address)
	}
	return diagnosis(BackendNotRunning, fmt.Sprintf("the backend %s is not running: the connection is refused (111)",
		address), mend, evidence)
}

// nearby says where that port is taken on another address.
func (q *inquiry) nearby(port int) string {
	var at []string
	for _, s := range host.Listening(q.sockets, uint16(port)) {
		at = append(at, s.Local.String())
	}
	if len(at) == 0 {
		return ""
	}
	return "somebody listens on " + strings.Join(at, " and ")
}

// familyOfBackend: it listens on the loopback, or everywhere, of the other
// family, as Node.js does for "localhost".
func (q *inquiry) familyOfBackend(at netip.AddrPort) *Diagnosis {
	if len(host.Taking(q.sockets, at)) > 0 {
		return nil
	}
	wants6 := at.Addr().Unmap().Is6()
	for _, s := range host.Listening(q.sockets, at.Port()) {
		if s.Local.Addr().Unmap().Is6() == wants6 || !s.Local.Addr().IsLoopback() && !s.Local.Addr().IsUnspecified() {
			continue
		}
		code, have, lack := BackendIPv6Only, "IPv6", "IPv4"
		if wants6 {
			code, have, lack = BackendIPv4Only, "IPv4", "IPv6"
		}
		return diagnosis(code, fmt.Sprintf("the backend listens on %s, %s only, and nginx connects to %s", s.Local,
			have, at),
			say("have the backend listen on ").name(lack).say(" too, or give the site the backend ").
				name(s.Local.String()), fmt.Sprintf("nothing listens on %s", at))
	}
	return nil
}

// noLocalPort: nginx's connect failed with 99.
func (q *inquiry) noLocalPort(address string) *Diagnosis {
	if d := q.route.Value("proxy_bind"); d != nil {
		return diagnosis(BackendUnreachable,
			fmt.Sprintf("nginx may not connect to %s from the address that proxy_bind names: it is none of this "+
				"host's (99)", address),
			q.edit(d.File, d.Line, say("mend proxy_bind")), "proxy_bind "+strings.Join(d.Args, " "))
	}
	return q.exhausted("connections from nginx to "+address+" (99: cannot assign requested address)",
		uint16(PortOf(address)), "")
}

func (q *inquiry) unreachable(address string) *Diagnosis {
	mend := say("look for a route to it, and for a firewall in between")
	if at, err := netip.ParseAddrPort(address); err == nil {
		mend = do("ip", "route", "get", at.Addr().String())
	}
	return diagnosis(BackendUnreachable,
		fmt.Sprintf("the backend %s cannot be reached from this host: no route, or a firewall in between", address),
		mend)
}
