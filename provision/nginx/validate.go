package nginx

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"
)

// The configuration was validated when it was loaded; this is the last gate before nginx's syntax, so it allows what
// is known to be harmless instead of forbidding what is known to hurt.
var (
	siteName = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._-]*\z`)
	hostName = regexp.MustCompile(`\A[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*\z`)
	urlPath  = regexp.MustCompile(`\A/[A-Za-z0-9._~!&()*+,=:@/-]*\z`)
	pemPath  = regexp.MustCompile(`\A/[A-Za-z0-9._~+,=:@/-]*[A-Za-z0-9._~+,=:@-]\z`)
	notClean = regexp.MustCompile(`//|/\.\.?(/|\z)`)
)

const longest = 10 * 365 * 24 * time.Hour

// problems collects what is wrong with a site, each named by its field.
type problems struct {
	all  *multierror.Error
	seen map[string]bool
}

func (p *problems) check(ok bool, field string, value any) {
	if !ok {
		p.all = multierror.Append(p.all, fmt.Errorf("%s: %q is not allowed", field, fmt.Sprint(value)))
	}
}

// once refuses what nginx refuses ("duplicate location") or ignores with a warning (a server name given twice).
func (p *problems) once(field, value string) {
	p.check(!p.seen[field+"\x00"+value], field+" given twice", value)
	p.seen[field+"\x00"+value] = true
}

// IsHost reports whether the name is a host's: it bounds a name and its labels as RFC 1035, section 2.3.4, does.
func IsHost(name string) bool {
	tooLong := func(label string) bool { return len(label) > 63 }
	return len(name) <= 253 && hostName.MatchString(name) && !slices.ContainsFunc(strings.Split(name, "."), tooLong)
}

func validate(s Site) error {
	p := &problems{seen: map[string]bool{}}
	p.check(len(s.Name) <= 64 && siteName.MatchString(s.Name), "name", s.Name)
	p.check(len(s.ServerNames) > 0, "server_name", "")
	for _, name := range s.ServerNames {
		host := strings.TrimPrefix(name, "*.")
		p.check(IsHost(host), "server_name", name)
		p.once("server_name", strings.ToLower(name))
	}
	validateListen(s, p)
	p.check(len(s.Locations) > 0, "locations", "")
	for _, l := range s.Locations {
		validateLocation(l, p)
	}
	return p.all.ErrorOrNil()
}

func validateListen(s Site, p *problems) {
	tls := false
	p.check(len(s.Listen) > 0, "listen", "")
	for _, l := range s.Listen {
		p.check(l.Address == "" || isIP(l.Address), "listen.address", l.Address)
		p.check(isPort(l.Port), "listen.port", l.Port)
		p.once("listen", l.Socket())
		tls = tls || l.TLS
	}
	if s.TLS == nil {
		p.check(!tls, "tls", "no certificate")
		return
	}
	p.check(tls, "tls", "no listener with TLS")
	p.check(isPEMPath(s.TLS.Certificate), "tls.certificate", s.TLS.Certificate)
	p.check(isPEMPath(s.TLS.Key), "tls.key", s.TLS.Key)
}

func validateLocation(l Location, p *problems) {
	p.check(urlPath.MatchString(l.Path) && !notClean.MatchString(l.Path), "location.path", l.Path)
	p.once("location.path", l.Path)
	p.check(isIP(l.Backend.Host) || IsHost(l.Backend.Host) && !looksLikeIP(l.Backend.Host),
		"location.backend.host", l.Backend.Host)
	p.check(isPort(l.Backend.Port), "location.backend.port", l.Backend.Port)
	p.check(isTimeout(l.ReadTimeout), "location.read_timeout", l.ReadTimeout)
	p.check(isTimeout(l.SendTimeout), "location.send_timeout", l.SendTimeout)
	p.check(isTimeout(l.ConnectTimeout), "location.connect_timeout", l.ConnectTimeout)
}

func isPEMPath(name string) bool { return pemPath.MatchString(name) && !notClean.MatchString(name) }

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
