package nginx

import (
	"cmp"
	"fmt"
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
	c := &collector{tree: t, ours: map[string]bool{}}
	for _, o := range t.openings(file) {
		c.ours[o.Path] = true
	}
	if c.placement(file) {
		c.upstreams()
		c.variables()
		c.servers()
	}
	slices.SortStableFunc(c.all, func(a, b Conflict) int {
		return cmp.Or(strings.Compare(a.File, b.File), a.Line-b.Line, strings.Compare(a.Object, b.Object))
	})
	return slices.Compact(c.all)
}

type collector struct {
	tree Tree
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
		c.add(true, "include", c.tree.conf, 1, "%s is not included by any include", file)
	}
	for _, o := range openings {
		if !slices.Equal(o.Context, []string{"http"}) {
			c.add(true, "include", either(o.By, c.tree.conf), o.Line, "%s is included outside http (in %q)", file, strings.Join(o.Context, " "))
		}
	}
	if len(openings) > 1 {
		c.add(true, "include", openings[1].By, openings[1].Line, "%s is included twice, first in %s:%d", file, openings[0].By, openings[0].Line)
	}
	return len(openings) == 1
}

func (c *collector) upstreams() {
	all := c.tree.Upstreams()
	for _, our := range all {
		for _, other := range all {
			if c.ours[our.File] && !c.ours[other.File] && strings.EqualFold(our.Name, other.Name) {
				c.add(true, "upstream "+our.Name, other.File, other.Line, "defined there too")
			}
		}
	}
}

// variables looks at set as well: it would overwrite the map's value for the requests that pass it.
func (c *collector) variables() {
	defined := c.tree.Maps()
	for d := range c.tree.walk {
		if d.Name == "set" && len(d.Args) == 2 {
			defined = append(defined, Map{Variable: strings.ToLower(d.Args[0]), Kind: "set", File: d.File, Line: d.Line})
		}
	}
	for _, our := range defined {
		for _, other := range defined {
			if c.ours[our.File] && our.Kind != "set" && !c.ours[other.File] && our.Variable == other.Variable {
				c.add(true, "variable "+our.Variable, other.File, other.Line, "defined there too, by %s", other.Kind)
			}
		}
	}
}

func (c *collector) servers() {
	all := c.tree.Servers()
	for i, our := range all {
		for j, other := range all {
			if c.ours[our.File] && !c.ours[other.File] {
				c.pair(our, other, i < j)
			}
		}
	}
}

// pair compares one of our servers with one of somebody else's, listener by listener.
func (c *collector) pair(our, other Server, first bool) {
	for _, a := range our.Listen {
		for _, b := range other.Listen {
			if a.key() == b.key() {
				c.shared(our, other, a, b, first)
			} else {
				c.apart(a, b)
			}
		}
	}
}

// shared is about two servers on one socket.
func (c *collector) shared(our, other Server, a, b ListenDirective, first bool) {
	for _, name := range sameNames(our.Names, other.Names) {
		outcome := "nginx would ignore ours, which comes later"
		if first {
			outcome = "nginx would ignore that one, which comes later"
		}
		c.add(true, "server_name "+name, other.File, other.Line, "on %s there too; %s", a.key(), outcome)
	}
	if a.Default && b.Default {
		c.add(true, "default_server", b.File, b.Line, "a duplicate default server for %s", a.key())
	}
	if a.TLS != b.TLS {
		c.add(true, "listen "+a.key(), b.File, b.Line, "one of the two servers on it has ssl, and nginx then speaks TLS for both")
	}
}

// apart is about two sockets that get in each other's way.
func (c *collector) apart(a, b ListenDirective) {
	if a.Unix != "" || b.Unix != "" || a.Port != b.Port {
		return
	}
	switch {
	case !isIPv6(a.Address) && b.Address == "::" && b.DualStack:
		c.add(true, "listen "+a.key(), b.File, b.Line, "ipv6only=off takes the IPv4 port too, so that binding both fails")
	case a.Address == "" && !isIPv6(b.Address) || a.Address == "::" && isIPv6(b.Address):
		c.add(false, "listen "+a.key(), b.File, b.Line, "what comes to %s is answered there and never reaches this site", b.key())
	}
}

func isIPv6(address string) bool { return strings.Contains(address, ":") }

// sameNames compares as nginx does: without case, and .example.com stands for example.com and *.example.com.
func sameNames(ours, others []string) []string {
	theirs := spellings(others)
	return slices.DeleteFunc(spellings(ours), func(name string) bool { return !slices.Contains(theirs, name) })
}

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
