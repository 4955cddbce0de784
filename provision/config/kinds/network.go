package kinds

import (
	"fmt"
	"net/netip"
	"strings"
)

var (
	Networks = Kind[string]{About{Type: "address or network", Wrong: "10.0.0.1/8",
		Bounds: "An IP address, or a network like 10.0.0.0/8 or \"2001:db8::/32\" whose host bits are 0.",
		Schema: Pattern(`^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$`)}, network, nil}
	Proxies = Kind[string]{About{Type: "address or network", Wrong: "0.0.0.0/0",
		Bounds: Networks.Bounds + " Not every address: everybody could then say who they are.",
		Schema: Networks.Schema}, proxy, nil}
)

// network refuses what nginx only warns of: host bits that are not 0.
func network(s Scalar) (string, error) {
	value, err := text(s)
	if err != nil {
		return "", err
	}
	address, _, isNetwork := strings.Cut(value, "/")
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Zone() != "" {
		return "", fmt.Errorf("%s is no address: write it like 10.1.2.3, 10.0.0.0/8 or \"2001:db8::/32\"", Quote(value))
	}
	if err := mapped(ip); err != nil || !isNetwork {
		return ip.String(), err
	}
	p, err := netip.ParsePrefix(value)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: behind / stands how many bits are the network's, like 10.0.0.0/8", Quote(value))
	case p.Masked() != p:
		return "", fmt.Errorf("%s: the host bits of a network are 0: write %s, or %s for the one address", Quote(value),
			p.Masked(), ip)
	}
	if p.IsSingleIP() {
		return ip.String(), nil
	}
	return p.String(), nil
}

func proxy(s Scalar) (string, error) {
	value, err := network(s)
	if err == nil && strings.HasSuffix(value, "/0") {
		return "", fmt.Errorf("%s is everybody, who could then all say that they are somebody else: write the "+
			"addresses of the load balancers", Quote(value))
	}
	return value, err
}
