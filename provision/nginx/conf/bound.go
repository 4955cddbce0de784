package conf

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// binding is a socket that nginx binds: an address of one of its sections, with what its listeners say of it together.
type binding struct {
	ListenDirective
	section string // http, stream or mail
}

// bindings are those that nginx binds, in the order of their listeners. One at every address of a family takes the
// place of all others on the port that have no options of their own; nginx then tells them apart by connection
// (ngx_http_init_listening, ngx_stream_optimize_servers, ngx_mail_optimize_servers). Each section binds its own.
func (bi Bindings) bindings() []binding {
	all := bi.merged()
	every := map[string]bool{}
	for _, s := range all {
		if s.everywhere() {
			every[s.covering()] = true
		}
	}
	return slices.DeleteFunc(all, func(s binding) bool {
		return s.Unix == "" && !s.Own && !s.everywhere() && every[s.covering()]
	})
}

func (l ListenDirective) everywhere() bool {
	return l.Unix == "" && (l.Address == "" || l.Address == "::")
}

// covering names the socket at every address that would take the place of this one.
func (s binding) covering() string {
	f := s.family()
	return fmt.Sprint(s.section, f.port, f.six, f.udp)
}

// merged gives each address of a section once; the options of a socket are written at one of its listeners only.
func (bi Bindings) merged() []binding {
	var all []binding
	at := map[string]int{}
	bi.listeners(func(section string, l ListenDirective) {
		key := section + " " + l.key()
		i, known := at[key]
		if !known {
			at[key] = len(all)
			all = append(all, binding{l, section})
			return
		}
		if l.Own && !all[i].Own {
			all[i].File, all[i].Line = l.File, l.Line
		}
		all[i].Own = all[i].Own || l.Own
		all[i].ReusePort = all[i].ReusePort || l.ReusePort
		all[i].DualStack = all[i].DualStack || l.DualStack
	})
	return all
}

// listeners visits the listeners of every section. Only in http a server listens that does not say where.
func (bi Bindings) listeners(visit func(section string, l ListenDirective)) {
	x := bi.look()
	for _, s := range x.servers {
		for _, l := range s.Listen {
			visit("http", l)
		}
	}
	for _, d := range bi.directives {
		if !d.Block || d.Name != "stream" && d.Name != "mail" {
			continue
		}
		for _, s := range d.Body {
			if s.Name == "server" && s.Block {
				for _, l := range listens(s.Body, x.lookup) {
					visit(d.Name, l)
				}
			}
		}
	}
}

// Bound are the TCP addresses that nginx binds. Host names and unix sockets are left out.
func (bi Bindings) Bound() []netip.AddrPort {
	var all []netip.AddrPort
	for _, s := range bi.bindings() {
		if at, err := netip.ParseAddrPort(s.key()); err == nil {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, func(a, b netip.AddrPort) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(all)
}

// Bindings are the sockets that nginx binds for a configuration.
type Bindings struct{ Tree }

// Bindings are the sockets that nginx binds for the configuration.
func (t Tree) Bindings() Bindings { return Bindings{t} }
