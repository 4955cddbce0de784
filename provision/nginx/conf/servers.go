package conf

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/site"
)

// Server is a server block of the http context.
type Server struct {
	File string
	Line int
	// Names as written. nginx compares them without case; a server without any has the empty name.
	Names  []string
	Listen []ListenDirective
	// Body is for whoever wants to know more about the block.
	Body []Directive
}

// ListenDirective is one address of a server; `listen 8000-8003` is four of them.
type ListenDirective struct {
	Address   string // as in Listen; a host name stays a name
	Port      int    // 0 for a unix socket
	Unix      string // its path
	Default   bool
	TLS       bool
	DualStack bool // ipv6only=off: an IPv6 socket that takes the IPv4 port too
	Own       bool // an option of the socket's: nginx binds it also beside one at every address
	Backlog   int  // how many clients wait on it, 0 where it is not said
	ReusePort bool // each worker has a socket of its own, and the kernel lets them stand beside others that say so too
	// ProxyProtocol and HTTP2 hold, as TLS does, for every server on the address where one of them has them.
	ProxyProtocol, HTTP2 bool
	UDP                  bool // udp, or quic
	File                 string
	Line                 int
}

// key is equal where nginx would share a socket and choose the server by name.
func (l ListenDirective) key() string {
	switch {
	case l.Unix != "":
		return "unix:" + l.Unix
	case l.UDP:
		return "udp:" + site.HostPort(cmp.Or(site.PlainAddress(l.Address), "0.0.0.0"), l.Port)
	}
	return site.HostPort(cmp.Or(site.PlainAddress(l.Address), "0.0.0.0"), l.Port)
}

// KeyOf is the key of an address that is ours.
func KeyOf(l site.Listen) string { return ListenDirective{Address: l.Address, Port: l.Port}.key() }

// Servers are the http servers in the order in which nginx meets them. They are the tree's: not to be changed.
func (t Tree) Servers() []Server { return t.look().servers }

// Listening are the listen directives of an address, in any of its spellings.
func (t Tree) Listening(address string) []Directive {
	var all []Directive
	want := parseListen(Directive{Args: []string{address}})[0].key()
	for _, s := range t.Servers() {
		for _, d := range s.Body {
			if d.Name == "listen" && len(d.Args) > 0 &&
				slices.ContainsFunc(parseListen(d), func(l ListenDirective) bool {
					return l.key() == want
				}) {
				all = append(all, d)
			}
		}
	}
	return all
}

// http gives the statements of the http context.
func (t Tree) http() []Directive { return t.look().http }

// HTTP reports whether the http context has the directive.
func (t Tree) HTTP(name string) bool {
	return slices.ContainsFunc(t.http(), func(d Directive) bool { return d.Name == name })
}

func newServer(d Directive, lookup Lookup) Server {
	s := Server{File: d.File, Line: d.Line, Body: d.Body, Listen: listens(d.Body, lookup)}
	allTLS := false
	for _, c := range d.Body {
		switch {
		case c.Name == "server_name":
			s.Names = append(s.Names, c.Args...)
		case c.Name == "ssl" && slices.Equal(c.Args, []string{"on"}):
			allTLS = true // the old form, gone in nginx 1.25.1
		}
	}
	if len(s.Listen) == 0 {
		s.Listen = []ListenDirective{{Port: 80, File: d.File, Line: d.Line}} // as root; others get 8000
	}
	for i := range s.Listen {
		s.Listen[i].TLS = s.Listen[i].TLS || allTLS
	}
	return s
}

// listens are the listeners of a server of any section.
func listens(body []Directive, lookup Lookup) []ListenDirective {
	var all []ListenDirective
	for _, d := range body {
		if d.Name == "listen" && len(d.Args) > 0 {
			all = append(all, lookup.all(parseListen(d))...)
		}
	}
	return all
}

// socketOptions are the options of listen with which nginx gives an address a socket of its own (ngx_http_core_listen).
var socketOptions = []string{"bind", "setfib", "fastopen", "backlog", "rcvbuf", "sndbuf", "accept_filter", "deferred",
	"ipv6only", "reuseport", "so_keepalive"}

// parseListen never fails: what nginx would refuse keeps its spelling as the address, and nginx -t has the last word.
func parseListen(d Directive) []ListenDirective {
	l := ListenDirective{File: d.File, Line: d.Line}
	for _, option := range d.Args[1:] {
		name, value, _ := strings.Cut(option, "=")
		l.Own = l.Own || slices.Contains(socketOptions, name)
		if name == "backlog" {
			l.Backlog, _ = strconv.Atoi(value)
		}
		switch option {
		case "proxy_protocol":
			l.ProxyProtocol = true
		case "http2":
			l.HTTP2 = true
		case "reuseport":
			l.ReusePort = true
		case "udp", "quic":
			l.UDP = true
		case "default_server", "default":
			l.Default = true
		case "ssl":
			l.TLS = true
		case "ipv6only=off":
			l.DualStack = true
		}
	}
	if unix, ok := strings.CutPrefix(d.Args[0], "unix:"); ok {
		l.Unix = unix
		return []ListenDirective{l}
	}
	address, ports := splitListen(d.Args[0])
	l.Address = address
	low, high := portRange(ports)
	var all []ListenDirective
	for l.Port = low; l.Port <= high; l.Port++ {
		all = append(all, l)
	}
	return all
}

// splitListen knows 80, *:80, 192.0.2.1, 192.0.2.1:80, name, name:80, [::1] and [::1]:80.
func splitListen(text string) (address, ports string) {
	colon := strings.LastIndexByte(text, ':')
	switch {
	case strings.HasPrefix(text, "["):
		end := strings.IndexByte(text, ']')
		if end < 0 {
			return text, "80"
		}
		return site.PlainAddress(text[1:end]), cmp.Or(strings.TrimPrefix(text[end+1:], ":"), "80")
	case colon >= 0:
		address, ports = text[:colon], text[colon+1:]
	case strings.Trim(text, "0123456789-") == "":
		ports = text
	default:
		address, ports = text, "80"
	}
	if address == "*" {
		address = ""
	}
	return strings.ToLower(site.PlainAddress(address)), ports
}

func isPort(port int) bool { return port >= 1 && port <= 65535 }

func portRange(text string) (low, high int) {
	first, last, isRange := strings.Cut(text, "-")
	low, err := strconv.Atoi(first)
	if err != nil || !isPort(low) {
		return 0, 0
	}
	if high, err = strconv.Atoi(last); !isRange || err != nil || high < low || !isPort(high) {
		return low, low
	}
	return low, high
}

// Upstream is a named group of backends of the http context; nginx compares names without case.
type Upstream struct {
	Name, File string
	Line       int
	Servers    []string
}

// Upstreams lists them in nginx's order.
func (t Tree) Upstreams() []Upstream { return t.look().upstreams }

func newUpstream(d Directive) Upstream {
	u := Upstream{Name: d.Args[0], File: d.File, Line: d.Line}
	for _, c := range d.Body {
		if c.Name == "server" && len(c.Args) > 0 {
			u.Servers = append(u.Servers, c.Args[0])
		}
	}
	return u
}

// Map is a block that defines a variable: map, geo or split_clients. Of two for one variable nginx silently uses the
// later.
type Map struct {
	Variable, Kind, File string
	Line                 int
}

// DefaultServer is who answers a request for an unknown host on that address: the explicit default_server, else the
// first that nginx meets. False means that nobody listens on exactly that address.
func (t Tree) DefaultServer(listen site.Listen) (Server, bool) {
	x := t.look()
	all := x.on[KeyOf(listen)]
	if len(all) == 0 {
		return Server{}, false
	}
	if i := slices.IndexFunc(all, func(p place) bool { return p.listen.Default }); i >= 0 {
		return x.servers[all[i].server], true
	}
	return x.servers[all[0].server], true
}
