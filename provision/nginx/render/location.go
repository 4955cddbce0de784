package render

import (
	"fmt"
	"strings"
	"time"

	"wsprovision/provision/site"
)

// location writes the nth location of the site.
func (w *writer) location(n int, l Location) {
	w.line("")
	w.open("location %s", locationText(l))
	w.origins(l)
	w.only(l)
	w.access(l)
	w.limits(n, l)
	if l.Root != "" {
		w.files(l)
	} else {
		w.proxy(l)
	}
	for line := range strings.Lines(l.Snippet) {
		w.line("%s", strings.TrimRight(line, "\n"))
	}
	w.shut()
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
func (w *writer) origins(l Location) {
	if len(l.AllowedOrigins) == 0 || l.AllowedOrigins[0] == site.AnyOrigin {
		return
	}
	w.open("if (%s = 0)", w.originMap(l.AllowedOrigins))
	w.line("return 403;")
	w.shut()
}

// only answers what asks for no WebSocket as RFC 9110, 15.5.22, has it, with the header that it asks for. A header of a
// block takes the place of those around it, so that HSTS is there again.
func (w *writer) only(l Location) {
	if !l.Only {
		return
	}
	w.open("if (%s != websocket)", w.upgrade())
	if w.TLS != nil && w.TLS.HSTS > 0 {
		w.line("add_header %s;", hsts(w.TLS))
	}
	w.line("add_header Upgrade websocket always;")
	w.line("return 426;")
	w.shut()
}

func (w *writer) access(l Location) {
	for _, network := range l.Deny {
		w.line("deny %s;", network)
	}
	for _, network := range l.Allow {
		w.line("allow %s;", network)
	}
	if len(l.Allow) > 0 {
		w.line("deny all;")
	}
	if l.BasicAuthFile != "" {
		w.line("auth_basic %s;", w.Name)
		w.line("auth_basic_user_file %s;", l.BasicAuthFile)
	}
}

// limits count by client and location: the zones are one for all, and their key begins with where it counts.
func (w *writer) limits(n int, l Location) {
	if l.Limits == nil {
		return
	}
	w.line("set %s %s:%d:;", w.limitScope(), w.Name, n)
	if most := l.Limits.ConnectionsPerClient; most > 0 {
		w.line("limit_conn %s %d;", w.connectionZone(), most)
		w.line("limit_conn_status 429;")
	}
	if rate := l.Limits.RequestsPerSecond; rate > 0 {
		burst := ""
		if l.Limits.Burst > 0 {
			burst = fmt.Sprintf(" burst=%d nodelay", l.Limits.Burst)
		}
		w.line("limit_req zone=%s%s;", w.requestZone(rate), burst)
		w.line("limit_req_status 429;")
	}
}

// files are looked up below the root, by the whole path or, where it is stripped, by what is behind it. Both the path
// and the alias then end in /, so that no .. can be made at their seam.
func (w *writer) files(l Location) {
	if l.StripPrefix {
		w.line("alias %s/;", l.Root)
		return
	}
	w.line("root %s;", l.Root)
}

// proxy passes on to the backend.
func (w *writer) proxy(l Location) {
	w.pass(l)
	w.line("proxy_http_version 1.1;")
	for _, h := range w.headers(l) {
		w.line("proxy_set_header %s %s;", h.Name, h.Value)
	}
	long := time.Minute
	if l.WebSocket {
		long = 24 * time.Hour
	}
	w.line("proxy_connect_timeout %s;", spanOf(l.ConnectTimeout, time.Minute))
	w.line("proxy_read_timeout %s;", spanOf(l.ReadTimeout, long))
	w.line("proxy_send_timeout %s;", spanOf(l.SendTimeout, long))
	if l.WebSocket && w.Build.SocketKeepalive() {
		w.line("proxy_socket_keepalive on;")
	}
	if l.Buffering != nil {
		w.line("proxy_buffering %s;", map[bool]string{true: "on", false: "off"}[*l.Buffering])
	}
	if l.MaxBody != "" {
		w.line("client_max_body_size %s;", l.MaxBody)
	}
}

// spanOf writes a time the way nginx reads it: 24h, 60s, 1500ms.
func spanOf(d, standard time.Duration) string {
	if d == 0 {
		d = standard
	}
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Second == 0:
		return fmt.Sprintf("%ds", d/time.Second)
	}
	return fmt.Sprintf("%dms", d/time.Millisecond)
}
