package conf

import (
	"fmt"
	"net/netip"
)

// Collisions are the sockets that nginx cannot bind beside each other, over http, stream and mail. nginx -t binds them
// too, and passes over those that fail (ngx_open_listening_sockets); a start or a reload does not. All are Fatal.
func (bi Bindings) Collisions() []Conflict {
	var ports []int
	at := map[int]*sharedPort{}
	paths := map[string]binding{}
	var all []Conflict
	for _, s := range bi.bindings() {
		switch {
		case s.UDP: // with SO_REUSEADDR, which nginx sets, they stand beside each other (socket(7))
		case s.Unix != "":
			if first, taken := paths[s.Unix]; taken {
				all = append(all, collision(first, s))
			} else {
				paths[s.Unix] = s
			}
		default:
			if at[s.Port] == nil {
				at[s.Port] = &sharedPort{exact: map[string]binding{}}
				ports = append(ports, s.Port)
			}
			all = append(all, at[s.Port].add(unmapped(s))...)
		}
	}
	for _, port := range ports {
		all = append(all, at[port].apart()...)
	}
	return all
}

// unmapped is the IPv4 socket that an IPv4-mapped address takes with ipv6only=off (ipv6(7)). Without that its bind
// fails in nginx -t, too.
func unmapped(s binding) binding {
	a, err := netip.ParseAddr(s.Address)
	if err != nil || !a.Is4In6() || !s.DualStack {
		return s
	}
	s.DualStack = false
	if s.Address = a.Unmap().String(); a.Unmap().IsUnspecified() {
		s.Address = ""
	}
	return s
}

// sharedPort are the sockets of one port.
type sharedPort struct {
	exact              map[string]binding
	every4, dual, all6 *binding
	narrow             []binding
}

func (p *sharedPort) add(s binding) []Conflict {
	if first, taken := p.exact[s.key()]; taken {
		return []Conflict{collision(first, s)}
	}
	p.exact[s.key()] = s
	switch {
	case s.Address == "":
		p.every4 = &s
	case s.Address == "::":
		if p.all6 = &s; s.DualStack {
			p.dual = &s
		}
	default:
		p.narrow = append(p.narrow, s)
	}
	return nil
}

// apart compares the sockets at addresses of their own with those at every address; the kernel lets both stand only
// where both have SO_REUSEPORT (inet_csk_bind_conflict).
func (p *sharedPort) apart() []Conflict {
	var all []Conflict
	beside := func(wide *binding, s binding) bool {
		if wide == nil || wide.ReusePort && s.ReusePort {
			return false
		}
		all = append(all, collision(*wide, s))
		return true
	}
	if p.every4 != nil {
		beside(p.dual, *p.every4)
	}
	for _, s := range p.narrow {
		if isIPv6(s.Address) {
			beside(p.all6, s)
		} else if !beside(p.every4, s) {
			beside(p.dual, s)
		}
	}
	return all
}

func collision(wide, s binding) Conflict {
	mend := "give one of the two another port"
	if s.Unix != "" {
		mend = "give one of the two another path"
	}
	if wide.section == s.section && s.Own && wide.key() != s.key() && !wide.DualStack {
		mend = "without options of its own (bind, backlog, reuseport and so on) the latter would share the " +
			"former's socket"
	}
	why := "the second bind fails (98: address already in use)"
	switch {
	case wide.key() == s.key() && wide.ReusePort && s.ReusePort:
		why = "the kernel would deal connections out to the two at random"
	case wide.DualStack && !isIPv6(s.Address):
		why = "the second bind fails (98: address already in use): ipv6only=off takes the IPv4 port too"
	}
	message := fmt.Sprintf("nginx binds it for %s in %s:%d and binds %s for %s besides, so that %s; %s",
		wide.section, wide.File, wide.Line, s.key(), s.section, why, mend)
	return Conflict{Object: "listen " + wide.key(), File: s.File, Line: s.Line, Message: message, Fatal: true}
}
