package site

import (
	"net/netip"
	"strconv"
)

// Backend is where a location is passed to. nginx resolves a name once, when it reads its configuration, and neither
// tests, starts nor boots with one that does not resolve.
type Backend struct {
	Host string // IPv4, IPv6 without brackets, or a name
	Port int    // 1 to 65535
}

// String is host:port, with brackets around IPv6: [::1]:3000.
func (b Backend) String() string { return HostPort(b.Host, b.Port) }

// HostPort is host:port, with brackets around IPv6 in its shortest form.
func HostPort(host string, port int) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		host = "[" + ip.String() + "]"
	}
	return host + ":" + strconv.Itoa(port)
}
