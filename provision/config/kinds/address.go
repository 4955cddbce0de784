package kinds

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"wsprovision/provision/site"
)

// port refuses what strconv.Atoi would let pass: a sign, and a zero in front that some readers take for octal.
func port(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != s {
		return 0, fmt.Errorf("the port must be a number from 1 to 65535")
	}
	return int(n), nil
}

// hostPort takes an address apart and checks the host.
func hostPort(value string) (host, number string, err error) {
	if err := misunderstood(value); err != nil {
		return "", "", err
	}
	if inner, rest, bracket := strings.Cut(value, "]"); bracket && strings.HasPrefix(inner, "[") {
		if !strings.HasPrefix(rest, ":") {
			return "", "", fmt.Errorf("the port is missing: write %s]:3000", inner)
		}
		ip, err := ipv6(inner[1:])
		return ip, rest[1:], err
	}
	host, number, _ = strings.Cut(value, ":")
	host, err = connectable(host)
	return host, number, err
}

// misunderstood names the ways in which an address is usually written that are not host:port, and shows the right one.
func misunderstood(value string) error {
	last := strings.LastIndexByte(value, ':')
	_, noPort := port(value)
	switch {
	case strings.Contains(value, "://"):
		return fmt.Errorf("a URL is not accepted here: write %s", fromURL(value))
	case strings.Contains(value, "/"):
		return fmt.Errorf("an address has no path: write host and port, like 127.0.0.1:3000")
	case Only(value, Alphanum+"._-:[]") != nil:
		return fmt.Errorf("only letters, digits and . _ - : [ ] are accepted: write host and port, like " +
			"127.0.0.1:3000")
	case value[0] == '[':
		return nil
	case strings.Count(value, ":") > 1:
		return fmt.Errorf("an IPv6 address is written in brackets: write %s", bracketed(value[:last], value[last+1:]))
	case noPort == nil:
		return fmt.Errorf("the host is missing: write 127.0.0.1:%s", value)
	case last < 0:
		return fmt.Errorf("the port is missing: write %s:3000", value)
	case last == 0:
		return fmt.Errorf("the host is missing: write 127.0.0.1%s", value)
	}
	return nil
}

func bracketed(host, number string) string {
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		return "[" + ip.String() + "]:" + number
	}
	return "[::1]:3000"
}

func fromURL(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Hostname() == "" {
		return "host and port only, like 127.0.0.1:3000"
	}
	secure := u.Scheme == "wss" || u.Scheme == "https"
	switch {
	case secure && u.Port() != "":
		return "https://" + u.Host
	case secure:
		return "https://" + u.Host + ":443"
	case u.Port() != "":
		return u.Host
	}
	return u.Host + ":80"
}

// connectable is a host that one can connect to.
func connectable(host string) (string, error) {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if last != "" && strings.Trim(last, digits) == "" { // no top-level domain is a number: RFC 1123, 2.1
		ip, err := netip.ParseAddr(host)
		if err != nil {
			return "", fmt.Errorf("%s is no IPv4 address", Quote(host))
		}
		return host, unconnectable(ip)
	}
	return host, hostName(host)
}

func ipv6(s string) (string, error) {
	ip, err := netip.ParseAddr(s)
	if err != nil || !ip.Is6() || ip.Zone() != "" {
		return "", fmt.Errorf("%s is no IPv6 address (a zone is not accepted)", Quote(s))
	}
	return ip.String(), unconnectable(ip)
}

func unconnectable(ip netip.Addr) error {
	if ip.Unmap().IsUnspecified() || ip.Unmap().IsMulticast() {
		return fmt.Errorf("%s is no address to connect to: write 127.0.0.1 or [::1] for this host", ip)
	}
	return mapped(ip)
}

// mapped refuses a second spelling of an IPv4 address: nginx binds and connects to it over IPv6, and two that are one
// would not be found out.
func mapped(ip netip.Addr) error {
	if ip.Is4In6() {
		return fmt.Errorf("%s is an IPv4 address in IPv6's spelling: write %s", ip, ip.Unmap())
	}
	return nil
}

// listen parses a port, or an IP address and a port.
func listen(s Scalar) (site.Listen, error) {
	if s.Tag == "!!int" || s.Tag == "!!float" { // a port needs no quotes; 080 and 80.0 are port's to refuse
		s.Tag = "!!str"
	}
	value, err := text(s)
	if err != nil {
		return site.Listen{}, err
	}
	value, proxied := strings.CutSuffix(value, " "+site.ProxyProtocol)
	l, err := socket(value)
	l.ProxyProtocol = proxied && err == nil
	return l, err
}

func socket(value string) (_ site.Listen, err error) {
	address, number := "", value
	if strings.Trim(value, digits+"+-.xo_e") != "" {
		if address, number, err = listenAddress(value); err != nil {
			return site.Listen{}, fmt.Errorf("%s: %w", Quote(value), err)
		}
	}
	n, err := port(number)
	if err != nil {
		return site.Listen{}, fmt.Errorf("%s: %w", Quote(value), err)
	}
	return site.Listen{Address: address, Port: n}, nil
}

func listenAddress(value string) (address, number string, err error) {
	ap, err := netip.ParseAddrPort(value)
	if err == nil && !ap.Addr().IsMulticast() && ap.Addr().Zone() == "" {
		return ap.Addr().String(), value[strings.LastIndexByte(value, ':')+1:], mapped(ap.Addr())
	}
	host, number, found := strings.Cut(value, ":")
	if ip, err := netip.ParseAddr(host); found && err == nil && !ip.IsMulticast() && strings.Count(value, ":") == 1 {
		return host, number, nil // the port is what is wrong
	}
	if strings.HasPrefix(value, "*:") {
		return "", "", fmt.Errorf("write the port alone for every IPv4 address: %s", Cut(value[2:]))
	}
	return "", "", fmt.Errorf(`write a port, or an IP address and a port, and no options but proxy_protocol: 80, ` +
		`"127.0.0.1:8080" or "[::]:80"`)
}
