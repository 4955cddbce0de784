package config

import (
	"slices"
	"strings"
)

// WithIPv6 is the configuration on a host that has IPv6: a site that does not say what it listens on listens there too,
// but where another says that it does and the two would not get on.
func (c Config) WithIPv6() Config {
	sites := slices.Clone(c.Sites)
	for i, s := range c.Sites {
		if both := s.WithIPv6(); !c.inTheWay(s, both.Listen[len(s.Listen):]) {
			sites[i] = both
		}
	}
	c.Sites = sites
	return c
}

// inTheWay reports whether a site that asks for one of the sockets has a name of this one, or speaks otherwise there.
func (c Config) inTheWay(s Site, sockets []Listen) bool {
	return slices.ContainsFunc(c.Sites, func(other Site) bool {
		return !other.StandardListen && slices.ContainsFunc(other.Listen, func(l Listen) bool {
			return slices.ContainsFunc(sockets, func(new Listen) bool { return new.Socket() == l.Socket() }) &&
				((other.TLS == nil) != (s.TLS == nil) || l.ProxyProtocol || sharesName(other, s))
		})
	})
}

func sharesName(a, b Site) bool {
	return slices.ContainsFunc(a.ServerNames, func(name string) bool {
		return slices.ContainsFunc(b.ServerNames, func(other string) bool { return strings.EqualFold(name, other) })
	})
}
