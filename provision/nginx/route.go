package nginx

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsprovision/provision/site"
)

// Route is what nginx would do with a request, as far as its configuration tells without evaluating variables, rewrites
// and ifs. Where nginx runs another configuration than the disk's, it is of the disk's.
type Route struct {
	// Server is nil where no server listens on that address.
	Server *Server
	// Listen is the listener that the request comes in by.
	Listen ListenDirective
	// ByName: the server was chosen by its name, and not for being the default one of its socket.
	ByName bool
	// Location is nil where none matches.
	Location *Directive
	levels   [][]Directive // innermost first: location, locations around it, server, http
}

// Route follows a request to an address: the socket, the server by the name of Host, and its location by the path.
func (t Tree) Route(to netip.AddrPort, host, target string) Route {
	var r Route
	x := t.look()
	key, sharing := x.sharing(to)
	if len(sharing) == 0 {
		return r
	}
	name := strings.ToLower(strings.TrimSuffix(hostOnly(host), "."))
	chosen, byName := x.choose(key, sharing, name)
	r.Server, r.Listen, r.ByName = &x.servers[chosen.server], chosen.listen, byName
	r.levels = [][]Directive{r.Server.Body, t.http()}
	uri, _, _ := strings.Cut(target, "?")
	for body := r.Server.Body; ; {
		l := locate(body, uri)
		if l == nil {
			return r
		}
		r.Location = l
		r.levels = append([][]Directive{l.Body}, r.levels...)
		body = l.Body
	}
}

// sharing gives the servers that share the socket which takes a connection to the address: one bound to it, else the
// wildcard.
func (x *index) sharing(to netip.AddrPort) (string, []place) {
	ip, port := to.Addr().Unmap().WithZone(""), int(to.Port())
	wildcard := ListenDirective{Port: port}
	if ip.Is6() {
		wildcard.Address = "::"
	}
	for _, l := range []ListenDirective{{Address: ip.String(), Port: port}, wildcard} {
		if found := x.on[l.key()]; len(found) > 0 {
			return l.key(), found
		}
	}
	dual := ListenDirective{Address: "::", Port: port}.key()
	var found []place
	for _, p := range x.on[dual] {
		if p.listen.DualStack && !ip.Is6() {
			found = append(found, p)
		}
	}
	return dual, found
}

// Sharer is a server that takes requests on a socket, with the listen by which it does.
type Sharer struct {
	Server *Server
	Listen ListenDirective
}

// Sharing are the servers that share the socket which takes a connection to the address, in nginx's order: of two with
// one name the first counts, and the first is the default one unless another has default_server.
func (t Tree) Sharing(to netip.AddrPort) []Sharer {
	x := t.look()
	_, places := x.sharing(to)
	all := make([]Sharer, len(places))
	for i, p := range places {
		all[i] = Sharer{&x.servers[p.server], p.listen}
	}
	return all
}

// Section are the statements of the http context, those of included files among them. They are the tree's: not to be
// changed.
func (t Tree) Section() []Directive { return t.http() }

// choose is nginx's order: the exact name, the longest *.name, the longest name.*, the first regular expression, the
// default. Of two servers with one name on a socket the first counts.
func (x *index) choose(key string, sharing []place, name string) (place, bool) {
	if exact := x.named[key+" "+name]; len(exact) > 0 && name != "" {
		if i := slices.IndexFunc(sharing, func(p place) bool { return p.server == exact[0] }); i >= 0 {
			return sharing[i], true
		}
	}
	best, rank := sharing[0], 0
	if on := x.options[key]; len(on.defaults) > 0 {
		best = on.defaults[0]
	}
	for _, p := range sharing {
		for _, pattern := range x.servers[p.server].Names {
			if n := fit(pattern, name); n > rank {
				best, rank = p, n
			}
		}
	}
	return best, rank > 0
}

// fit ranks how a server_name matches; 0 is not at all.
func fit(pattern, name string) int {
	p := strings.ToLower(pattern)
	switch {
	case strings.HasPrefix(pattern, "~"):
		if re, err := regexp.Compile("(?i)" + pattern[1:]); err == nil && re.MatchString(name) {
			return 1
		}
	case strings.HasPrefix(p, "."):
		if name == p[1:] {
			return 3000
		}
		return fit("*"+p, name)
	case strings.HasPrefix(p, "*."):
		if strings.HasSuffix(name, p[1:]) && len(name) > len(p)-1 {
			return 2000 + len(p)
		}
	case strings.HasSuffix(p, ".*"):
		if strings.HasPrefix(name, p[:len(p)-1]) {
			return 1000 + len(p)
		}
	case p == name:
		return 3000
	}
	return 0
}

func hostOnly(host string) string {
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		return host[:end+1]
	}
	name, _, _ := strings.Cut(host, ":")
	return name
}

// locate picks one of the locations that stand directly in a body.
func locate(body []Directive, uri string) *Directive {
	var prefix, expression *Directive
	longest, final := -1, false
	for i := range body {
		d := &body[i]
		if d.Name != "location" || !d.Block || len(d.Args) == 0 {
			continue
		}
		kind, pattern := locationKind(d.Args)
		switch kind {
		case "=":
			if pattern == uri {
				return d
			}
		case "~", "~*":
			if expression == nil && matches(kind, pattern, uri) {
				expression = d
			}
		case "@":
		default:
			if strings.HasPrefix(uri, pattern) && len(pattern) > longest {
				prefix, longest, final = d, len(pattern), kind == "^~"
			}
		}
	}
	if expression != nil && !final {
		return expression
	}
	return prefix
}

// locationKind reads `= /x` and `=/x` alike.
func locationKind(args []string) (kind, pattern string) {
	if len(args) > 1 {
		return args[0], args[1]
	}
	for _, kind := range []string{"=", "^~", "~*", "~", "@"} {
		if rest, ok := strings.CutPrefix(args[0], kind); ok {
			return kind, rest
		}
	}
	return "", args[0]
}

func matches(kind, pattern, uri string) bool {
	if kind == "~*" {
		pattern = "(?i)" + pattern
	}
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(uri)
}

// Value is the directive in force for the location: the innermost level that has it decides. Nil: nowhere set.
func (r Route) Value(name string) *Directive {
	for _, level := range r.levels {
		for i := range level {
			if level[i].Name == name {
				return &level[i]
			}
		}
	}
	return nil
}

// Header is what the request's field is set to on its way to the backend; a level that sets any field hides what the
// levels around it set. Not set: nginx sends its own, which is Host $proxy_host, Connection close, and no Upgrade.
func (r Route) Header(name string) (value string, set bool) {
	for _, level := range r.levels {
		any := false
		for _, d := range level {
			if d.Name != "proxy_set_header" || len(d.Args) != 2 {
				continue
			}
			any = true
			if strings.EqualFold(d.Args[0], name) {
				value, set = d.Args[1], true
			}
		}
		if any {
			return value, set
		}
	}
	return "", false
}

// HTTPVersion is that of the requests to the backend: 1.0 unless set.
func (r Route) HTTPVersion() string {
	if d := r.Value("proxy_http_version"); d != nil && len(d.Args) == 1 {
		return d.Args[0]
	}
	return "1.0"
}

// ReadTimeout is for how long a WebSocket may be silent: 60 s unless set.
func (r Route) ReadTimeout() time.Duration {
	if d := r.Value("proxy_read_timeout"); d != nil {
		if span, ok := ParseSpan(strings.Join(d.Args, "")); ok {
			return span
		}
	}
	return time.Minute
}

var spanPart = regexp.MustCompile(`^(\d{1,9})(ms|[smhdwMy])?`)

// ParseSpan reads nginx's times: 60, 60s, 1h30m, 500ms.
func ParseSpan(text string) (time.Duration, bool) {
	units := map[string]time.Duration{
		"": time.Second, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "M": 30 * 24 * time.Hour, "y": 365 * 24 * time.Hour,
	}
	var total time.Duration
	if text == "" {
		return 0, false
	}
	for text != "" {
		part := spanPart.FindStringSubmatch(text)
		if part == nil {
			return 0, false
		}
		n, err := strconv.Atoi(part[1])
		if err != nil {
			return 0, false
		}
		total += time.Duration(n) * units[part[2]]
		text = text[len(part[0]):]
	}
	return total, true
}

// Pass is where a location's proxy_pass leads.
type Pass struct {
	Scheme, Host string
	Port         int
	// URI replaces the part of the path that the location matched, where HasURI says so; else the path is kept.
	URI    string
	HasURI bool
	File   string
	Line   int
}

// Address is the backend's, as host:port.
func (p Pass) Address() string { return site.HostPort(p.Host, p.Port) }

// Pass reads the location's proxy_pass; of an upstream's servers it takes the first. False: there is none, or it has
// variables and is known only to nginx.
func (t Tree) Pass(r Route) (Pass, bool) {
	if r.Location == nil {
		return Pass{}, false
	}
	i := slices.IndexFunc(r.Location.Body, func(d Directive) bool { return d.Name == "proxy_pass" && len(d.Args) == 1 })
	if i < 0 {
		return Pass{}, false
	}
	d := r.Location.Body[i]
	scheme, rest, ok := strings.Cut(d.Args[0], "://")
	if !ok || strings.Contains(d.Args[0], "$") || strings.HasPrefix(rest, "unix:") {
		return Pass{}, false
	}
	p := Pass{Scheme: strings.ToLower(scheme), File: d.File, Line: d.Line}
	authority := rest
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		authority, p.URI, p.HasURI = rest[:slash], rest[slash:], true
	}
	for _, u := range t.Upstreams() {
		if strings.EqualFold(u.Name, authority) && len(u.Servers) > 0 {
			authority = u.Servers[0]
		}
	}
	return p, p.authority(authority)
}

func (p *Pass) authority(text string) bool {
	p.Port = 80
	if p.Scheme == "https" {
		p.Port = 443
	}
	host, port, found := text, "", false
	if colon := strings.LastIndexByte(text, ':'); colon > strings.IndexByte(text, ']') {
		host, port, found = text[:colon], text[colon+1:], true
	}
	if found {
		n, err := strconv.Atoi(port)
		if err != nil || !isPort(n) {
			return false
		}
		p.Port = n
	}
	p.Host = strings.Trim(host, "[]")
	return p.Host != "" && !strings.HasPrefix(host, "unix:")
}

// Rewritten is the path that the backend is asked for, where the client asked for target.
func (r Route) Rewritten(p Pass, target string) string {
	if !p.HasURI || r.Location == nil {
		return target
	}
	kind, prefix := locationKind(r.Location.Args)
	if kind == "~" || kind == "~*" {
		return target
	}
	return p.URI + strings.TrimPrefix(target, prefix)
}
