package backend

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
)

// noWay is what is said where this program does not know what is in between.
const noWay = "no route, or a firewall in between"

// BackendIsUnreachable: there is no way to it.
func BackendIsUnreachable(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	number, address, line := facts.FailedCall(e)
	if l := facts.Failing(e); l != nil && facts.ConnectTimeout().MatchString(l.Message) {
		number, address, line = int(syscall.ETIMEDOUT), facts.UpstreamOf(e, *l), l.Text
	}
	switch syscall.Errno(number) {
	case syscall.ETIMEDOUT:
		if at := listensHere(e, address); len(at) > 0 {
			return notTaken(e, address, at, line)
		}
		return unreachable(address, noWay, line)
	case syscall.ENETUNREACH, syscall.EHOSTUNREACH:
		return unreachable(address, noWay, line)
	case syscall.EINVAL:
		return invalid(ctx, e, address, line)
	case syscall.EACCES:
		if facts.PortOf(address) != 0 && isForbidden(ctx, e, address) {
			return unreachable(address, "a route of the kind prohibit, or a firewall's rule, refuses it (13)", line)
		}
	}
	return nil
}

func unreachable(address, what string, evidence ...string) *cause.Diagnosis {
	mend := cause.Say("look for a route to it, and for a firewall in between")
	if at, err := netip.ParseAddrPort(address); err == nil {
		mend = cause.Do("ip", "route", "get", at.Addr().String())
	}
	return cause.New(cause.BackendUnreachable, fmt.Sprintf("the backend %s cannot be reached from this host: %s",
		address, what), mend, evidence...)
}

// notTaken: it listens here, and nginx's connection was not made in time. Only a queue that is not empty shows that the
// backend accepts too little (listen(2), backlog); how much the queue holds, /proc does not say.
func notTaken(e *facts.Evidence, address string, at []host.Socket, line string) *cause.Diagnosis {
	waiting := min(waitingAt(at), waitingAt(listensHere(&facts.Evidence{Sockets: host.Sockets(e.Host)}, address)))
	looked := fmt.Sprintf("%d connections to %s wait to be accepted (rx_queue in /proc/net/tcp)", waiting, address)
	if waiting > 0 {
		return cause.New(cause.BackendNotAnswering, fmt.Sprintf("the backend %s listens, and takes no connection in "+
			"time: %d wait for it in its queue (listen(2), backlog)", address, waiting),
			cause.Say("look at the backend's own log, and restart it"), line, looked)
	}
	return cause.New(cause.BackendUnreachable, fmt.Sprintf("the backend %s listens on this host with an empty queue, "+
		"and nginx cannot reach it: %s", address, noWay),
		cause.Say("look for a rule of the firewall for it: iptables-save"), line, looked)
}

func waitingAt(all []host.Socket) (sum uint64) {
	for _, s := range all {
		sum += s.Waiting
	}
	return sum
}

// listensHere are the sockets of this host that take connections to the address.
func listensHere(e *facts.Evidence, address string) []host.Socket {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !facts.IsOwn(at.Addr()) {
		return nil
	}
	return host.Taking(e.Sockets, at)
}

// invalid: connect() has 22. A route of the kind blackhole gives it to everybody (ip-route(8)); an address of
// proxy_bind from which there is no way, such as 127.0.0.1 to another host, to nginx only.
func invalid(ctx context.Context, e *facts.Evidence, address, line string) *cause.Diagnosis {
	err := facts.Shake(ctx, e, facts.AsTheClient(e, address))
	everybody, bound := errors.Is(err, syscall.EINVAL), boundBy(e)
	at, _ := netip.ParseAddrPort(address)
	switch evidence := append([]string{line}, e.Asked.Told()...); {
	case at.Addr().Is6() && at.Addr().IsLinkLocalUnicast():
		return unreachable(address, "a link-local address says nothing of the interface (22)", evidence...)
	case bound != nil && !everybody:
		return cause.New(cause.BackendUnreachable, fmt.Sprintf("nginx may not connect to %s from the address that "+
			"proxy_bind names (22); without it connect() has no 22", address),
			facts.InFile(e, bound.File, bound.Line, cause.Say("take proxy_bind out of ").Line(bound.File, bound.Line).
				Say(", or name an address in it from which there is a way")),
			append(evidence, "proxy_bind "+strings.Join(bound.Args, " "))...)
	case bound == nil && everybody:
		return unreachable(address, "a route of the kind blackhole (22)", evidence...)
	case bound != nil:
		return unreachable(address, "connect() has 22, also without proxy_bind",
			append(evidence, "proxy_bind "+strings.Join(bound.Args, " "))...)
	default:
		return unreachable(address, "connect() of nginx has 22, and that of this program has not", evidence...)
	}
}

// boundBy is the proxy_bind that holds for the request; nil where none does.
func boundBy(e *facts.Evidence) *conf.Directive {
	d := e.Way.End.InForce("proxy_bind")
	if d == nil || len(d.Args) > 0 && d.Args[0] == "off" {
		return nil
	}
	return d
}
