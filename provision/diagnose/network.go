package diagnose

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"wsprovision/provision/host"
	"wsprovision/provision/websocket"
)

// nameHasNoAddress: the name in the URL does not resolve.
func nameHasNoAddress(_ context.Context, e *evidence) *Diagnosis {
	var dns *net.DNSError
	if !errors.As(e.Err, &dns) {
		return nil
	}
	return diagnosis(NameUnresolved, fmt.Sprintf("the name %s does not resolve on this host", dns.Name),
		say("add it to DNS or to /etc/hosts, or name the address in the URL"), dns.Error())
}

// connectionIsFiltered: by somebody else's firewall. This host's firewalld lets all in that comes by the loopback,
// which what is local does.
func connectionIsFiltered(_ context.Context, e *evidence) *Diagnosis {
	var dial *websocket.DialError
	if !errors.As(e.Err, &dial) || !dial.Timeout && !errors.Is(dial, syscall.EHOSTUNREACH) &&
		!errors.Is(dial, syscall.ETIMEDOUT) && !errors.Is(dial, syscall.EACCES) {
		return nil
	}
	if isLocal(e) && e.Check == Measured {
		return nil // nginx takes its time, with that many
	}
	return diagnosis(AddressUnreachable,
		fmt.Sprintf("no answer comes from %s: a firewall drops or rejects the connection, or there is no route",
			e.address),
		say("on that host: ").join(firewalldMend("", int(e.address.Port()))), dial.Error())
}

func nothingListensElsewhere(_ context.Context, e *evidence) *Diagnosis {
	if !errors.Is(e.Err, syscall.ECONNREFUSED) || !refused(e) {
		return nil
	}
	return diagnosis(AddressRefuses, fmt.Sprintf("nothing listens on %s", e.address),
		say("run wsprovision verify on that host, which says why"), e.Err.Error())
}

func noRouteToAddress(_ context.Context, e *evidence) *Diagnosis {
	if !errors.Is(e.Err, syscall.ENETUNREACH) && (!errors.Is(e.Err, syscall.EADDRNOTAVAIL) || isLocal(e)) {
		return nil
	}
	return diagnosis(AddressUnreachable, fmt.Sprintf("this host has no route to %s", e.address),
		do("ip", "route", "get", e.address.Addr().String()), e.Err.Error())
}

func clientHasNoPort(_ context.Context, e *evidence) *Diagnosis {
	if !errors.Is(e.Err, syscall.EADDRNOTAVAIL) {
		return nil
	}
	return exhausted(e, "the client's own connections to "+e.address.String(), e.address.Port(), e.Err.Error())
}

func nothingListensBeside(_ context.Context, e *evidence) *Diagnosis {
	if !refused(e) {
		return nil
	}
	at := e.address.String()
	return diagnosis(AddressRefuses, "nothing listens on "+at, say("start the server that is meant to listen there"),
		e.Err.Error(), nearby(e, int(e.address.Port())))
}

func besideIsNoWebSocket(_ context.Context, e *evidence) *Diagnosis {
	at := e.address.String()
	return diagnosis(NotAWebSocket, "what listens on "+at+" answers 101 and is no WebSocket server", whoListens(at),
		e.Err.Error())
}

// besideRefuses: all that is known of a program that is no nginx is what it answered.
func besideRefuses(ctx context.Context, e *evidence) *Diagnosis {
	if !isLocal(e) {
		return nil
	}
	at, status := e.address.String(), statusOf(e)
	switch silent := silenceOf(e); {
	case silent != nil && silent.Timeout:
		return diagnosis(BackendNotAnswering, "the backend "+at+" takes the connection and does not answer",
			say("look at the backend's own log, and restart it"), e.Err.Error())
	case status == nil:
		return nil
	case status.Code == http.StatusNotFound:
		return diagnosis(PathNotFound, fmt.Sprintf("the backend %s has nothing at %s (404)", at, e.Target.Path),
			say("use the path that the backend serves; its own log says more"), e.Err.Error())
	}
	return besideStatus(ctx, e, at, status)
}

func besideStatus(ctx context.Context, e *evidence, at string, status *websocket.StatusError) *Diagnosis {
	if status.Code == http.StatusForbidden && e.Target.Origin != "" {
		other := e.Target
		if other.Origin = ""; shake(ctx, e, other) == nil {
			return diagnosis(OriginRefused, fmt.Sprintf("the backend %s refuses the Origin %s (403)", at,
				e.Target.Origin),
				say("allow that origin in the backend's own configuration"), e.Err.Error())
		}
	}
	return diagnosis(BackendRefused,
		fmt.Sprintf("the backend %s refuses the handshake at %s (%d)", at, e.Target.Path, status.Code),
		say("the backend's own log says why"), e.Err.Error())
}

// nginxPort reports whether nginx's configuration has a listener on that port, at whatever address.
func nginxPort(e *evidence) bool {
	return slices.ContainsFunc(listens(e), func(l netip.AddrPort) bool { return l.Port() == e.address.Port() })
}

// reuse takes ports in TIME_WAIT for new connections (tcp(7)). Not a wider
// ip_local_port_range: SELinux checks name_bind only outside of that range, and
// what a backend is to listen on would be taken for an outgoing connection.
func reuse() Mend {
	const file = "/etc/sysctl.d/tcp-tw-reuse.conf"
	return do("echo", "net.ipv4.tcp_tw_reuse=1").into(file).and("sysctl", "-p", file).
		note("and look for who opens so many connections: ss -tnp")
}

// exhausted: every local port towards one address is in use or in TIME_WAIT. Nil where that many are not: another thing
// gives the same error.
func exhausted(e *evidence, whose string, port uint16, line string) *Diagnosis {
	held, waiting := 0, 0
	for _, s := range e.sockets {
		if s.Remote.Port() == port {
			held++
			if s.State == host.StateTimeWait {
				waiting++
			}
		}
	}
	span := readLine(e.Host, "/proc/sys/net/ipv4/ip_local_port_range")
	if room, known := portsOf(span); known && held < room-room/5 {
		return nil
	}
	mend := reuse()
	if waiting < held/2 { // which would free nothing
		mend = say("end what holds so many: ss -tnp dport = :").number(int(port)).say(" names it")
	}
	return diagnosis(PortsExhausted, "no local port is free any more for "+whose, mend, line,
		fmt.Sprintf("%d connections to port %d, %d of them in TIME_WAIT", held, port, waiting),
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

// zone is what a zone of firewalld's lets in.
type zone struct {
	name            string
	active          bool
	services, ports []string
	rich            string
}

// firewall are the zones in use; none where firewalld does not run.
type firewall []zone

// firewalld asks it; where its unit does not run nothing is asked.
func Firewalld(ctx context.Context, h *host.Host) firewall {
	units, err := host.Systemd(ctx, h)
	if err != nil {
		return nil
	}
	if st, err := units.State(ctx, "firewalld.service"); err != nil || st.Active != "active" {
		return nil
	}
	active := slices.DeleteFunc(zones(ctx, h, "--list-all-zones"), func(z zone) bool { return !z.active })
	if len(active) > 0 {
		return active
	}
	return zones(ctx, h, "--list-all") // the default zone has what no other is given
}

func zones(ctx context.Context, h *host.Host, which string) firewall {
	stdout, _, status, err := h.Nginx.Read(ctx, "", "firewall-cmd", which)
	if err != nil || status != 0 {
		return nil
	}
	return parseFirewall(stdout)
}

// parseFirewall reads what `firewall-cmd --list-all` and --list-all-zones print (firewalld 0.4 to 0.6 on RHEL 7): for
// each zone its name at the margin, and an indented "key: words" to a line.
func parseFirewall(text string) firewall {
	var all firewall
	rich := false
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if name := strings.Fields(line); len(name) > 0 && !ok && !strings.ContainsAny(line[:1], " \t") &&
			name[0] != "rule" {
			all = append(all, zone{name: name[0], active: slices.ContainsFunc(name[1:], func(w string) bool {
				return strings.Trim(w, "(,)") == "active"
			})})
			rich = false
		}
		if len(all) == 0 {
			continue
		}
		z := &all[len(all)-1]
		switch {
		case rich:
			z.rich += line
		case ok && key == "services":
			z.services = strings.Fields(value)
		case ok && key == "ports":
			z.ports = append(z.ports, strings.Fields(value)...)
		case ok && key == "target" && strings.TrimSpace(value) == "ACCEPT":
			z.ports = append(z.ports, "1-65535/tcp")
		case ok && key == "rich rules":
			rich = true
		}
	}
	return all
}

// closes reports whether every zone shuts the port.
func (f firewall) Closes(port int) bool {
	return len(f) > 0 && !slices.ContainsFunc(f, func(z zone) bool { return z.mayAdmit(port) })
}

// otherServices are those of a fresh host, and the two that are known here, by port.
var (
	otherServices = []string{"ssh", "dhcpv6-client", "mdns", "cockpit", "http", "https"}
	portService   = map[int]string{80: "http", 443: "https"}
)

// mayAdmit is true also where it cannot be told: rich rules speak of the port, or a service whose ports are not known
// here.
func (z zone) mayAdmit(port int) bool {
	service := portService[port]
	if strings.Contains(z.rich, `port="`+strconv.Itoa(port)+`"`) || service != "" &&
		strings.Contains(z.rich, `service name="`+service+`"`) {
		return true
	}
	for _, s := range z.services {
		if s == service || service == "" && !slices.Contains(otherServices, s) {
			return true
		}
	}
	for _, p := range z.ports {
		span, protocol, _ := strings.Cut(p, "/")
		low, high, isRange := strings.Cut(span, "-")
		if !isRange {
			high = low
		}
		from, err1 := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if protocol == "tcp" && err1 == nil && err2 == nil && from <= port && port <= to {
			return true
		}
	}
	return false
}

// shut is the warning that the port is let in by no zone.
func (f firewall) Shut(port int) *Diagnosis {
	return diagnosis(FirewalldClosed,
		fmt.Sprintf("firewalld does not let port %d in: the site is reached from this host only", port),
		firewalldMend(f[0].name, port), f.evidence()...)
}

func (f firewall) evidence() (all []string) {
	for _, z := range f {
		all = append(all, fmt.Sprintf("zone %s of firewalld: services: %s; ports: %s", z.name,
			strings.Join(z.services, " "), strings.Join(z.ports, " ")))
	}
	return all
}

// firewalldMend opens the port in a zone of firewalld's; "" is the default one.
func firewalldMend(zone string, port int) Mend {
	what := []string{fmt.Sprintf("--add-port=%d/tcp", port)}
	switch port {
	case 80:
		what[0] = "--add-service=http"
	case 443:
		what[0] = "--add-service=https"
	}
	if zone != "" {
		what = append([]string{"--zone=" + zone}, what...)
	}
	return do(append([]string{"firewall-cmd", "--permanent"}, what...)...).
		and(append([]string{"firewall-cmd"}, what...)...)
}
