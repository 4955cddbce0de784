package site

import "slices"

// Port80 are the sockets of the second server block of a site with TLS, which answers plain HTTP: it redirects, and
// serves the challenges of ACME. None where the site has no such block.
func (s Site) Port80() []Listen {
	if s.TLS == nil || !s.TLS.Redirect && s.ACMEWebroot == "" {
		return nil
	}
	var all []Listen
	for _, l := range s.Listen {
		one := Listen{Address: l.Address, Port: 80, ProxyProtocol: l.ProxyProtocol}
		if !slices.ContainsFunc(all, func(other Listen) bool { return other.Socket() == one.Socket() }) {
			all = append(all, one)
		}
	}
	return all
}
