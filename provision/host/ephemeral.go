package host

import (
	"fmt"
	"strings"

	"wsprovision/provision/site"
)

// EphemeralPorts are those that this kernel connects from (ip-sysctl.txt, ip_local_port_range). An installer's need not
// be those of the first boot, which looks again.
func EphemeralPorts(h *Host) site.Ports {
	var p site.Ports
	line := strings.Join(ReadProc(h, "/proc/sys/net/ipv4/ip_local_port_range"), " ")
	_, err := fmt.Sscan(line, &p.First, &p.Last)
	if err != nil || h.Where.Offline() || p.First < 1 || p.Last < p.First {
		return site.DefaultPorts
	}
	return p
}
