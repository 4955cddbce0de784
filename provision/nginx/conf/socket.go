package conf

import (
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/nginx/render"
	"wsprovision/provision/site"
)

// Sockets finds what the other servers on a site's sockets mean for it, and it for them; the tree has to be loaded with
// the site's file in place. ours tells the files of the agent's.
func (t Tree) Sockets(s site.Site, file string, ours func(file string) bool) []Conflict {
	c := &socketSharers{tree: t, look: t.look(), site: s, file: file, ours: ours}
	for n, l := range s.Sockets() {
		c.displaced(l)
		c.unproxied(l)
		if s.TLS != nil && n < len(s.Listen) {
			c.sessions(l)
			c.protocols(l)
		}
	}
	return c.all
}

// socketSharers are the servers on the sockets of a site.
type socketSharers struct {
	tree Tree
	look *index
	site site.Site
	file string
	ours func(file string) bool
	all  []Conflict
}

func (c *socketSharers) add(fatal bool, l site.Listen, s Server, format string, args ...any) {
	c.all = append(c.all, Conflict{"listen " + l.String(), s.File, s.Line, fmt.Sprintf(format, args...), fatal})
}

// Stock tells EPEL's own server block, which serves the test page.
func (s Server) Stock() bool {
	return slices.Equal(s.Names, []string{"_"}) && slices.ContainsFunc(s.Body, func(d Directive) bool {
		return d.Name == "root" && slices.Equal(d.Args, []string{"/usr/share/nginx/html"})
	})
}

func (s Server) kind() string {
	if s.Stock() {
		return "EPEL's stock page"
	}
	return "a server block"
}

// displaced: where nobody is named default_server, nginx takes the first that it reads (ngx_http_add_server). A block
// behind ours then loses the names that nobody has.
func (c *socketSharers) displaced(l site.Listen) {
	first, ok := c.tree.DefaultServer(l)
	if !ok || first.File != c.file {
		return
	}
	for _, p := range c.look.on[KeyOf(l)] {
		s := c.look.servers[p.server]
		if c.ours(s.File) {
			continue
		}
		c.add(false, l, s, "%s answered requests for names that no server has, which the site %s gets by now; "+
			"default_server: reject has nobody get them", s.kind(), c.site.Name)
		return
	}
}

// unproxied: the option holds for every server on the socket, and nginx -t says nothing of it.
func (c *socketSharers) unproxied(l site.Listen) {
	if !l.ProxyProtocol {
		return
	}
	for _, p := range c.look.on[KeyOf(l)] {
		if s := c.look.servers[p.server]; !c.ours(s.File) && !p.listen.ProxyProtocol {
			c.add(!s.Stock(), l, s, "%s is there without proxy_protocol, which the site %s asks for: it holds for "+
				"both, and nginx then drops every client that does not begin with a PROXY line", s.kind(), c.site.Name)
		}
	}
}

// sessions: a session that the socket's default server resumes is taken for verified by the others (CVE-2025-23419).
func (c *socketSharers) sessions(l site.Listen) {
	first, ok := c.tree.DefaultServer(l)
	if !ok || c.ours(first.File) || c.site.TLS.ClientCA == "" {
		return
	}
	if verify := c.tree.inherited(first, "ssl_verify_client"); len(verify) == 1 && verify[0] != "off" {
		c.add(true, l, first, "the default server of the socket verifies clients too, and a session with it would be "+
			"taken for one with the site %s (CVE-2025-23419): give client_ca a socket of its own", c.site.Name)
	}
}

// protocols: nginx takes those of the socket's default server for every server on it.
func (c *socketSharers) protocols(l site.Listen) {
	first, ok := c.tree.DefaultServer(l)
	if !ok || first.File == c.file || slices.Equal(first.Names, []string{render.RejectName}) {
		return
	}
	theirs, ours := c.tree.inherited(first, "ssl_protocols"), render.EPEL7.Protocols(c.site.TLS.Profile)
	said := "its ssl_protocols are " + strings.Join(theirs, " ")
	if theirs == nil { // ngx_http_ssl_module's default
		theirs, said = []string{"TLSv1", "TLSv1.1", "TLSv1.2"}, "it says nothing of ssl_protocols, which are TLSv1 "+
			"TLSv1.1 TLSv1.2 then"
	}
	slices.Sort(theirs)
	if !slices.Equal(theirs, ours) {
		c.add(false, l, first, "the socket's default server decides on the protocols for every site there: %s, where "+
			"the site %s asks for %s", said, c.site.Name, strings.Join(ours, " "))
	}
}

// inherited are a directive's arguments in the server, else those of the http context, nil for none.
func (t Tree) inherited(s Server, name string) []string {
	for _, body := range [][]Directive{s.Body, t.http()} {
		for _, d := range body {
			if d.Name == name {
				return slices.Clone(d.Args)
			}
		}
	}
	return nil
}
