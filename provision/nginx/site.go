package nginx

import (
	"fmt"
	"net/netip"
	"strconv"
	"time"
)

// Site is one server block and what it needs beside it.
type Site struct {
	// Name is unique on the host; the names of the map's variable and of the upstreams come from it.
	Name        string
	ServerNames []string
	Listen      []Listen
	// TLS is nil if and only if no Listen has TLS.
	TLS       *TLS
	Locations []Location
}

// Listen is an address that nginx accepts connections on.
type Listen struct {
	// Address is "" for every IPv4 address, "::" for every IPv6 one, else an IP without brackets.
	Address string
	Port    int
	TLS     bool
}

// TLS names PEM files by absolute path; the certificate's file holds the chain, leaf first.
type TLS struct{ Certificate, Key string }

// Location is a path prefix and where it goes, the path kept as the client sent it.
type Location struct {
	Path    string
	Backend Backend
	// WebSocket passes Upgrade on. Without it the location is plain HTTP ("mixed traffic").
	WebSocket bool
	// 0 means 24h, 24h and 60s; for plain HTTP 60s each, nginx's own defaults. Whole milliseconds, at most 10 years.
	ReadTimeout, SendTimeout, ConnectTimeout time.Duration
}

// Backend is an IP or a name. nginx resolves a name once, when it reads its configuration, and neither tests, starts
// nor boots with one that does not resolve.
type Backend struct {
	Host string
	Port int
}

// String is the form of `listen`: 80, 192.0.2.1:80, [::]:443 ssl.
func (l Listen) String() string {
	text := strconv.Itoa(l.Port)
	if address := plainAddress(l.Address); address != "" {
		text = join(address, l.Port)
	}
	if l.TLS {
		text += " ssl"
	}
	return text
}

// String is HOST:PORT, with brackets around IPv6: [::1]:3000.
func (b Backend) String() string { return join(b.Host, b.Port) }

func join(host string, port int) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		return fmt.Sprintf("[%s]:%d", ip, port)
	}
	return fmt.Sprintf("%s:%d", host, port)
}

// plainAddress gives one spelling to each address: "" for every IPv4 address, IPv6 compressed and without brackets.
func plainAddress(address string) string {
	ip, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return address
	case ip == netip.IPv4Unspecified():
		return ""
	}
	return ip.String()
}
