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
