package server

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/conf"
)

// ipv6Off says why this host has no IPv6; "" where it has it. With ipv6.disable=1 the kernel has no such sockets at all
// (errno 97), with the sysctl it has them and no address (errno 99).
func ipv6Off(e *facts.Evidence) string {
	if _, err := os.Stat(e.Root + "/proc/net/if_inet6"); err != nil {
		return "the kernel has no IPv6 (booted with ipv6.disable=1)"
	}
	if e.Root == "" && !hasSockets6() {
		return "the kernel has no IPv6 (booted with ipv6.disable=1)"
	}
	if readLine(e.Host, "/proc/net/if_inet6") == "" {
		return "no interface has an IPv6 address (net.ipv6.conf.all.disable_ipv6 is " +
			readLine(e.Host, "/proc/sys/net/ipv6/conf/all/disable_ipv6") + ")"
	}
	return ""
}

func hasSockets6() bool {
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err == nil {
		_ = syscall.Close(fd)
	}
	return err == nil
}

// FamilyIsOff: nginx is to connect to an IPv6 address, and this host has no IPv6.
func FamilyIsOff(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	number, address, line := facts.FailedCall(e)
	if number != int(syscall.EAFNOSUPPORT) && number != int(syscall.EADDRNOTAVAIL) {
		return nil
	}
	at, err := netip.ParseAddrPort(address)
	off := ipv6Off(e)
	if err != nil || !at.Addr().Is6() || off == "" {
		return nil
	}
	instead := fmt.Sprintf("127.0.0.1:%d", at.Port())
	if !at.Addr().IsLoopback() {
		instead = "an IPv4 address"
	}
	mend := cause.Say("give the site the backend ").Name(instead)
	if p := facts.Passed(e); p != nil && !facts.Ours(e, p.Directive.File) {
		mend = cause.Say("pass to ").Name(instead).Say(" in place of ").Name(nameOf(p.Directive)).Say(" in ").
			Line(p.Directive.File, p.Directive.Line).Say(facts.ThenReload)
	}
	return cause.New(cause.AddressFamilyOff, fmt.Sprintf("nginx is to connect to %s, and this host has no IPv6: %s",
		address,
		off),
		mend, line)
}

func nameOf(d conf.Directive) string {
	if len(d.Args) == 0 {
		return d.Name
	}
	return d.Args[0]
}

// listenOfAFamilyThatIsOff explains nginx's word on a listener at an IPv6 address (ngx_open_listening_sockets).
func listenOfAFamilyThatIsOff(e *facts.Evidence, p nginx.Problem, evidence string) *cause.Diagnosis {
	address, ok := strings.CutPrefix(p.Message, "socket() ")
	if !ok || !strings.Contains(p.Message, "failed (97:") {
		return nil
	}
	address, _, _ = strings.Cut(address, " ")
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil
	}
	why := fmt.Sprintf("nginx is to listen on %s, and this host has no IPv6: %s", at, ipv6Off(e))
	for _, s := range e.Tree.Servers() {
		for _, l := range s.Listen {
			if a, ok := facts.SocketOf(l); ok && a == at {
				mend := cause.Say("take listen ").Name(at.String()).Say(" out of ").Line(l.File,
					l.Line).Say(facts.ThenServe)
				if facts.Ours(e, l.File) {
					mend = cause.Say("take the IPv6 address out of the site's listen, then ").
						Join(facts.ApplyCommand(e))
				}
				return cause.New(cause.AddressFamilyOff, why, mend, evidence,
					fmt.Sprintf("%s:%d listens on %s", l.File, l.Line, at))
			}
		}
	}
	return cause.New(cause.AddressFamilyOff, why,
		cause.Say("take that listen out of "+host.NginxConf).Say(facts.ThenServe), evidence)
}
