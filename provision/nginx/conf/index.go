package conf

import (
	"strings"
	"sync"
)

// index is what the questions to a tree look things up in: made once, in one pass over it, so that a question costs
// what its answer is long, however many sites there are.
type index struct {
	lookup    Lookup
	http      []Directive
	servers   []Server
	upstreams []Upstream
	openings  map[string][]File // by the resolved path
	on        map[string][]place
	options   map[string]*options
	named     map[string][]int // servers, by socket and name
	specific  map[family][]place
	groups    map[string][]Upstream // by the name in lower case
	variables map[string][]Map      // those of set among them
	of        map[string]*definitions
}

// place is a listener and the number of its server.
type place struct {
	server int
	listen ListenDirective
}

// options are the listeners of one socket by what nginx has them share.
type options struct {
	defaults, tls, plain, proxied []place
	http2                         []place // without TLS, where nginx speaks nothing else
}

func (o *options) add(p place) {
	for _, each := range []struct {
		holds bool
		all   *[]place
	}{
		{p.listen.Default, &o.defaults},
		{p.listen.TLS, &o.tls},
		{!p.listen.TLS, &o.plain},
		{p.listen.ProxyProtocol, &o.proxied},
		{p.listen.HTTP2 && !p.listen.TLS, &o.http2},
	} {
		if each.holds {
			*each.all = append(*each.all, p)
		}
	}
}

// family is what one socket at every address would take the place of.
type family struct {
	port int
	six  bool
	udp  bool
}

func (l ListenDirective) family() family { return family{l.Port, isIPv6(l.Address), l.UDP} }

// definitions are what one file brings.
type definitions struct {
	servers   []int
	upstreams []Upstream
	maps      []Map
}

// Resolved is the tree with the addresses that its listeners' names stand for.
func (t Tree) Resolved(lookup Lookup) Tree { return t.indexed(lookup) }

func (t Tree) indexed(lookup Lookup) Tree {
	t.index = sync.OnceValue(func() *index { return newIndex(t, lookup) })
	return t
}

func (t Tree) look() *index {
	if t.index == nil {
		return newIndex(t, nil)
	}
	return t.index()
}

func newIndex(t Tree, lookup Lookup) *index {
	x := &index{
		lookup: lookup, openings: map[string][]File{}, of: map[string]*definitions{},
		on: map[string][]place{}, options: map[string]*options{}, named: map[string][]int{},
		specific: map[family][]place{},
		groups:   map[string][]Upstream{}, variables: map[string][]Map{},
	}
	for _, f := range t.files {
		x.openings[f.real] = append(x.openings[f.real], f)
	}
	for _, d := range t.directives {
		if d.Name == "http" && d.Block {
			x.http = append(x.http, d.Body...)
		}
	}
	for _, d := range x.http {
		x.add(d)
	}
	for d := range t.walk {
		if d.Name == "set" && len(d.Args) == 2 {
			m := Map{Variable: strings.ToLower(d.Args[0]), Kind: "set", File: d.File, Line: d.Line}
			x.variables[m.Variable] = append(x.variables[m.Variable], m)
		}
	}
	return x
}

func (x *index) add(d Directive) {
	of := x.definitions(d.File)
	switch {
	case !d.Block:
	case d.Name == "server":
		of.servers = append(of.servers, len(x.servers))
		x.server(newServer(d, x.lookup))
	case d.Name == "upstream" && len(d.Args) == 1:
		u := newUpstream(d)
		x.upstreams, of.upstreams = append(x.upstreams, u), append(of.upstreams, u)
		name := strings.ToLower(u.Name)
		x.groups[name] = append(x.groups[name], u)
	case (d.Name == "map" || d.Name == "geo" || d.Name == "split_clients") && len(d.Args) > 0:
		m := Map{Variable: strings.ToLower(d.Args[len(d.Args)-1]), Kind: d.Name, File: d.File, Line: d.Line}
		of.maps = append(of.maps, m)
		x.variables[m.Variable] = append(x.variables[m.Variable], m)
	}
}

func (x *index) definitions(file string) *definitions {
	if x.of[file] == nil {
		x.of[file] = &definitions{}
	}
	return x.of[file]
}

func (x *index) server(s Server) {
	n := len(x.servers)
	x.servers = append(x.servers, s)
	names := spellings(s.Names)
	for _, l := range s.Listen {
		key := l.key()
		if len(x.on[key]) == 0 && l.Unix == "" && l.Address != "" && l.Address != "::" {
			x.specific[l.family()] = append(x.specific[l.family()], place{n, l})
		}
		if x.on[key] = append(x.on[key], place{n, l}); x.options[key] == nil {
			x.options[key] = &options{}
		}
		x.options[key].add(place{n, l})
		for _, name := range names {
			at := key + " " + name
			if all := x.named[at]; len(all) == 0 || all[len(all)-1] != n {
				x.named[at] = append(all, n)
			}
		}
	}
}
