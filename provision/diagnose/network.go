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

// unresolved: the name in the URL has no address.
func (q *inquiry) unresolved(context.Context) *Diagnosis {
	var dns *net.DNSError
	if !errors.As(q.Err, &dns) {
		return nil
	}
	return diagnosis(NameUnresolved, fmt.Sprintf("the name %s does not resolve on this host", dns.Name),
		say("add it to DNS or to /etc/hosts, or name the address in the URL"), dns.Error())
}

// elsewhere: of another host only the connection itself can be judged.
func (q *inquiry) elsewhere(context.Context) *Diagnosis {
	var dial *websocket.DialError
	if !errors.As(q.Err, &dial) {
		return nil
	}
	filtered := dial.Timeout || errors.Is(dial, syscall.EHOSTUNREACH) || errors.Is(dial, syscall.ETIMEDOUT) ||
		errors.Is(dial, syscall.EACCES)
	port := int(q.address.Port())
	switch {
	// by somebody else's firewall: this host's firewalld lets all in that comes by the loopback, which what is local
	// does
	case filtered:
		return diagnosis(AddressUnreachable,
			fmt.Sprintf("no answer comes from %s: a firewall drops or rejects the connection, or there is no route",
				q.address),
			say("on that host: ").join(firewalldMend("", port)), dial.Error())
	case errors.Is(dial, syscall.ECONNREFUSED) && !q.local():
		return diagnosis(AddressRefuses, fmt.Sprintf("nothing listens on %s", q.address),
			say("run wsprovision verify on that host, which says why"), dial.Error())
	case errors.Is(dial, syscall.ENETUNREACH) || errors.Is(dial, syscall.EADDRNOTAVAIL) && !q.local():
		return diagnosis(AddressUnreachable, fmt.Sprintf("this host has no route to %s", q.address),
			do("ip", "route", "get", q.address.Addr().String()), dial.Error())
	case errors.Is(dial, syscall.EADDRNOTAVAIL):
		return q.exhausted("the client's own connections to "+q.address.String(), q.address.Port(), dial.Error())
	}
	return nil
}

// beside: a URL that leads to another server than nginx, such as to a backend
// itself, or to another host. All that is known is what it answered.
func (q *inquiry) beside(context.Context) *Diagnosis {
	if q.Site != nil || !q.address.IsValid() || q.local() && q.nginxPort() {
		return nil
	}
	var status *websocket.StatusError
	var silent *websocket.ResponseError
	var head *websocket.HeaderError
	var accept *websocket.AcceptError
	at, seen := q.address.String(), q.Err.Error()
	switch {
	case errors.Is(q.Err, syscall.ECONNREFUSED) && q.refused():
		return diagnosis(AddressRefuses, "nothing listens on "+at,
			say("start the server that is meant to listen there"), seen, q.nearby(int(q.address.Port())))
	case errors.As(q.Err, &head) || errors.As(q.Err, &accept):
		return diagnosis(NotAWebSocket, "what listens on "+at+" answers 101 and is no WebSocket server",
			q.whoListens(at), seen)
	case !q.local():
		return nil
	case errors.As(q.Err, &status) && status.Code == http.StatusForbidden && q.Target.Origin != "":
		return diagnosis(OriginRefused, fmt.Sprintf("the backend %s refuses the Origin %s (403)", at, q.Target.Origin),
			say("allow that origin in the backend's own configuration"), seen)
	case errors.As(q.Err, &status) && status.Code == http.StatusNotFound:
		return diagnosis(PathNotFound, fmt.Sprintf("the backend %s has nothing at %s (404)", at, q.Target.Path),
			say("use the path that the backend serves; its own log says more"), seen)
	case errors.As(q.Err, &status):
		return diagnosis(BackendRefused,
			fmt.Sprintf("the backend %s refuses the handshake at %s (%d)", at, q.Target.Path, status.Code),
			say("the backend's own log says why"), seen)
	case errors.As(q.Err, &silent) && silent.Timeout:
		return diagnosis(BackendNotAnswering, "the backend "+at+" takes the connection and does not answer",
			say("look at the backend's own log, and restart it"), seen)
	}
	return nil
}

// nginxPort reports whether nginx's configuration has a listener on that port, at whatever address.
func (q *inquiry) nginxPort() bool {
	return slices.ContainsFunc(q.listens(), func(l netip.AddrPort) bool { return l.Port() == q.address.Port() })
}

// reuse takes ports in TIME_WAIT for new connections (tcp(7)). Not a wider
// ip_local_port_range: SELinux checks name_bind only outside of that range, and
// what a backend is to listen on would be taken for an outgoing connection.
func reuse() Mend {
	const file = "/etc/sysctl.d/tcp-tw-reuse.conf"
	return do("echo", "net.ipv4.tcp_tw_reuse=1").into(file).and("sysctl", "-p", file).
		note("and look for who opens so many connections: ss -tnp")
}

// exhausted: every local port towards one address is in use or in TIME_WAIT.
func (q *inquiry) exhausted(whose string, port uint16, evidence string) *Diagnosis {
	held, waiting := 0, 0
	for _, s := range q.sockets {
		if s.Remote.Port() == port {
			held++
			if s.State == host.StateTimeWait {
				waiting++
			}
		}
	}
	return diagnosis(PortsExhausted, "no local port is free any more for "+whose,
		reuse(),
		evidence, fmt.Sprintf("%d connections to port %d, %d of them in TIME_WAIT", held, port, waiting),
		"net.ipv4.ip_local_port_range: "+readLine(q.Host, "/proc/sys/net/ipv4/ip_local_port_range"))
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
