package sitecheck

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/site"
)

// Backends looks up the names of backends before anything is changed: nginx resolves them once, when it reads its
// configuration, and neither tests, starts nor boots with one that has no address (ngx_http_upstream_init_round_robin).
// Of several addresses it takes one after the other, so that each that this host cannot reach fails a part of the
// requests. In an installer the names of the first boot are not known; it looks then.
func Backends(ctx context.Context, h *host.Host, sites []site.Site, f *engine.Finding) error {
	if h.Where.Offline() {
		return nil
	}
	var all *multierror.Error
	asked := map[string]bool{}
	for _, s := range sites {
		for _, b := range atStart(s) {
			name := b.String()
			if asked[name] {
				continue
			}
			asked[name] = true
			if err := checkBackend(ctx, h, f, b); err != nil {
				all = multierror.Append(all, fmt.Errorf("backend %s of the site %s: %w", name, s.Name, err))
			}
		}
	}
	return engine.Lines(all)
}

// atStart are the backends whose names nginx looks up when it reads its configuration. With resolver it does so later,
// and a socket has none.
func atStart(s site.Site) []site.Backend {
	var all []site.Backend
	for _, l := range s.Locations {
		for _, b := range l.Backends {
			if b.Host != "" && l.Resolver == nil {
				all = append(all, b)
			}
		}
	}
	return all
}

func checkBackend(ctx context.Context, h *host.Host, f *engine.Finding, b site.Backend) error {
	ip, err := netip.ParseAddr(b.Host)
	if err == nil {
		return reachable(h, []netip.Addr{ip}, b)
	}
	addresses, known := lookUp(ctx, h.Nginx, b.Host)
	if !known {
		return nil // nginx -t has the last word
	}
	if len(addresses) == 0 {
		return fmt.Errorf("the name %s has no address on this host, and nginx neither starts nor boots with such a "+
			"name: add it to DNS or to /etc/hosts (getent ahosts %[1]s proves it), or name its address", b.Host)
	}
	if len(addresses) > 1 {
		var all []string
		for _, a := range addresses {
			all = append(all, netip.AddrPortFrom(a, uint16(b.Port)).String())
		}
		f.Notes = append(f.Notes, fmt.Sprintf("nginx passes to %s at %s in turn", b, strings.Join(all, " and ")))
		f.Notes = append(f.Notes, saySilent(h, addresses, b.Port)...)
	}
	return reachable(h, addresses, b)
}

// saySilent names the addresses of this host on which nothing listens, where something does on another of the name's.
// nginx tries each in its turn, and goes on to the next where it is refused (proxy_next_upstream).
func saySilent(h *host.Host, addresses []netip.Addr, port int) (notes []string) {
	sockets := host.Sockets(h)
	for _, a := range addresses {
		at := netip.AddrPortFrom(a, uint16(port))
		if a.IsLoopback() && len(host.Taking(sockets, at)) == 0 {
			notes = append(notes, fmt.Sprintf("nothing listens on %s now: nginx tries it in its turn all the same", at))
		}
	}
	if len(notes) == len(addresses) { // the backend is not up yet
		return nil
	}
	return notes
}

// reachable refuses addresses of a family that this host does not have.
func reachable(h *host.Host, addresses []netip.Addr, b site.Backend) error {
	i := slices.IndexFunc(addresses, func(a netip.Addr) bool { return a.Is6() && !a.Is4In6() })
	if i < 0 || host.HasInet6(h) {
		return nil
	}
	instead := "the backend's IPv4 address"
	for _, a := range addresses {
		if a.Is4() {
			instead = netip.AddrPortFrom(a, uint16(b.Port)).String()
		}
	}
	if addresses[i].IsLoopback() && len(addresses) == 1 {
		instead = fmt.Sprintf("127.0.0.1:%d", b.Port)
	}
	return fmt.Errorf("nginx would connect to %s, and this host has no IPv6: write %s",
		netip.AddrPortFrom(addresses[i], uint16(b.Port)), instead)
}

// lookUp is what getaddrinfo gives, which nginx calls: by all that nsswitch.conf names, and not DNS and /etc/hosts
// alone as Go does. Unknown where there is no getent, or where it failed otherwise (getent(1): 2 is a name that is not
// there).
func lookUp(ctx context.Context, n nginx.Nginx, name string) (addresses []netip.Addr, known bool) {
	stdout, _, status, err := n.Read(ctx, "", "getent", "ahosts", name)
	if err != nil || status != 0 && status != 2 {
		return nil, false
	}
	for line := range strings.Lines(stdout) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[1] != "STREAM" {
			continue
		}
		if a, err := netip.ParseAddr(fields[0]); err == nil && !slices.Contains(addresses, a.Unmap()) {
			addresses = append(addresses, a.Unmap())
		}
	}
	return addresses, status == 2 || len(addresses) > 0
}
