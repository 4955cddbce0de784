package conf

import (
	"net/netip"
	"slices"
)

// Sharer is a server that takes requests on a socket, with the listen by which it does.
type Sharer struct {
	Server *Server
	Listen ListenDirective
}

// Sharing are the servers that share the socket which takes a connection to the address, in nginx's order: of two with
// one name the first counts, and the first is the default one unless another has default_server.
func (t Tree) Sharing(to netip.AddrPort) []Sharer {
	x := t.look()
	places := x.sharing(to)
	all := make([]Sharer, len(places))
	for i, p := range places {
		all[i] = Sharer{&x.servers[p.server], p.listen}
	}
	return all
}

// Section are the statements of the http context, those of included files among them. They are the tree's: not to be
// changed.
func (t Tree) Section() []Directive { return t.http() }

// sharing gives the servers that share the socket which takes a connection to the address: one bound to it, else the
// wildcard.
func (x *index) sharing(to netip.AddrPort) []place {
	ip, port := to.Addr().Unmap().WithZone(""), int(to.Port())
	wildcard := ListenDirective{Port: port}
	if ip.Is6() {
		wildcard.Address = "::"
	}
	for _, l := range []ListenDirective{{Address: ip.String(), Port: port}, wildcard} {
		if found := x.on[l.key()]; len(found) > 0 {
			return found
		}
	}
	dual := x.on[ListenDirective{Address: "::", Port: port}.key()]
	if slices.ContainsFunc(dual, func(p place) bool { return p.listen.DualStack }) {
		return dual // the option is the socket's: one of them has it for all
	}
	return nil
}
