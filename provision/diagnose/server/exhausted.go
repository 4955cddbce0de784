package server

import (
	"fmt"
	"strconv"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
)

// Exhausted: every local port towards one address is in use or in TIME_WAIT. Nil where that many are not: another thing
// gives the same error.
func Exhausted(e *facts.Evidence, whose string, port uint16, line string) *cause.Diagnosis {
	now, when := facts.PortsTo(e.Sockets)[port], ""
	if p := e.Peak.Ports[port]; p.Taken > now.Taken {
		now, when = p, "while it ran, "
	}
	span := readLine(e.Host, "/proc/sys/net/ipv4/ip_local_port_range")
	if room, known := portsOf(span); known && now.Taken < room-room/5 {
		return nil
	}
	mend := reuse()
	if now.Waiting < now.Taken/2 { // which would free nothing
		mend = cause.Say("end what holds so many: ss -tnp dport = :").Number(int(port)).
			Say(" names it; the key connections has nginx connect from more addresses")
	}
	return cause.New(cause.PortsExhausted, "no local port is free any more for "+whose, mend, line,
		fmt.Sprintf("%s%d connections to port %d, %d of them in TIME_WAIT", when, now.Taken, port, now.Waiting),
		"net.ipv4.ip_local_port_range: "+span)
}

// portsOf is how many ports ip_local_port_range has.
func portsOf(span string) (int, bool) {
	low, high, _ := strings.Cut(span, " ")
	from, err1 := strconv.Atoi(low)
	to, err2 := strconv.Atoi(high)
	return to - from + 1, err1 == nil && err2 == nil && to >= from
}

// readLine is the first line of a file of /proc or /sys, its blanks made one.
func readLine(h *host.Host, path string) string {
	lines := host.ReadProc(h, path)
	if len(lines) == 0 {
		return ""
	}
	first := lines[0]
	return strings.Join(strings.Fields(first), " ")
}

// reuse takes ports in TIME_WAIT for new connections (tcp(7)). Not a wider
// ip_local_port_range: SELinux checks name_bind only outside of that range, and
// what a backend is to listen on would be taken for an outgoing connection.
func reuse() cause.Mend {
	const file = "/etc/sysctl.d/tcp-tw-reuse.conf"
	return cause.Do("echo", "net.ipv4.tcp_tw_reuse=1").Into(file).And("sysctl", "-p", file).
		Note("and look for who opens so many connections: ss -tnp")
}
