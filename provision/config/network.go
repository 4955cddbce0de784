package config

import (
	"fmt"
	"net/netip"
	"strings"
)

var (
	networks = kind[string]{about{Type: "address or network", Wrong: "10.0.0.1/8",
		Bounds: "An IP address, or a network like 10.0.0.0/8 or \"2001:db8::/32\" whose host bits are 0.",
		Schema: pattern(`^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$`)}, network, nil}
	proxies = kind[string]{about{Type: "address or network", Wrong: "0.0.0.0/0",
		Bounds: networks.Bounds + " Not every address: everybody could then say who they are.",
		Schema: networks.Schema}, proxy, nil}
)

// network refuses what nginx only warns of: host bits that are not 0.
func network(s scalar) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	address, _, isNetwork := strings.Cut(value, "/")
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Zone() != "" {
		return "", fmt.Errorf("%s is no address: write it like 10.1.2.3, 10.0.0.0/8 or \"2001:db8::/32\"", quote(value))
	}
	if err := mapped(ip); err != nil || !isNetwork {
		return ip.String(), err
	}
	p, err := netip.ParsePrefix(value)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: behind / stands how many bits are the network's, like 10.0.0.0/8", quote(value))
	case p.Masked() != p:
		return "", fmt.Errorf("%s: the host bits of a network are 0: write %s, or %s for the one address", quote(value),
			p.Masked(), ip)
	}
	if p.IsSingleIP() {
		return ip.String(), nil
	}
	return p.String(), nil
}

func proxy(s scalar) (string, error) {
	value, err := network(s)
	if err == nil && strings.HasSuffix(value, "/0") {
		return "", fmt.Errorf("%s is everybody, who could then all say that they are somebody else: write the "+
			"addresses of the load balancers", quote(value))
	}
	return value, err
}
