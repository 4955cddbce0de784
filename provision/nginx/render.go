package nginx

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Render gives the file for conf.d, the same bytes for the same site. It refuses, naming the field, whatever could
// mean something to nginx's syntax.
//
// Each backend is an upstream of its own with a single server, which nginx never takes out of service; a name may
// resolve to several addresses, so there max_fails=0 says so. proxy_pass has no URI part: the path is kept.
func Render(s Site) ([]byte, error) {
	if err := validate(s); err != nil {
		return nil, fmt.Errorf("render site %q: %w", s.Name, err)
	}
	w := &writer{}
	w.line("# managed by wsprovision (site %s): change its configuration, not this file; see on_drift in wsprovision(8)",
		s.Name)
	w.maps(s)
	upstreams := w.upstreams(s)
	w.line("")
	w.open("server")
	w.head(s)
	for _, l := range s.Locations {
		w.location(s, l, upstreams[l.Backend])
	}
	w.shut()
	return w.Bytes(), nil
}

type writer struct {
	bytes.Buffer
	depth int
}

func (w *writer) line(format string, args ...any) {
	if format != "" {
		w.WriteString(strings.Repeat("    ", w.depth))
	}
	fmt.Fprintf(w, format+"\n", args...)
}

func (w *writer) open(format string, args ...any) { w.line(format+" {", args...); w.depth++ }
func (w *writer) shut()                           { w.depth--; w.line("}") }

// maps stand in the http context, the only one that nginx allows them in; conf.d is included there. A protocol that
// nginx does not follow would be a tunnel past the published path (h2c), so that only websocket is passed on, and that
// in our own letters. nginx compares the words of a map without case (ngx_http_map_find), and a list is not the word.
func (w *writer) maps(s Site) {
	if !slices.ContainsFunc(s.Locations, func(l Location) bool { return l.WebSocket }) {
		return
	}
	for _, m := range [][3]string{{siteVariable(s, "upgrade"), "''", "websocket"},
		{siteVariable(s, "connection"), "close", "upgrade"}} {
		w.line("")
		w.open("map $http_upgrade %s", m[0])
		w.line("default   %s;", m[1])
		w.line("websocket %s;", m[2])
		w.shut()
	}
}

func (w *writer) upstreams(s Site) map[Backend]string {
	names := map[Backend]string{}
	for _, l := range s.Locations {
		if _, done := names[l.Backend]; done {
			continue
		}
		name := fmt.Sprintf("wsprovision_%s_%d", identifier(s), len(names))
		names[l.Backend] = name
		w.line("")
		w.open("upstream %s", name)
		if isIP(l.Backend.Host) {
			w.line("server %s;", l.Backend)
		} else {
			w.line("server %s max_fails=0;", l.Backend)
		}
		w.shut()
	}
	return names
}

func (w *writer) head(s Site) {
	for _, l := range s.Listen {
		w.line("listen %s;", listenText(l))
	}
	w.line("server_name %s;", strings.Join(s.ServerNames, " "))
	if s.TLS != nil {
		w.line("ssl_certificate %s;", s.TLS.Certificate)
		w.line("ssl_certificate_key %s;", s.TLS.Key)
	}
}

// listenText is the form of nginx's listen: 80, 192.0.2.1:80, [::]:443 ssl.
func listenText(l Listen) string {
	if l.TLS {
		return l.Socket() + " ssl"
	}
	return l.Socket()
}

func (w *writer) location(s Site, l Location, upstream string) {
	w.line("")
	w.open("location %s", l.Path)
	w.line("proxy_pass http://%s;", upstream)
	w.line("proxy_http_version 1.1;")
	for _, h := range headers(s, l) {
		w.line("proxy_set_header %s %s;", h[0], h[1])
	}
	long := time.Minute
	if l.WebSocket {
		long = 24 * time.Hour
	}
	w.line("proxy_connect_timeout %s;", span(l.ConnectTimeout, time.Minute))
	w.line("proxy_read_timeout %s;", span(l.ReadTimeout, long))
	w.line("proxy_send_timeout %s;", span(l.SendTimeout, long))
	w.shut()
}

func headers(s Site, l Location) [][2]string {
	var connection [][2]string
	if l.WebSocket {
		connection = [][2]string{{"Upgrade", siteVariable(s, "upgrade")}, {"Connection", siteVariable(s, "connection")}}
	} else {
		connection = [][2]string{{"Connection", `""`}}
	}
	return append(connection,
		[2]string{"Host", hostHeader(s)},
		[2]string{"X-Real-IP", "$remote_addr"},
		[2]string{"X-Forwarded-For", "$proxy_add_x_forwarded_for"},
		[2]string{"X-Forwarded-Proto", "$scheme"})
}

// host is what the backend sees as Host. $host is the name nginx itself chose the server by, so an absolute request
// target cannot make backend and nginx disagree, but it has lost the port. On a port that is not its scheme's own the
// browser's Origin carries that port, and backends that compare Origin with Host would answer 403; there the client's
// own header is passed, which nginx has checked for syntax.
func hostHeader(s Site) string {
	for _, l := range s.Listen {
		if l.TLS && l.Port != 443 || !l.TLS && l.Port != 80 {
			return "$http_host"
		}
	}
	return "$host"
}

func siteVariable(s Site, field string) string { return "$wsprovision_" + identifier(s) + "_" + field }

// identifier spells the site's name in [a-z0-9_], the letters of variables, such that two names never become one:
// nginx takes $A and $a, and upstreams A and a, for the same. A variable of more than 46 bytes does not fit the default
// variables_hash_bucket_size of 64, which leaves 23 for this.
func identifier(s Site) string {
	var b strings.Builder
	for _, c := range []byte(s.Name) {
		switch {
		case c == '-':
			b.WriteString("_m")
		case c == '.':
			b.WriteString("_p")
		case c == '_':
			b.WriteString("__")
		case c >= 'A' && c <= 'Z':
			b.WriteString("_u" + string(c+'a'-'A'))
		default:
			b.WriteByte(c)
		}
	}
	if b.Len() <= 23 {
		return b.String()
	}
	return fmt.Sprintf("%s_x%x", b.String()[:13], sha256.Sum256([]byte(s.Name)))[:23]
}

// span writes a time the way nginx reads it: 24h, 60s, 1500ms.
func span(d, standard time.Duration) string {
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
