package verify

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/credentials"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/websocket/handshake"
)

// aim is one target with what is known of it.
type aim struct {
	Site     *config.Site
	Location *config.Location
	target   handshake.Target
	sent     credentials.Credentials
	unread   error // why its credentials are not there
}

// aims are the locations with WebSockets, each at every address of its site.
func (v *Verification) aims(ctx context.Context) ([]aim, error) {
	if v.URL != "" {
		return v.AimAtURL()
	}
	var all []aim
	for i := range v.Config.Sites {
		site := &v.Config.Sites[i]
		for j := range site.Locations {
			l := &site.Locations[j]
			if !l.WebSocket || !hasPath(*l) {
				continue
			}
			sent, err := credentials.Read(ctx, v.Root, l.Probe)
			for _, listen := range site.Listen {
				a := aim{Site: site, Location: l, target: v.complete(Reach(*site, *l, listen)), sent: sent, unread: err}
				a.target = sent.Give(a.target)
				all = append(all, a)
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no location of the configuration is a WebSocket's with a path to ask for " +
			"(websocket: false, or match: regex without probe.path): there is nothing to verify")
	}
	return all, nil
}

func (v *Verification) AimAtURL() ([]aim, error) {
	t, err := handshake.ParseURL(v.URL)
	if err != nil {
		return nil, err
	}
	a := aim{target: v.complete(t)}
	host, _, _ := strings.Cut(t.Host, ":")
	path, _, _ := strings.Cut(t.Path, "?")
	if a.Site = v.siteOf(t, host); a.Site == nil {
		return []aim{a}, nil
	}
	for j := range a.Site.Locations {
		l := &a.Site.Locations[j]
		if strings.HasPrefix(path, l.Path) && (a.Location == nil || len(l.Path) > len(a.Location.Path)) {
			a.Location = l
		}
	}
	return []aim{a}, nil
}

// siteOf is the site that has the name and listens on the URL's port the way
// the URL wants it or, where none does, the first that has the name.
func (v *Verification) siteOf(t handshake.Target, host string) *config.Site {
	_, port, _ := net.SplitHostPort(t.Address)
	var first *config.Site
	for i := range v.Config.Sites {
		site := &v.Config.Sites[i]
		if !facts.ServerNamed(conf.Server{Names: site.ServerNames}, host) {
			continue
		}
		listens := func(l config.Listen) bool { return strconv.Itoa(l.Port) == port }
		if (site.TLS != nil) == (t.TLS != nil) && slices.ContainsFunc(site.Listen, listens) {
			return site
		}
		if first == nil {
			first = site
		}
	}
	return first
}

// complete adds what every handshake has: what the command was given goes before the location's probe.
func (v *Verification) complete(t handshake.Target) handshake.Target {
	t.Origin = cmp.Or(v.Origin, t.Origin)
	if t.Header = t.Header.Clone(); t.Header == nil {
		t.Header = http.Header{}
	}
	maps.Copy(t.Header, v.Header)
	if len(v.Subprotocols) > 0 {
		t.Subprotocols, t.Expect.Subprotocol = v.Subprotocols, ""
	}
	if t.TLS != nil {
		t.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		if v.TLS != nil {
			t.TLS = v.TLS.Clone()
		}
	}
	return t
}
