package site

import (
	"fmt"
	"net/netip"
	"strconv"
)

// Backend is one server of a location. nginx resolves a name once, when it reads its configuration, and neither
// tests, starts nor boots with one that does not resolve.
type Backend struct {
	Host   string // IPv4, IPv6 without brackets, or a name; "" with Socket
	Port   int    // 1 to 65535; 0 with Socket
	Socket string // absolute path of a UNIX socket, "" for TCP
	HTTPS  bool
	Weight int  // 0 is nginx's own, 1
	Backup bool // asked only where the others do not answer
	// MaxFails is after how many failed tries in 10 seconds it is left out for as long; nil is nginx's own, 1, and 0
	// never.
	MaxFails *int
}

// String is how a person writes the address: 127.0.0.1:3000, https://[::1]:8443, unix:/run/app/app.sock.
func (b Backend) String() string {
	if b.HTTPS {
		return "https://" + b.Address()
	}
	return b.Address()
}

// Address is what nginx calls the server: host:port, with brackets around IPv6, or unix: and the path.
func (b Backend) Address() string {
	if b.Socket != "" {
		return "unix:" + b.Socket
	}
	return HostPort(b.Host, b.Port)
}

// Options are nginx's words behind the address, "" or with a blank in front.
func (b Backend) Options() string {
	options := ""
	if b.Weight > 0 {
		options += fmt.Sprintf(" weight=%d", b.Weight)
	}
	if b.MaxFails != nil {
		options += fmt.Sprintf(" max_fails=%d", *b.MaxFails)
	}
	if b.Backup {
		options += " backup"
	}
	return options
}

// Named: the host is a name, and no address.
func (b Backend) Named() bool {
	_, err := netip.ParseAddr(b.Host)
	return b.Socket == "" && err != nil
}

// HostPort is host:port, with brackets around IPv6 in its shortest form.
func HostPort(host string, port int) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		host = "[" + ip.String() + "]"
	}
	return host + ":" + strconv.Itoa(port)
}
