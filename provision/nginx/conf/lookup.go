package conf

import (
	"context"
	"net"
	"net/netip"
	"time"

	"wsprovision/provision/site"
)

// Lookup gives the addresses of a host name, as nginx resolves one in listen; none where it has none.
type Lookup func(host string) []netip.Addr

// HostAddresses looks names up as this host does, each once and for two seconds at most. What does not resolve has no
// address here; nginx -t says the same of it.
func HostAddresses(ctx context.Context) Lookup {
	known := map[string][]netip.Addr{}
	return func(host string) []netip.Addr {
		if all, done := known[host]; done || ctx.Err() != nil {
			return all
		}
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		known[host], _ = net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		return known[host]
	}
}

// all gives a listener at each address of its name.
func (lookup Lookup) all(listen []ListenDirective) []ListenDirective {
	if lookup == nil {
		return listen
	}
	var all []ListenDirective
	for _, l := range listen {
		addresses := lookup.of(l)
		if len(addresses) == 0 {
			all = append(all, l)
		}
		for _, a := range addresses {
			l.Address = site.PlainAddress(a.Unmap().String())
			all = append(all, l)
		}
	}
	return all
}

func (lookup Lookup) of(l ListenDirective) []netip.Addr {
	if _, err := netip.ParseAddr(l.Address); err == nil || l.Address == "" || l.Unix != "" {
		return nil
	}
	return lookup(l.Address)
}
