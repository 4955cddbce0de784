package verify

import (
	"context"
	"net/netip"

	"wsprovision/provision/config"
	"wsprovision/provision/diagnose/backend"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/server"
)

// warnings are about what works now, and from here.
func (v *Verification) warnings(ctx context.Context, aims []aim) []cause.Diagnosis {
	var all []cause.Diagnosis
	ports := map[int]bool{}
	wall := server.Firewalld(ctx, v.Host)
	for _, a := range aims {
		at, err := netip.ParseAddrPort(a.target.Address)
		if err != nil || a.Location == nil {
			continue
		}
		for _, b := range a.Location.Backends {
			if b.Port == 0 || ports[-b.Port] {
				continue
			}
			if d := backend.WouldDeny(ctx, v.Host, v.Config, b.Port); d != nil {
				ports[-b.Port] = true
				all = append(all, *d)
			}
		}
		if port := int(at.Port()); wall.Closes(port) && !ports[port] && a.Site != nil && !private(*a.Site, port) {
			ports[port] = true
			all = append(all, *wall.Shut(port))
		}
	}
	return all
}

// private: the site listens on that port for this host only.
func private(site config.Site, port int) bool {
	for _, l := range site.Listen {
		if ip, err := netip.ParseAddr(l.Address); l.Port == port && (err != nil || !ip.IsLoopback()) {
			return false
		}
	}
	return true
}
