package verify

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/credentials"
	"wsprovision/provision/host"
	"wsprovision/provision/site"
	"wsprovision/provision/websocket/handshake"
)

// pathless is why a location is not proved that no path is known of.
const pathless = "a regular expression is no path that could be asked for: write one as path of the location's probe"

// hasPath: there is something to ask the location for.
func hasPath(l config.Location) bool {
	return l.Match != site.MatchRegex || l.Probe != nil && l.Probe.Path != ""
}

// Target is a location at its site's first listening address, with what the location's probe keeps in files.
func Target(ctx context.Context, root string, s config.Site, l config.Location) (handshake.Target,
	credentials.Credentials, error) {
	t := Reach(s, l, s.Listen[0])
	if t.TLS != nil {
		t.TLS = host.LocalTLS()
	}
	sent, err := credentials.Read(ctx, root, l.Probe)
	return sent.Give(t), sent, err
}

// Reach is a location at one of its site's addresses, seen from this host: the handshake that its probe asks for, but
// for what that keeps in files.
func Reach(s config.Site, l config.Location, listen config.Listen) handshake.Target {
	port, standard := strconv.Itoa(listen.Port), 80
	t := handshake.Target{Address: listen.Local(), Host: s.ClientName(), Path: l.Path, Proxied: listen.ProxyProtocol}
	if s.TLS != nil {
		t.TLS, standard = &tls.Config{MinVersion: tls.VersionTLS12}, 443
	}
	if listen.Port != standard {
		t.Host = net.JoinHostPort(t.Host, port)
	}
	if len(l.AllowedOrigins) > 0 && l.AllowedOrigins[0] != site.AnyOrigin {
		t.Origin = l.AllowedOrigins[0]
	}
	return probed(t, l.Probe)
}

// probed adds what a location's probe says.
func probed(t handshake.Target, p *site.Probe) handshake.Target {
	if p == nil {
		return t
	}
	t.Path, t.Origin, t.Send = cmp.Or(p.Path, t.Path), cmp.Or(p.Origin, t.Origin), p.Send
	for _, h := range p.Headers {
		if t.Header == nil {
			t.Header = http.Header{}
		}
		t.Header.Set(h.Name, h.Value)
	}
	offered := p.Subprotocol
	if e := p.Expect; e != nil {
		offered = cmp.Or(offered, e.Subprotocol)
		t.Expect = handshake.Expect{Status: e.Status, Subprotocol: e.Subprotocol}
		if e.Message != "" {
			t.Expect.Message, _ = regexp.Compile(e.Message) // config has judged it
		}
	}
	if offered != "" {
		t.Subprotocols = []string{offered}
	}
	return t
}

// stripped is the path that the backend gets (proxy_pass with a path of its own; package nginx/render).
func stripped(l config.Location, path string) string {
	if rest, ok := strings.CutPrefix(path, l.Path); l.StripPrefix && ok {
		return "/" + rest
	}
	return path
}
