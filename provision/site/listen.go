package site

import (
	"net"
	"net/netip"
	"strconv"
)

// Listen is an address that nginx accepts connections on.
type Listen struct {
	// Address is "" for every IPv4 address, as in nginx, "::" for every IPv6 one, else an IP without brackets.
	Address string
	Port    int // 1 to 65535
	// ProxyProtocol: whoever connects says with a PROXY line who the client is.
	ProxyProtocol bool
}

// String is how the file has it: 80, 192.0.2.1:80, [::]:443.
func (l Listen) String() string {
	if l.Address == "" {
		return strconv.Itoa(l.Port)
	}
	return HostPort(l.Address, l.Port)
}

// Socket is equal for two that the kernel knows as one: nginx's 80 and 0.0.0.0:80 are.
func (l Listen) Socket() string {
	return Listen{Address: PlainAddress(l.Address), Port: l.Port}.String()
}

// Local is where this host itself reaches it.
func (l Listen) Local() string {
	address := l.Address
	switch address {
	case "", "0.0.0.0":
		address = "127.0.0.1"
	case "::":
		address = "::1"
	}
	return net.JoinHostPort(address, strconv.Itoa(l.Port))
}

// PlainAddress gives one spelling to each address: "" for every IPv4 address, IPv6 compressed and without brackets.
func PlainAddress(address string) string {
	ip, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return address
	case ip == netip.IPv4Unspecified():
		return ""
	}
	return ip.String()
}
