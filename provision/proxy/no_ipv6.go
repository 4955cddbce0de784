package proxy

import (
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
)

// withoutFamily is what to do about a listen on an address that the kernel has
// no sockets for. RHEL's nginx.conf has listen [::]:80, and hosts are hardened
// with ipv6.disable=1.
func (v *Candidate) withoutFamily(address string, o map[string][]byte) string {
	tree, _ := v.Survey.Tree(o) // as much of it as can be read
	var what []string
	for _, d := range tree.Listening(address) {
		what = append(what, v.removal(address, d))
	}
	if len(what) == 0 {
		what = []string{"every listen " + address + " from nginx's configuration"}
	}
	return "IPv6 is off on this host: remove " + strings.Join(what, ", and ")
}

// removal names the line, or what the line was rendered from.
func (v *Candidate) removal(address string, d conf.Directive) string {
	for _, site := range v.Config.Sites {
		if d.File == v.SitePath(site.Name) {
			return fmt.Sprintf("%s from the listen of the site %s", address, site.Name)
		}
	}
	how := ""
	if d.File == host.NginxConf && slices.Equal(d.Args[:1], []string{"[::]:80"}) {
		how = " (" + stockIPv6 + ": remove does it)"
	}
	return fmt.Sprintf("%q in %s:%d%s", strings.Join(slices.Concat([]string{"listen"}, d.Args), " ")+";", d.File,
		d.Line, how)
}
