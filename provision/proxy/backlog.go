package proxy

import (
	"cmp"
	"fmt"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/site"
)

// nginxBacklog is what nginx asks for on a socket that nobody says more of (NGX_LISTEN_BACKLOG, ngx_linux_config.h).
const nginxBacklog = 511

// NarrowBacklogs are the sockets of the sites where fewer clients can wait than are asked for, with the listen of
// somebody else's that keeps ours from saying so (see settled), and what to write there.
func (p *Sites) NarrowBacklogs() (all []string) {
	need := p.Config.Connections.Backlog()
	theirs, ours := p.theirSockets(), map[string]bool{}
	for _, l := range p.sockets() {
		ours[l.Socket()] = true
	}
	for _, l := range p.sockets() {
		their, shared := theirs[l.Socket()]
		why := "has options of the socket, which nginx takes from one listen alone"
		if !shared || !their.Own {
			if their, shared = theirs[everywhere(l)]; l.Socket() == everywhere(l) || ours[everywhere(l)] {
				continue
			}
			why = fmt.Sprintf("is the socket of every address of port %d, which nginx opens alone", l.Port)
		}
		if have := cmp.Or(their.Backlog, nginxBacklog); shared && have < need {
			all = append(all, fmt.Sprintf("on %s %d clients can wait, not %d: the listen in %s:%d %s: write "+
				"backlog=%[3]d there", l, have, need, their.File, their.Line, why))
		}
	}
	return all
}

// sockets are those of the sites, each once.
func (p *Sites) sockets() (all []site.Listen) {
	known := map[string]bool{}
	for _, s := range p.Config.Sites {
		for _, l := range s.Sockets() {
			if !known[l.Socket()] {
				known[l.Socket()] = true
				all = append(all, l)
			}
		}
	}
	return all
}

// theirSockets are those of servers that are not ours, each by the listen that has its options, where one has.
func (p *Sites) theirSockets() map[string]conf.ListenDirective {
	tree, _ := p.Survey.Tree(nil) // as far as it can be read
	all := map[string]conf.ListenDirective{}
	for _, s := range tree.Servers() {
		for _, l := range s.Listen {
			at := site.Listen{Address: l.Address, Port: l.Port}.Socket()
			if have, known := all[at]; l.Unix == "" && !l.UDP && !p.isOurs(s.File) && (!known || l.Own && !have.Own) {
				all[at] = l
			}
		}
	}
	return all
}
