package site

import "slices"

// Sockets are all of the site's, those of port 80 among them.
func (s Site) Sockets() []Listen { return slices.Concat(s.Listen, s.Port80()) }

// WithIPv6 is the site with the sockets that it has by default where the host has IPv6.
func (s Site) WithIPv6() Site {
	if !s.StandardListen {
		return s
	}
	listen := slices.Clone(s.Listen)
	for _, l := range s.Listen {
		six := Listen{Address: "::", Port: l.Port}
		if l.Address == "" && !slices.Contains(listen, six) {
			listen = append(listen, six)
		}
	}
	s.Listen = listen
	return s
}

// Guard is the key that keeps a plain handshake from the location's backend, "" where it goes through: what a client
// has
// to have besides, or a path that is none.
func (s Site) Guard(l Location) string {
	proxied := func(l Listen) bool { return l.ProxyProtocol }
	switch {
	case s.TLS != nil && s.TLS.ClientCA != "":
		return "tls.client_ca"
	case slices.ContainsFunc(s.Listen, proxied):
		return "proxy_protocol"
	case l.BasicAuthFile != "":
		return "basic_auth_file"
	case len(l.Allow) > 0:
		return "allow"
	case len(l.Deny) > 0:
		return "deny"
	case l.Match == MatchRegex:
		return "match: regex"
	}
	return ""
}
