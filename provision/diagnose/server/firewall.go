package server

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/host"
)

// zone is what a zone of firewalld's lets in.
type zone struct {
	name            string
	active          bool
	services, ports []string
	rich            string
}

// firewall are the zones in use; none where firewalld does not run.
type firewall []zone

// Firewalld asks it; where its unit does not run nothing is asked.
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

// Closes reports whether every zone shuts the port.
func (f firewall) Closes(port int) bool {
	return len(f) > 0 && !slices.ContainsFunc(f, func(z zone) bool { return z.mayAdmit(port) })
}

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

// Shut is the warning that the port is let in by no zone.
func (f firewall) Shut(port int) *cause.Diagnosis {
	return cause.New(cause.FirewalldClosed,
		fmt.Sprintf("firewalld does not let port %d in: the site is reached from this host only", port),
		firewalldMend(f[0].name, port).Note("the key firewall has apply do it, and revert undo it"), f.evidence()...)
}

func (f firewall) evidence() (all []string) {
	for _, z := range f {
		all = append(all, fmt.Sprintf("zone %s of firewalld: services: %s; ports: %s", z.name,
			strings.Join(z.services, " "), strings.Join(z.ports, " ")))
	}
	return all
}

// firewalldMend opens the port in a zone of firewalld's; "" is the default one.
func firewalldMend(zone string, port int) cause.Mend {
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
	return cause.Do(append([]string{"firewall-cmd", "--permanent"}, what...)...).
		And(append([]string{"firewall-cmd"}, what...)...)
}

// otherServices are those of a fresh host, and the two that are known here, by port.
var (
	otherServices = []string{"ssh", "dhcpv6-client", "mdns", "cockpit", "http", "https"}
	portService   = map[int]string{80: "http", 443: "https"}
)
