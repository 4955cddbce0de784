// Package render is for writing the server blocks of sites, as the installed nginx takes them.
package render

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/site"
)

// The model of what is rendered.
type (
	Site     = site.Site
	Listen   = site.Listen
	TLS      = site.TLS
	Location = site.Location
	Backend  = site.Backend
)

// Installed is what of the host decides how sites are written. The zero value is a bare host, to which EPEL 7 brings
// its nginx.
type Installed struct {
	Build Build
	IPv6  bool // the host has it: names of backends are looked up for it as well
	// Defaults are the sockets, as Listen.Socket writes them, that have a default_server of somebody else's.
	Defaults []string
	// Backlog is how many connections wait on each socket, 0 for nginx's own; Settled are the sockets that are left
	// without it, for they have options of somebody else's.
	Backlog int
	Settled []string
	// Sources is how many loopback addresses nginx connects from to a location's backends; nil, or 0, leaves that to
	// the kernel.
	Sources func(Location) int
}

// few is how many sites have files that stand for themselves, each with its own maps and zones. More share them, and
// nginx's hashes stay small.
const few = 16

// File is a file for conf.d.
type File struct {
	Name    string // ends in .conf
	Content []byte
	// Shared is what the files behind it refer to: it is written before them, and removed after them. Its content never
	// changes, for its name is made from it.
	Shared bool
}

// Render gives the files for conf.d, the same bytes for the same sites: what several share, in the order in which it is
// written, then a file for each. It refuses, naming the field, whatever could mean something to nginx's syntax.
func (i Installed) Render(sites []Site) ([]File, error) {
	common := &definitions{}
	var own []File
	for _, s := range sites {
		content, err := i.render(s, common, len(sites) > few)
		if err != nil {
			return nil, fmt.Errorf("render site %q: %w", s.Name, err)
		}
		own = append(own, File{Name: s.Name + ".conf", Content: content})
	}
	return append(common.files(), own...), nil
}

// render writes the file of one site: its maps and zones, unless it shares them, its upstreams and servers.
func (i Installed) render(s Site, common *definitions, shares bool) ([]byte, error) {
	if err := validate(s); err != nil {
		return nil, err
	}
	if err := i.can(s); err != nil {
		return nil, err
	}
	w := &writer{Installed: i, Site: s, common: common, own: &definitions{}, scope: ownScope(s)}
	if shares {
		w.own, w.scope = common, ""
	}
	w.backends()
	w.port80()
	w.server()
	w.reject()
	head := fmt.Appendf(nil, "# managed by wsprovision (site %s): change its configuration, not this file; see "+
		"on_drift in wsprovision(8)\n", s.Name)
	if !shares {
		head = append(head, w.own.text()...)
	}
	return append(head, w.Bytes()...), nil
}

// writer writes the file of one site.
type writer struct {
	bytes.Buffer
	Installed
	Site
	common    *definitions // of all sites
	own       *definitions // maps and zones; common where the site shares them
	scope     string       // in the names of what is not shared, "" where it is
	depth     int
	upstreams map[string]string // the name of each, by its group
}

func (w *writer) line(format string, args ...any) {
	if format != "" {
		w.WriteString(strings.Repeat("    ", w.depth))
	}
	fmt.Fprintf(w, format+"\n", args...)
}

func (w *writer) open(format string, args ...any) { w.line(format+" {", args...); w.depth++ }
func (w *writer) shut()                           { w.depth--; w.line("}") }

func (w *writer) server() {
	w.line("")
	w.open("server")
	for _, l := range w.Listen {
		w.listen(l, w.TLS != nil)
	}
	w.names()
	w.tls()
	w.realIP()
	if w.TLS == nil {
		w.challenges()
	}
	for n, l := range w.Locations {
		w.locations().location(n, l)
	}
	w.shut()
}

func (w *writer) names() { w.line("server_name %s;", strings.Join(w.ServerNames, " ")) }

// listen is nginx's listen: 80, 192.0.2.1:80, [::]:443 ssl.
func (w *writer) listen(l Listen, tls bool) {
	options := ""
	if w.DefaultServer == site.DefaultSite {
		options += " default_server"
	}
	w.line("listen %s%s%s%s;", l.Socket(), options, w.socketOptions(l, tls), w.backlog(l))
}

// backlog is an option of the socket: nginx takes it from one server alone (duplicate listen options), the first.
func (w *writer) backlog(l Listen) string {
	if w.Backlog == 0 || slices.Contains(w.Settled, l.Socket()) || slices.Contains(w.common.waited, l.Socket()) {
		return ""
	}
	w.common.waited = append(w.common.waited, l.Socket())
	return fmt.Sprintf(" backlog=%d", w.Backlog)
}

// socketOptions are those that every server on the socket has to have.
func (w *writer) socketOptions(l Listen, tls bool) string {
	options := ""
	if tls {
		options += " ssl"
		if w.TLS != nil && w.TLS.HTTP2 && !w.Build.http2Directive() {
			options += " http2"
		}
	}
	if l.ProxyProtocol {
		options += " proxy_protocol"
	}
	return options
}

// port80 is the second server of a site with TLS, for plain HTTP.
func (w *writer) port80() {
	sockets := w.Port80()
	if sockets == nil {
		return
	}
	w.line("")
	w.open("server")
	for _, l := range sockets {
		w.listen(l, false)
	}
	w.names()
	w.realIP()
	w.challenges()
	w.line("")
	w.open("location /")
	if w.TLS.Redirect {
		w.line("return %d https://$host%s$request_uri;", w.Build.permanentRedirect(), w.port())
	} else {
		w.line("return 404;")
	}
	w.shut()
	w.shut()
}

// port is what https needs behind the host: nothing where the site is on 443.
func (w *writer) port() string {
	for _, l := range w.Listen {
		if l.Port == 443 {
			return ""
		}
	}
	return fmt.Sprintf(":%d", w.Listen[0].Port)
}

// challenges are ACME's (RFC 8555, 8.3). ^~ goes before every regular expression.
func (w *writer) challenges() {
	if w.ACMEWebroot == "" {
		return
	}
	w.line("")
	w.open("location ^~ /.well-known/acme-challenge/")
	w.line("root %s;", w.ACMEWebroot)
	w.line("default_type text/plain;")
	w.shut()
}
