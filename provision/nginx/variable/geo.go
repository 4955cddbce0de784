package variable

import (
	"net/netip"

	"wsprovision/provision/nginx/conf"
)

// located is the value of a geo: that of the smallest network with the client's address, or with the one that its first
// argument gives (ngx_http_geo_cidr_variable).
func located(s *Scope, table conf.Directive) Value {
	text := s.ClientAddress()
	if len(table.Args) == 2 {
		text = s.Value(table.Args[0])
	}
	if !text.Known {
		return text
	}
	address, err := netip.ParseAddr(text.Text)
	if err != nil {
		address = netip.AddrFrom4([4]byte{255, 255, 255, 255}) // INADDR_NONE
	}
	best, value := -1, ""
	for _, entry := range table.Body {
		network, ok := networkOf(entry, address)
		if !ok {
			return Unknown("%s in the geo in %s:%d is not followed", entry.Name, entry.File, entry.Line)
		}
		if network.Contains(address.Unmap()) && network.Bits() >= best {
			best, value = network.Bits(), entry.Args[0]
		}
	}
	return Known(value)
}

// networkOf is the network of an entry; default is every address.
func networkOf(entry conf.Directive, address netip.Addr) (netip.Prefix, bool) {
	if len(entry.Args) != 1 || entry.Block {
		return netip.Prefix{}, false
	}
	if entry.Name == "default" {
		return netip.PrefixFrom(address.Unmap(), 0).Masked(), true
	}
	if one, err := netip.ParseAddr(entry.Name); err == nil {
		return netip.PrefixFrom(one, one.BitLen()), !one.Is4In6()
	}
	network, err := netip.ParsePrefix(entry.Name)
	return network.Masked(), err == nil && !network.Addr().Is4In6()
}
