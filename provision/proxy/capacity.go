package proxy

import (
	"fmt"
	"net/netip"
	"slices"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/site"
)

// capacity has the sites' sockets and backends hold what is asked for, or says why they cannot.
func (p *Sites) capacity(in *render.Installed) error {
	var all *multierror.Error
	ports := host.EphemeralPorts(p.Host)
	for _, s := range p.Config.Sites {
		for _, l := range s.Locations {
			if _, err := p.Config.Connections.Sources(l, ports); err != nil {
				all = multierror.Append(all, fmt.Errorf("%s: the location %s of the site %s: %w", connections, l.Path,
					s.Name, err))
			}
		}
	}
	in.Sources = func(l site.Location) int {
		n, _ := p.Config.Connections.Sources(l, ports)
		return n
	}
	in.Backlog, in.Settled = p.Config.Connections.Backlog(), p.settled()
	return engine.Lines(all)
}

// settled are the sockets of the sites that get no backlog of ours: somebody else's server has options of the socket,
// which nginx takes once; or one server listens on every address of the port, and nginx then opens that socket alone,
// as long as the other has no option (ngx_http_init_listening).
func (p *Sites) settled() []string {
	tree, _ := p.Survey.Tree(nil) // of one that cannot be read whole, what was read counts: nginx -t refuses the rest
	var theirs []string
	wide := map[string]bool{}
	for _, s := range tree.Servers() {
		for _, l := range s.Listen {
			if l.Unix != "" || l.UDP {
				continue
			}
			socket := site.Listen{Address: l.Address, Port: l.Port}
			wide[everywhere(socket)] = wide[everywhere(socket)] || socket.Socket() == everywhere(socket)
			if l.Own && !p.isOurs(s.File) {
				theirs = append(theirs, socket.Socket())
			}
		}
	}
	var ours []site.Listen
	for _, s := range p.Config.Sites {
		ours = append(ours, s.Sockets()...)
	}
	for _, l := range ours {
		wide[everywhere(l)] = wide[everywhere(l)] || l.Socket() == everywhere(l)
	}
	for _, l := range ours {
		if l.Socket() != everywhere(l) && wide[everywhere(l)] {
			theirs = append(theirs, l.Socket())
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(theirs)))
}

// everywhere is the socket at every address of the family and port.
func everywhere(l site.Listen) string {
	if ip, err := netip.ParseAddr(l.Address); err == nil && ip.Is6() {
		return site.Listen{Address: "::", Port: l.Port}.Socket()
	}
	return site.Listen{Port: l.Port}.Socket()
}
