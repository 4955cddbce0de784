package provision

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"wsprovision/provision/websocket"
)

// unresolved: the name in the URL has no address.
func (q *inquiry) unresolved(context.Context) *Diagnosis {
	var dns *net.DNSError
	if !errors.As(q.err, &dns) {
		return nil
	}
	return diagnosis(NameUnresolved, fmt.Sprintf("the name %s does not resolve on this host", dns.Name),
		"add it to DNS or to /etc/hosts, or name the address in the URL", dns.Error())
}

// elsewhere: of another host only the connection itself can be judged.
func (q *inquiry) elsewhere(context.Context) *Diagnosis {
	var dial *websocket.DialError
	if !errors.As(q.err, &dial) {
		return nil
	}
	filtered := dial.Timeout || errors.Is(dial, syscall.EHOSTUNREACH) || errors.Is(dial, syscall.ETIMEDOUT) || errors.Is(dial, syscall.EACCES)
	port := int(q.address.Port())
	switch {
	case filtered: // by somebody else's firewall: this host's firewalld lets all in that comes by the loopback, which what is local does
		return diagnosis(AddressUnreachable, fmt.Sprintf("no answer comes from %s: a firewall drops or rejects the connection, or there is no route", q.address),
			fmt.Sprintf("on that host: %s", firewalldMend(port)), dial.Error())
	case errors.Is(dial, syscall.ECONNREFUSED) && !q.local():
		return diagnosis(AddressRefuses, fmt.Sprintf("nothing listens on %s", q.address), "run wsprovision verify on that host, which says why", dial.Error())
	case errors.Is(dial, syscall.ENETUNREACH) || errors.Is(dial, syscall.EADDRNOTAVAIL) && !q.local():
		return diagnosis(AddressUnreachable, fmt.Sprintf("this host has no route to %s", q.address), "ip route get "+q.address.Addr().String(), dial.Error())
	case errors.Is(dial, syscall.EADDRNOTAVAIL):
		return q.exhausted("the client's own connections to "+q.address.String(), q.address.Port(), dial.Error())
	}
	return nil
}

// beside: a URL that leads to another server than nginx, such as to a backend
// itself, or to another host. All that is known is what it answered.
func (q *inquiry) beside(context.Context) *Diagnosis {
	if q.site != nil || !q.address.IsValid() || q.local() && q.nginxPort() {
		return nil
	}
	var status *websocket.StatusError
	var silent *websocket.ResponseError
	var head *websocket.HeaderError
	var accept *websocket.AcceptError
	at, seen := q.address.String(), q.err.Error()
	switch {
	case errors.Is(q.err, syscall.ECONNREFUSED) && q.refused():
		return diagnosis(AddressRefuses, "nothing listens on "+at, "start the server that is meant to listen there", seen, q.nearby(int(q.address.Port())))
	case errors.As(q.err, &head) || errors.As(q.err, &accept):
		return diagnosis(NotAWebSocket, "what listens on "+at+" answers 101 and is no WebSocket server", q.whoListens(at), seen)
	case !q.local():
		return nil
	case errors.As(q.err, &status) && status.Code == http.StatusForbidden && q.target.Origin != "":
		return diagnosis(OriginRefused, fmt.Sprintf("the backend %s refuses the Origin %s (403)", at, q.target.Origin), "allow that origin in the backend's own configuration", seen)
	case errors.As(q.err, &status) && status.Code == http.StatusNotFound:
		return diagnosis(PathNotFound, fmt.Sprintf("the backend %s has nothing at %s (404)", at, q.target.Path), "use the path that the backend serves; its own log says more", seen)
	case errors.As(q.err, &status):
		return diagnosis(BackendRefused, fmt.Sprintf("the backend %s refuses the handshake at %s (%d)", at, q.target.Path, status.Code), "the backend's own log says why", seen)
	case errors.As(q.err, &silent) && silent.Timeout:
		return diagnosis(BackendNotAnswering, "the backend "+at+" takes the connection and does not answer", "look at the backend's own log, and restart it", seen)
	}
	return nil
}

// nginxPort reports whether nginx's configuration has a listener on that port, at whatever address.
func (q *inquiry) nginxPort() bool {
	return slices.ContainsFunc(q.listens(), func(l netip.AddrPort) bool { return l.Port() == q.address.Port() })
}

// exhausted: every local port towards one address is in use or in TIME_WAIT.
func (q *inquiry) exhausted(whose string, port uint16, evidence string) *Diagnosis {
	held, waiting := 0, 0
	for _, s := range q.sockets {
		if s.remote.Port() == port {
			held++
			if s.state == stateTimeWait {
				waiting++
			}
		}
	}
	return diagnosis(PortsExhausted, "no local port is free any more for "+whose,
		"sysctl -w net.ipv4.ip_local_port_range='1024 65535' net.ipv4.tcp_tw_reuse=1, and look for who opens so many connections",
		evidence, fmt.Sprintf("%d connections to port %d, %d of them in TIME_WAIT", held, port, waiting), "net.ipv4.ip_local_port_range: "+q.readLine("/proc/sys/net/ipv4/ip_local_port_range"))
}

// readLine is the first line of a file of /proc or /sys, its blanks made one.
func (h *Host) readLine(path string) string {
	b, err := os.ReadFile(h.Root + path)
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(b), "\n")
	return strings.Join(strings.Fields(first), " ")
}

// firewall is what firewalld lets into the default zone.
type firewall struct {
	running  bool
	services []string
	ports    []string
	rich     string
}

// firewalld asks it; where its unit does not run nothing is asked.
func (h *Host) firewalld(ctx context.Context) firewall {
	units, err := h.Units(ctx)
	if err != nil {
		return firewall{}
	}
	defer units.Close()
	if st, err := units.State(ctx, "firewalld.service"); err != nil || st.Active != "active" {
		return firewall{}
	}
	stdout, _, status, err := h.Nginx.Read(ctx, "", "firewall-cmd", "--list-all")
	if err != nil || status != 0 {
		return firewall{}
	}
	return parseFirewall(stdout)
}

// parseFirewall reads `firewall-cmd --list-all` (firewalld 0.4 to 0.6 on RHEL 7): an indented "key: words" to a line.
func parseFirewall(text string) firewall {
	f := firewall{running: true}
	rich := false
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case rich:
			f.rich += line
		case ok && key == "services":
			f.services = strings.Fields(value)
		case ok && key == "ports":
			f.ports = append(f.ports, strings.Fields(value)...)
		case ok && key == "target" && strings.TrimSpace(value) == "ACCEPT":
			f.ports = append(f.ports, "1-65535/tcp")
		case ok && key == "rich rules":
			rich = true
		}
	}
	return f
}

// closes reports whether the port is shut; where rich rules speak of it, that
// cannot be told.
func (f firewall) closes(port int) bool {
	known := map[int]string{80: "http", 443: "https"}
	if !f.running || strings.Contains(f.rich, `port="`+strconv.Itoa(port)+`"`) {
		return false
	}
	if name := known[port]; name != "" && (slices.Contains(f.services, name) || strings.Contains(f.rich, `service name="`+name+`"`)) {
		return false
	}
	for _, p := range f.ports {
		span, protocol, _ := strings.Cut(p, "/")
		low, high, isRange := strings.Cut(span, "-")
		if !isRange {
			high = low
		}
		from, err1 := strconv.Atoi(low)
		to, err2 := strconv.Atoi(high)
		if protocol == "tcp" && err1 == nil && err2 == nil && from <= port && port <= to {
			return false
		}
	}
	return true
}

func (f firewall) evidence() string {
	return fmt.Sprintf("firewall-cmd --list-all: services: %s; ports: %s", strings.Join(f.services, " "), strings.Join(f.ports, " "))
}

func firewalldMend(port int) string {
	what := fmt.Sprintf("--add-port=%d/tcp", port)
	switch port {
	case 80:
		what = "--add-service=http"
	case 443:
		what = "--add-service=https"
	}
	return fmt.Sprintf("firewall-cmd --permanent %s && firewall-cmd %[1]s", what)
}
