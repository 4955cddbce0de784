package render

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx/tokens"
	"wsprovision/provision/site"
)

// The configuration was validated when it was loaded; this is the last gate before nginx's syntax, so it allows what
// is known to be harmless instead of forbidding what is known to hurt.
var (
	siteName = lazy.Regexp(`\A[A-Za-z0-9][A-Za-z0-9._-]*\z`)
	hostName = lazy.Regexp(
		`\A[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\z`)
	urlPath    = lazy.Regexp(`\A/[A-Za-z0-9._~!&()*+,=:@/-]*\z`)
	filePath   = lazy.Regexp(`\A/[A-Za-z0-9._~+,=:@/-]*[A-Za-z0-9._~+,=:@-]\z`)
	notClean   = lazy.Regexp(`//|/\.\.?(/|\z)`)
	headerName = lazy.Regexp(`\A[A-Za-z0-9][A-Za-z0-9-]{0,39}\z`)
	origin     = lazy.Regexp(`\Ahttps?://[a-z0-9._-]+(:[0-9]{1,5})?\z|\Ahttps?://\[[0-9a-f:.]+\](:[0-9]{1,` +
		`5})?\z`)
	bodySize = lazy.Regexp(`\A([0-9]{1,9}[kmg]?)?\z`)
)

// mostText is how much of a text nginx is given as it stands.
const mostText = 1000

// printable is a text of ASCII without control characters; a regular expression of that many repetitions takes a
// megabyte.
func printable(s string) bool {
	return s != "" && len(s) <= mostText && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

// headerText may be empty, and has no variable of nginx.
func headerText(s string) bool { return s == "" || printable(s) && !strings.Contains(s, "$") }

const longest = 10 * 365 * 24 * time.Hour

// problems collects what is wrong with a site, each named by its field.
type problems struct {
	all   error
	seen  map[string]bool
	scope int // what may be there once in each location
}

func (p *problems) check(ok bool, field string, value any) {
	if !ok {
		p.all = errors.Join(p.all, fmt.Errorf("%s: %q is not allowed", field, fmt.Sprint(value)))
	}
}

// once refuses what nginx refuses ("duplicate location") or ignores with a warning (a server name given twice).
func (p *problems) once(field, value string) {
	key := fmt.Sprintf("%s\x00%d\x00%s", field, p.scope, value)
	p.check(!p.seen[key], field+" given twice", value)
	p.seen[key] = true
}

// IsHost reports whether the name is a host's: it bounds a name and its labels as RFC 1035, section 2.3.4, does.
func IsHost(name string) bool {
	tooLong := func(label string) bool { return len(label) > 63 }
	return len(name) <= 253 && hostName().MatchString(name) && !slices.ContainsFunc(strings.Split(name, "."), tooLong)
}

func validate(s Site) error {
	p := &problems{seen: map[string]bool{}}
	p.check(len(s.Name) <= 64 && siteName().MatchString(s.Name), "name", s.Name)
	p.check(len(s.ServerNames) > 0, "server_name", "")
	for _, name := range s.ServerNames {
		host := strings.TrimPrefix(name, "*.")
		p.check(IsHost(host), "server_name", name)
		p.once("server_name", strings.ToLower(name))
	}
	p.listen(s)
	p.tls(s)
	p.proxies(s)
	p.check(len(s.Locations) > 0, "locations", "")
	for _, l := range s.Locations {
		p.location(l)
	}
	for _, l := range s.Locations {
		p.scope++
		p.backend(l)
		p.access(l)
	}
	return p.all
}

func (p *problems) listen(s Site) {
	p.check(len(s.Listen) > 0, "listen", "")
	for _, l := range s.Listen {
		p.check(l.Address == "" || isIP(l.Address), "listen.address", l.Address)
		p.check(isPort(l.Port), "listen.port", l.Port)
		p.once("listen", l.Socket())
		p.check(len(s.Port80()) == 0 || l.Port != 80, "listen.port", "80 beside a redirect")
	}
}

func (p *problems) tls(s Site) {
	t := s.TLS
	if t == nil {
		return
	}
	p.file("tls.certificate", t.Certificate)
	p.file("tls.key", t.Key)
	p.check(slices.Contains([]site.Profile{"", site.ProfileIntermediate, site.ProfileModern}, t.Profile), "tls.profile",
		t.Profile)
	p.check(t.HSTS >= 0 && t.HSTS%time.Second == 0, "tls.hsts", t.HSTS)
	if t.ClientCA != "" {
		p.file("tls.client_ca", t.ClientCA)
	}
}

func (p *problems) file(field, name string) {
	p.check(filePath().MatchString(name) && !notClean().MatchString(name), field, name)
}

func (p *problems) proxies(s Site) {
	if s.ACMEWebroot != "" {
		p.file("acme_webroot", s.ACMEWebroot)
	}
	p.networks("trusted_proxies", s.TrustedProxies)
	headers := []string{"X-Forwarded-For", "X-Real-IP", site.ProxyProtocol}
	p.check(len(s.TrustedProxies) == 0 && s.RealIPHeader == "" ||
		len(s.TrustedProxies) > 0 && slices.Contains(headers, s.RealIPHeader), "real_ip_header", s.RealIPHeader)
	p.check(slices.Contains([]site.DefaultServer{"", site.DefaultSite, site.DefaultReject}, s.DefaultServer),
		"default_server", s.DefaultServer)
}

// networks have no host bits: nginx would warn.
func (p *problems) networks(field string, all []string) {
	for _, n := range all {
		prefix, err := netip.ParsePrefix(n)
		p.check(isIP(n) || err == nil && prefix.Masked() == prefix && !prefix.Addr().Is4In6(), field, n)
		p.once(field, n)
	}
}

func (p *problems) location(l Location) {
	switch l.Match {
	case "", site.MatchPrefix, site.MatchExact:
		p.check(urlPath().MatchString(l.Path) && !notClean().MatchString(l.Path), "location.path", l.Path)
		p.check(!l.StripPrefix || l.Match == site.MatchExact && l.Root == "" || len(l.Path) > 1 &&
			strings.HasSuffix(l.Path, "/"), "location.strip_prefix", l.Path)
	case site.MatchRegex:
		p.check(printable(l.Path), "location.path", l.Path)
		p.check(!l.StripPrefix, "location.strip_prefix", l.Path)
	default:
		p.check(false, "location.match", l.Match)
	}
	p.once("location.path", locationText(l))
}

func (p *problems) backend(l Location) {
	if l.Root != "" {
		p.file("location.root", l.Root)
		p.check(!l.WebSocket, "location.websocket", "with root")
		return
	}
	p.upstream(l)
	p.check(isTimeout(l.ReadTimeout), "location.read_timeout", l.ReadTimeout)
	p.check(isTimeout(l.SendTimeout), "location.send_timeout", l.SendTimeout)
	p.check(isTimeout(l.ConnectTimeout), "location.connect_timeout", l.ConnectTimeout)
	p.check(bodySize().MatchString(l.MaxBody), "location.max_body", l.MaxBody)
	p.check(l.WebSocket || !l.Only, "location.websocket", "only")
	for _, h := range l.RequestHeaders {
		p.check(headerName().MatchString(h.Name), "location.request_headers", h.Name)
		p.check(headerText(h.Value), "location.request_headers", h.Value)
		p.once("location.request_headers", strings.ToLower(h.Name))
	}
}

func (p *problems) access(l Location) {
	for _, o := range l.AllowedOrigins {
		p.check(o == site.AnyOrigin && len(l.AllowedOrigins) == 1 ||
			origin().MatchString(o), "location.allowed_origins", o)
	}
	if l.BasicAuthFile != "" {
		p.file("location.basic_auth_file", l.BasicAuthFile)
	}
	p.networks("location.allow", l.Allow)
	p.networks("location.deny", l.Deny)
	if m := l.Limits; m != nil {
		p.check(m.ConnectionsPerClient >= 0 && m.RequestsPerSecond >= 0 && m.Burst >= 0, "location.limits", *m)
	}
	if l.Snippet != "" {
		p.check(tokens.Check(l.Snippet) == nil, "location.snippet", l.Snippet)
	}
}

// isIP refuses zones: nginx does not read them.
func isIP(text string) bool {
	ip, err := netip.ParseAddr(text)
	return err == nil && ip.Zone() == "" && !ip.Is4In6()
}

// looksLikeIP catches 127.0.0.300 and 127.1, which would be looked up as names.
func looksLikeIP(text string) bool { return strings.Trim(text, "0123456789.") == "" }

func isPort(port int) bool { return port >= 1 && port <= 65535 }

func isTimeout(d time.Duration) bool {
	return d >= 0 && d <= longest && d%time.Millisecond == 0
}
