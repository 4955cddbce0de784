package render

import (
	"fmt"
	"strings"
	"time"

	"wsprovision/provision/site"
)

// location writes the nth location of the site.
func (lo locations) location(n int, l Location) {
	lo.line("")
	lo.open("location %s", locationText(l))
	lo.origins(l)
	lo.only(l)
	lo.access(l)
	lo.limits(n, l)
	if l.Root != "" {
		lo.files(l)
	} else {
		lo.proxy(l)
	}
	for line := range strings.Lines(l.Snippet) {
		lo.line("%s", strings.TrimRight(line, "\n"))
	}
	lo.shut()
}

func locationText(l Location) string {
	switch l.Match {
	case site.MatchExact:
		return "= " + l.Path
	case site.MatchRegex:
		return "~ " + quoted(l.Path)
	}
	return l.Path
}

// quoted is a word that nginx reads as it is, but for variables.
func quoted(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }

// origins refuses the handshakes of other sites' pages.
func (lo locations) origins(l Location) {
	if len(l.AllowedOrigins) == 0 || l.AllowedOrigins[0] == site.AnyOrigin {
		return
	}
	lo.open("if (%s = 0)", lo.shared().originMap(l.AllowedOrigins))
	lo.line("return 403;")
	lo.shut()
}

// only answers what asks for no WebSocket as RFC 9110, 15.5.22, has it, with the header that it asks for. A header of a
// block takes the place of those around it, so that HSTS is there again.
func (lo locations) only(l Location) {
	if !l.Only {
		return
	}
	lo.open("if (%s != websocket)", lo.shared().upgrade())
	if lo.TLS != nil && lo.TLS.HSTS > 0 {
		lo.line("add_header %s;", hsts(lo.TLS))
	}
	lo.line("add_header Upgrade websocket always;")
	lo.line("return 426;")
	lo.shut()
}

func (lo locations) access(l Location) {
	for _, network := range l.Deny {
		lo.line("deny %s;", network)
	}
	for _, network := range l.Allow {
		lo.line("allow %s;", network)
	}
	if len(l.Allow) > 0 {
		lo.line("deny all;")
	}
	if l.BasicAuthFile != "" {
		lo.line("auth_basic %s;", lo.Name)
		lo.line("auth_basic_user_file %s;", l.BasicAuthFile)
	}
}

// limits count by client and location: the zones are one for all, and their key begins with where it counts.
func (lo locations) limits(n int, l Location) {
	if l.Limits == nil {
		return
	}
	lo.line("set %s %s:%d:;", lo.shared().limitScope(), lo.Name, n)
	if most := l.Limits.ConnectionsPerClient; most > 0 {
		lo.line("limit_conn %s %d;", lo.shared().connectionZone(), most)
		lo.line("limit_conn_status 429;")
	}
	if rate := l.Limits.RequestsPerSecond; rate > 0 {
		burst := ""
		if l.Limits.Burst > 0 {
			burst = fmt.Sprintf(" burst=%d nodelay", l.Limits.Burst)
		}
		lo.line("limit_req zone=%s%s;", lo.shared().requestZone(rate), burst)
		lo.line("limit_req_status 429;")
	}
}

// files are looked up below the root, by the whole path or, where it is stripped, by what is behind it. Both the path
// and the alias then end in /, so that no .. can be made at their seam.
func (lo locations) files(l Location) {
	if l.StripPrefix {
		lo.line("alias %s/;", l.Root)
		return
	}
	lo.line("root %s;", l.Root)
}

// proxy passes on to the backend.
func (lo locations) proxy(l Location) {
	lo.pass(l)
	lo.line("proxy_http_version 1.1;")
	for _, h := range lo.headers(l) {
		lo.line("proxy_set_header %s %s;", h.Name, h.Value)
	}
	long := time.Minute
	if l.WebSocket {
		long = 24 * time.Hour
	}
	if lo.Sources != nil && l.WebSocket {
		if n := lo.Sources(l); n > 1 {
			lo.line("proxy_bind %s;", lo.shared().source(n))
		}
	}
	lo.line("proxy_connect_timeout %s;", spanOf(l.ConnectTimeout, time.Minute))
	lo.line("proxy_read_timeout %s;", spanOf(l.ReadTimeout, long))
	lo.line("proxy_send_timeout %s;", spanOf(l.SendTimeout, long))
	if l.WebSocket && lo.Build.SocketKeepalive() {
		lo.line("proxy_socket_keepalive on;")
	}
	if l.Buffering != nil {
		lo.line("proxy_buffering %s;", map[bool]string{true: "on", false: "off"}[*l.Buffering])
	}
	if l.MaxBody != "" {
		lo.line("client_max_body_size %s;", l.MaxBody)
	}
}

// spanOf writes a time the way nginx reads it: 24h, 60s, 1500ms.
func spanOf(d, standard time.Duration) string {
	if d == 0 {
		d = standard
	}
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", int64(d/time.Hour))
	case d%time.Second == 0:
		return fmt.Sprintf("%ds", int64(d/time.Second))
	}
	return fmt.Sprintf("%dms", int64(d/time.Millisecond))
}

// locations writes the locations of a server block.
type locations struct{ *writer }

func (w *writer) locations() locations { return locations{w} }
