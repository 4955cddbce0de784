package conf

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Conflict is something elsewhere in the configuration that one file collides with.
type Conflict struct {
	// Object is what collides: `server_name ws.example.com`.
	Object string
	// File and Line are those of the other side.
	File    string
	Line    int
	Message string
	// Fatal: the site would not be served as asked, even where nginx only warns or says nothing.
	Fatal bool
}

func (c Conflict) String() string {
	return fmt.Sprintf("%s: %s in %s:%d", c.Object, c.Message, c.File, c.Line)
}

// Conflicts finds what the file collides with; the tree has to be loaded with the file in place. They come sorted by
// file, line and object, each once.
func (t Tree) Conflicts(file string) []Conflict {
	c := &collector{tree: t, look: t.look(), ours: map[string]bool{}}
	for _, o := range t.openings(file) {
		c.ours[o.Path] = true
	}
	if c.placement(file) {
		for name := range c.ours {
			of := c.look.definitions(name)
			c.upstreams(of)
			c.variables(of)
			c.servers(of)
		}
	}
	slices.SortStableFunc(c.all, func(a, b Conflict) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.Object, b.Object))
	})
	return slices.Compact(c.all)
}

type collector struct {
	tree Tree
	look *index
	ours map[string]bool // the names under which nginx opens our file
	all  []Conflict
}

func (c *collector) add(fatal bool, object, file string, line int, format string, args ...any) {
	c.all = append(c.all, Conflict{object, file, line, fmt.Sprintf(format, args...), fatal})
}

// placement wants the file to be read once, by an include in the http context.
func (c *collector) placement(file string) bool {
	openings := c.tree.openings(file)
	if len(openings) == 0 {
		c.add(true, "include", c.tree.conf, 1,
			"%s is not included by any include: add \"include %s/*.conf;\" to its http block",
			file, path.Dir(file))
	}
	for _, o := range openings {
		if !slices.Equal(o.Context, []string{"http"}) {
			c.add(true, "include", cmp.Or(o.By, c.tree.conf), o.Line, "%s is included outside http (in %q)", file,
				strings.Join(o.Context, " "))
		}
	}
	if len(openings) > 1 {
		c.add(true, "include", openings[1].By, openings[1].Line, "%s is included twice, first in %s:%d", file,
			openings[0].By, openings[0].Line)
	}
	return len(openings) == 1
}

// most bounds what is named of many of a kind: a thousand sites may meet a thousand of them each.
const most = 5

// others adds a conflict for each that is of somebody else's file.
func others[T any](c *collector, all []T, file func(T) string, conflict func(T) Conflict) {
	n := 0
	for _, one := range all {
		if c.ours[file(one)] {
			continue
		}
		if n++; n > most {
			c.all[len(c.all)-1].Message += " (one of many)"
			return
		}
		c.all = append(c.all, conflict(one))
	}
}

func (c *collector) upstreams(of *definitions) {
	for _, our := range of.upstreams {
		file := func(u Upstream) string { return u.File }
		others(c, c.look.groups[strings.ToLower(our.Name)], file, func(u Upstream) Conflict {
			return Conflict{"upstream " + our.Name, u.File, u.Line, "defined there too", true}
		})
	}
}

// variables are those of set as well: it would overwrite the map's value for the requests that pass it.
func (c *collector) variables(of *definitions) {
	for _, our := range of.maps {
		file := func(m Map) string { return m.File }
		others(c, c.look.variables[our.Variable], file, func(m Map) Conflict {
			return Conflict{"variable " + our.Variable, m.File, m.Line, "defined there too, by " + m.Kind, true}
		})
	}
}

func (c *collector) servers(of *definitions) {
	for _, n := range of.servers {
		our := c.look.servers[n]
		for _, l := range our.Listen {
			c.names(n, our, l)
			c.shared(l)
			c.apart(l)
		}
	}
}

// names compares the names on one socket as nginx does: without case, and .example.com stands for example.com and
// *.example.com.
func (c *collector) names(n int, our Server, l ListenDirective) {
	for _, name := range spellings(our.Names) {
		file := func(other int) string { return c.look.servers[other].File }
		others(c, c.look.named[l.key()+" "+name], file, func(other int) Conflict {
			outcome := "nginx would ignore ours, which comes later"
			if n < other {
				outcome = "nginx would ignore that one, which comes later"
			}
			s := c.look.servers[other]
			message := fmt.Sprintf("on %s there too; %s", l.key(), outcome)
			return Conflict{"server_name " + name, s.File, s.Line, message, true}
		})
	}
}

func fileOf(p place) string { return p.listen.File }

// shared is about the options of a socket, which hold for every server on it (ngx_http_add_addresses).
func (c *collector) shared(l ListenDirective) {
	on := c.look.options[l.key()]
	differs := func(all []place, object, message string) {
		others(c, all, fileOf, func(p place) Conflict {
			return Conflict{object, p.listen.File, p.listen.Line, message, true}
		})
	}
	object := "listen " + l.key()
	if l.Default {
		differs(on.defaults, "default_server", "a duplicate default server for "+l.key())
	}
	const tls = "one of the two servers on it has ssl, and nginx then speaks TLS for both"
	if l.TLS {
		differs(on.plain, object, tls)
	} else {
		differs(on.tls, object, tls)
	}
	if !l.ProxyProtocol {
		differs(on.proxied, object,
			"proxy_protocol there holds for this site too: nginx then drops every client that does not begin with it")
	}
	if !l.TLS && !l.HTTP2 {
		differs(on.http2, object,
			"http2 without ssl there holds for this site too: nginx then takes HTTP/2 only, and no WebSocket comes "+
				"through")
	}
}

// apart is about sockets at addresses of their own beside ours at every address.
func (c *collector) apart(l ListenDirective) {
	if l.Unix != "" || l.Address != "" && l.Address != "::" {
		return
	}
	others(c, c.look.specific[l.family()], fileOf, func(p place) Conflict {
		return Conflict{"listen " + l.key(), p.listen.File, p.listen.Line,
			fmt.Sprintf("what comes to %s is answered there and never reaches this site", p.listen.key()), false}
	})
}

func isIPv6(address string) bool { return strings.Contains(address, ":") }

func spellings(names []string) []string {
	all := make([]string, 0, len(names))
	for _, name := range names {
		switch {
		case strings.HasPrefix(name, "~"): // a regular expression keeps its case
			all = append(all, name)
		case strings.HasPrefix(name, "."):
			all = append(all, strings.ToLower(name[1:]), "*"+strings.ToLower(name))
		default:
			all = append(all, strings.ToLower(name))
		}
	}
	if len(names) == 0 {
		return []string{""}
	}
	return unique(all)
}
