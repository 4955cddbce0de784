package kinds

import (
	"fmt"
	"net/netip"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/provision/site"
)

// hashKey is made of variables that every nginx has.
var hashKey = lazy.Regexp(`^hash (\$(remote_addr|binary_remote_addr|request_uri|uri|args|host|remote_user|` +
	`(arg|cookie|http)_[a-z0-9_]{1,40}))+( consistent)?$`)

var Balances = Kind[string]{About{Type: "word, or hash and a key", Wrong: "random",
	Bounds: "round_robin, least_conn, ip_hash, or hash and a key of nginx's variables $remote_addr, $request_uri, " +
		"$uri, $args, $host, $remote_user, $arg_NAME, $cookie_NAME and $http_NAME; behind it may stand consistent.",
	Schema: Pattern(`^(round_robin|least_conn|ip_hash|hash (\$[a-z0-9_]+)+( consistent)?)$`)}, balance, nil}

func balance(s Scalar) (string, error) {
	value, err := text(s)
	switch {
	case err != nil:
		return "", err
	case value == site.BalanceHash:
		return "", fmt.Errorf("hash needs a key: write hash $remote_addr, hash $cookie_session or hash $arg_room")
	case value != site.BalanceRoundRobin && value != site.BalanceLeast && value != site.BalanceIP &&
		!hashKey().MatchString(value):
		return "", fmt.Errorf("%s is none of round_robin, least_conn, ip_hash and hash with a key like $remote_addr, "+
			"$cookie_session or $arg_room", Quote(value))
	}
	return value, nil
}

var NameServers = Kind[string]{About{Type: "address", Wrong: "dns.example.com",
	Bounds: "An IP address of a DNS server, or address:port. No name: nginx reads neither /etc/resolv.conf nor " +
		"/etc/hosts for it.",
	Schema: Pattern(`^([0-9.]+(:[0-9]+)?|[0-9A-Fa-f:.]+|\[[0-9A-Fa-f:.]+\](:[0-9]+)?)$`)}, nameServer, nil}

// nameServer is written as nginx takes it, IPv6 in brackets.
func nameServer(s Scalar) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	host, number := strings.Trim(value, "[]"), ""
	if ap, err := netip.ParseAddrPort(value); err == nil {
		host, number = ap.Addr().String(), value[strings.LastIndexByte(value, ':'):]
		if _, err := port(number[1:]); err != nil {
			return "", fmt.Errorf("%s: %w", Quote(value), err)
		}
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" {
		return "", fmt.Errorf("%s is no address of a DNS server: write it like 10.0.0.2 or \"[2001:db8::2]:53\"",
			Quote(value))
	}
	if err := unconnectable(ip); err != nil {
		return "", fmt.Errorf("%s: %w", Quote(value), err)
	}
	if ip.Is6() {
		return "[" + ip.String() + "]" + number, nil
	}
	return ip.String() + number, nil
}
