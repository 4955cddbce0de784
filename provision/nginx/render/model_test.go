package render_test

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/site"

	"pgregory.net/rapid"
)

// sites draws what the loader accepts, every key of it.
var sites = rapid.Custom(func(t *rapid.T) site.Site {
	listen := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) site.Listen {
		return site.Listen{Address: rapid.SampledFrom([]string{"", "::", "127.0.0.1", "::1"}).Draw(t, "address"),
			Port: rapid.IntRange(81, 65535).Draw(t, "port")}
	}), 1, 3, conf.KeyOf)
	s := site.Site{Name: rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,63}`).Draw(t, "name"),
		Listen: listen.Draw(t, "listen")}
	s.ServerNames = rapid.SliceOfNDistinct(rapid.StringMatching(`(\*\.)?[a-z0-9]{1,8}(\.[a-z_]{1,8}){0,3}`), 1, 3,
		rapid.ID).Draw(t, "names")
	s.DefaultServer = rapid.SampledFrom([]site.DefaultServer{"", "", site.DefaultSite, site.DefaultReject}).Draw(t,
		"default")
	if rapid.Bool().Draw(t, "acme") {
		s.ACMEWebroot = "/var/lib/acme"
	}
	if rapid.Bool().Draw(t, "proxies") {
		drawProxies(t, &s)
	}
	if rapid.Bool().Draw(t, "tls") {
		s.TLS = drawTLS(t, s.Name)
	}
	s.Locations = rapid.SliceOfNDistinct(rapid.Custom(drawLocation), 1, 4, func(l site.Location) string {
		return string(l.Match) + l.Path
	}).Draw(t, "locations")
	return s
})

var networks = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1"}),
	1, 3,
	rapid.ID)

func drawProxies(t *rapid.T, s *site.Site) {
	s.TrustedProxies = networks.Draw(t, "trusted")
	s.RealIPHeader = rapid.SampledFrom([]string{"X-Forwarded-For", "X-Real-IP", "proxy_protocol"}).Draw(t, "header")
	for i := range s.Listen {
		s.Listen[i].ProxyProtocol = s.RealIPHeader == "proxy_protocol" || rapid.Bool().Draw(t, "proxy_protocol")
	}
}

func drawTLS(t *rapid.T, name string) *site.TLS {
	tls := &site.TLS{Certificate: "/etc/pki/tls/certs/" + name + ".pem", Key: "/etc/pki/tls/private/" + name + ".key",
		Redirect: rapid.Bool().Draw(t, "redirect"), HTTP2: rapid.Bool().Draw(t, "http2"),
		HSTS:    time.Duration(rapid.SampledFrom([]int{0, 0, 60, 63072000}).Draw(t, "hsts")) * time.Second,
		Profile: rapid.SampledFrom([]site.Profile{"", "intermediate", "modern"}).Draw(t, "profile")}
	if rapid.Bool().Draw(t, "client") {
		tls.ClientCA = "/etc/pki/clients.pem"
	}
	return tls
}

func drawLocation(t *rapid.T) site.Location {
	timeout := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "ms")) * time.Millisecond
	})
	l := site.Location{Match: rapid.SampledFrom([]site.Match{"", "", "exact", "regex"}).Draw(t, "match"),
		Path: rapid.StringMatching(`/([a-z0-9~!&()*+,=:@_-]{1,5}/?)?`).Draw(t, "path")}
	if l.Match == site.MatchRegex {
		l.Path = rapid.SampledFrom([]string{`^/a\.b$`, `(?i)\.(png|jpe?g)$`, `^/x{1,3}/"q"`, `/[^/]+\t`}).Draw(t,
			"regex")
	}
	l.StripPrefix = l.Match == "" && len(l.Path) > 1 && strings.HasSuffix(l.Path, "/") && rapid.Bool().Draw(t, "strip")
	drawAccess(t, &l)
	if rapid.IntRange(0, 3).Draw(t, "root") == 0 {
		l.Root = "/usr/share/app"
		return l
	}
	drawBackends(t, &l)
	l.WebSocket = rapid.Bool().Draw(t, "websocket")
	l.ReadTimeout, l.SendTimeout = timeout.Draw(t, "read"), timeout.Draw(t, "send")
	l.ConnectTimeout = timeout.Draw(t, "connect")
	drawProxy(t, &l)
	return l
}

func drawProxy(t *rapid.T, l *site.Location) {
	if on := rapid.Bool().Draw(t, "on"); rapid.Bool().Draw(t, "buffering") {
		l.Buffering = &on
	}
	l.MaxBody = rapid.SampledFrom([]string{"", "0", "10m", "1"}).Draw(t, "body")
	l.RequestHeaders = rapid.SampledFrom([][]site.Header{nil, {{Name: "X-Tenant", Value: `a "b" \ ;{}#'`}},
		{{Name: "host", Value: "app.internal"}, {Name: "Accept-Encoding"}}}).Draw(t, "headers")
	if l.WebSocket {
		l.Only = rapid.Bool().Draw(t, "only")
		l.AllowedOrigins = rapid.SampledFrom([][]string{nil, {"any"}, {"https://a.example.com"},
			{"http://[::1]:8080", "https://b.example.com"}}).Draw(t, "origins")
	}
}

func drawAccess(t *rapid.T, l *site.Location) {
	if rapid.IntRange(0, 2).Draw(t, "access") > 0 {
		return
	}
	if rapid.Bool().Draw(t, "auth") {
		l.BasicAuthFile = "/etc/nginx/users"
	}
	if rapid.Bool().Draw(t, "allowing") {
		l.Allow = networks.Draw(t, "allow")
	}
	if rapid.Bool().Draw(t, "denying") {
		l.Deny = networks.Draw(t, "deny")
	}
	if rapid.Bool().Draw(t, "limiting") {
		l.Limits = &site.Limits{ConnectionsPerClient: rapid.IntRange(0, 9).Draw(t, "connections"),
			RequestsPerSecond: rapid.SampledFrom([]int{0, 5, 100}).Draw(t, "rate")}
		l.Limits.Burst = rapid.IntRange(0, 3).Draw(t, "burst")
	}
	l.Snippet = rapid.SampledFrom([]string{"", "", "set $a b;\nif ($a) {\n  return 404;\n}"}).Draw(t, "snippet")
}

// blocks are the statements of the top, each as one text, in alphabetical order.
func blocks(body []conf.Directive) []string {
	var all []string
	for _, d := range body {
		all = append(all, strings.Join(outline([]conf.Directive{d}), "\n"))
	}
	slices.Sort(all)
	return all
}

func outline(body []conf.Directive) []string {
	var lines []string
	for _, d := range body {
		text := strings.Join(append([]string{d.Name}, d.Args...), "|")
		if d.Block {
			text += "|{"
		}
		lines = append(lines, text)
		for _, inner := range outline(d.Body) {
			lines = append(lines, "  "+inner)
		}
	}
	return lines
}

// model states the rules again, not by the renderer's means.
type model struct {
	site.Site
	id, scope string
	shared    map[string]bool
	top       []string
	lines     []string
}

// wanted is the file of a site that shares nothing.
func wanted(s site.Site) []string { return modelOf(s).all() }

func modelOf(s site.Site) *model {
	id := identifierOf(s.Name)
	scope := id + "_"
	if len(id) > 13 {
		scope = "x" + mark([]string{s.Name}) + "_"
	}
	return &model{Site: s, id: id, scope: scope, shared: map[string]bool{}}
}

// identifierOf is how the renderer spells the name.
func identifierOf(name string) string {
	content, err := nginxtest.Alone(site.Site{Name: name, ServerNames: []string{"a"}, Listen: []site.Listen{{Port: 80}},
		Locations: []site.Location{{Path: "/", Backends: []site.Backend{{Host: "a", Port: 1}}}}})
	found := regexp.MustCompile(`upstream wsprovision_(\w+)_0 `).FindSubmatch(content)
	if err != nil || found == nil {
		return "?"
	}
	return string(found[1])
}

func (m *model) all() []string {
	m.upstreams()
	m.server()
	m.plain()
	m.rejecting()
	for text := range m.shared {
		m.top = append(m.top, text)
	}
	slices.Sort(m.top)
	return m.top
}

func (m *model) block(head string, lines ...string) {
	text := head + "|{"
	for _, l := range lines {
		text += "\n  " + l
	}
	m.top = append(m.top, text)
}

func (m *model) share(head string, lines ...string) {
	text := head
	if len(lines) > 0 {
		text += "|{\n  " + strings.Join(lines, "\n  ")
	}
	m.shared[text] = true
}

func (m *model) of(name string) string { return "$wsprovision_" + m.scope + name }

func (m *model) add(format string, args ...any) {
	m.lines = append(m.lines, fmt.Sprintf(format, args...))
}

func (m *model) listens(all []site.Listen, tls bool) {
	for _, l := range all {
		text := "listen|" + l.Socket()
		if m.DefaultServer == site.DefaultSite {
			text += "|default_server"
		}
		m.add("%s", text+m.options(l, tls))
	}
	m.add("server_name|%s", strings.Join(m.ServerNames, "|"))
}

func (m *model) options(l site.Listen, tls bool) string {
	text := ""
	if tls {
		text += "|ssl"
		if m.TLS.HTTP2 {
			text += "|http2"
		}
	}
	if l.ProxyProtocol {
		text += "|proxy_protocol"
	}
	return text
}

func (m *model) server() {
	m.listens(m.Listen, m.TLS != nil)
	m.tls()
	m.realIP()
	if m.TLS == nil {
		m.acme()
	}
	for n, l := range m.Locations {
		m.location(n, l)
	}
	m.block("server", m.lines...)
	m.lines = nil
}

func (m *model) tls() {
	if m.TLS == nil {
		return
	}
	m.add("ssl_certificate|%s", m.TLS.Certificate)
	m.add("ssl_certificate_key|%s", m.TLS.Key)
	if m.TLS.Profile == "modern" {
		m.add("ssl_protocols|TLSv1.3")
	} else {
		m.add("ssl_protocols|TLSv1.2|TLSv1.3")
		m.add("ssl_ciphers|ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" +
			"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305")
	}
	m.add("ssl_prefer_server_ciphers|off")
	m.add("ssl_session_tickets|off")
	if m.TLS.ClientCA != "" {
		m.add("ssl_session_cache|off")
		m.add("ssl_client_certificate|%s", m.TLS.ClientCA)
		m.add("ssl_verify_client|on")
		m.add("ssl_verify_depth|3")
	} else {
		m.add("ssl_session_cache|shared:wsprovision:10m")
		m.add("ssl_session_timeout|1d")
	}
	m.hsts("")
}

func (m *model) hsts(indent string) {
	if m.TLS != nil && m.TLS.HSTS > 0 {
		m.add("%sadd_header|Strict-Transport-Security|max-age=%d|always", indent, int(m.TLS.HSTS.Seconds()))
	}
}

func (m *model) realIP() {
	for _, p := range m.TrustedProxies {
		m.add("set_real_ip_from|%s", p)
	}
	if len(m.TrustedProxies) > 0 {
		m.add("real_ip_header|%s", m.RealIPHeader)
		if m.RealIPHeader == "X-Forwarded-For" {
			m.add("real_ip_recursive|on")
		}
	}
}

func (m *model) acme() {
	if m.ACMEWebroot != "" {
		m.add("location|^~|/.well-known/acme-challenge/|{")
		m.add("  root|%s", m.ACMEWebroot)
		m.add("  default_type|text/plain")
	}
}

func (m *model) plain() {
	if len(m.Port80()) == 0 {
		return
	}
	m.listens(m.Port80(), false)
	m.realIP()
	m.acme()
	m.add("location|/|{")
	port := fmt.Sprintf(":%d", m.Listen[0].Port)
	if slices.ContainsFunc(m.Listen, func(l site.Listen) bool { return l.Port == 443 }) {
		port = ""
	}
	if m.TLS.Redirect {
		m.add("  return|308|https://$host%s$request_uri", port)
	} else {
		m.add("  return|404")
	}
	m.block("server", m.lines...)
	m.lines = nil
}

func (m *model) rejecting() {
	if m.DefaultServer != site.DefaultReject {
		return
	}
	for i, l := range slices.Concat(m.Listen, m.Port80()) {
		last, tls := "return|444", m.TLS != nil && i < len(m.Listen)
		if tls {
			last = "ssl_reject_handshake|on"
		}
		m.share("server", "listen|"+l.Socket()+"|default_server"+m.options(l, tls),
			"server_name|reject.wsprovision.invalid", last)
	}
}

func (m *model) location(n int, l site.Location) {
	switch l.Match {
	case "exact":
		m.add("location|=|%s|{", l.Path)
	case "regex":
		m.add("location|~|%s|{", l.Path)
	default:
		m.add("location|%s|{", l.Path)
	}
	m.handshake(l)
	for _, d := range l.Deny {
		m.add("  deny|%s", d)
	}
	for _, a := range l.Allow {
		m.add("  allow|%s", a)
	}
	if len(l.Allow) > 0 {
		m.add("  deny|all")
	}
	if l.BasicAuthFile != "" {
		m.add("  auth_basic|%s", m.Name)
		m.add("  auth_basic_user_file|%s", l.BasicAuthFile)
	}
	m.limits(n, l)
	switch {
	case l.Root != "" && l.StripPrefix:
		m.add("  alias|%s/", l.Root)
	case l.Root != "":
		m.add("  root|%s", l.Root)
	default:
		m.proxy(l)
	}
	if l.Snippet != "" {
		m.lines = append(m.lines, "  set|$a|b", "  if|($a)|{", "    return|404")
	}
}

func (m *model) handshake(l site.Location) {
	if l.WebSocket {
		m.share("map|$http_upgrade|"+m.of("upgrade"), "default|", "websocket|websocket")
		m.share("map|$http_upgrade|"+m.of("connection"), "default|close", "websocket|upgrade")
	}
	if len(l.AllowedOrigins) > 0 && l.AllowedOrigins[0] != "any" {
		name := m.of("origin_" + mark(l.AllowedOrigins))
		entries := []string{"default|1", "websocket:|1"}
		for _, o := range l.AllowedOrigins {
			entries = append(entries, "~*^websocket:"+regexp.QuoteMeta(o)+"$|1")
		}
		m.share("map|"+m.of("upgrade")+":$http_origin|"+name, append(entries, "~^websocket:|0")...)
		m.lines = append(m.lines, "  if|("+name+"|=|0)|{", "    return|403")
	}
	if l.Only {
		m.add("  if|(%s|!=|websocket)|{", m.of("upgrade"))
		m.hsts("    ")
		m.lines = append(m.lines, "    add_header|Upgrade|websocket|always", "    return|426")
	}
}

func (m *model) limits(n int, l site.Location) {
	if l.Limits == nil {
		return
	}
	key := m.of("limit")
	m.share("map||"+key, "default|")
	m.add("  set|%s|%s:%d:", key, m.Name, n)
	zone := "wsprovision_" + m.scope
	if c := l.Limits.ConnectionsPerClient; c > 0 {
		m.share("limit_conn_zone|" + key + "$binary_remote_addr|zone=" + zone + "connections:10m")
		m.add("  limit_conn|%sconnections|%d", zone, c)
		m.add("  limit_conn_status|429")
	}
	if r := l.Limits.RequestsPerSecond; r > 0 {
		name := fmt.Sprintf("%srequests_%d", zone, r)
		m.share(fmt.Sprintf("limit_req_zone|%s$binary_remote_addr|zone=%s:10m|rate=%dr/s", key, name, r))
		burst := ""
		if l.Limits.Burst > 0 {
			burst = fmt.Sprintf("|burst=%d|nodelay", l.Limits.Burst)
		}
		m.add("  limit_req|zone=%s%s", name, burst)
		m.add("  limit_req_status|429")
	}
}

func (m *model) proxy(l site.Location) {
	uri := ""
	if l.StripPrefix {
		uri = "/"
	}
	scheme := "http"
	if l.Backends[0].HTTPS {
		scheme = "https"
	}
	if l.Resolver != nil {
		m.resolved(l, scheme)
	} else {
		m.add("  proxy_pass|%s://%s%s", scheme, m.upstreamOf(l), uri)
	}
	m.backendTLS(l)
	m.add("  proxy_http_version|1.1")
	for _, h := range m.headers(l) {
		m.add("  proxy_set_header|%s|%s", h.Name, h.Value)
	}
	long := "60s"
	if l.WebSocket {
		long = "24h"
	}
	m.add("  proxy_connect_timeout|%s", timeText(l.ConnectTimeout, "60s"))
	m.add("  proxy_read_timeout|%s", timeText(l.ReadTimeout, long))
	m.add("  proxy_send_timeout|%s", timeText(l.SendTimeout, long))
	if l.WebSocket {
		m.add("  proxy_socket_keepalive|on")
	}
	if l.Buffering != nil {
		m.add("  proxy_buffering|%s", map[bool]string{true: "on", false: "off"}[*l.Buffering])
	}
	if l.MaxBody != "" {
		m.add("  client_max_body_size|%s", l.MaxBody)
	}
}

func (m *model) headers(l site.Location) []site.Header {
	all := []site.Header{{Name: "Connection"}}
	if l.WebSocket {
		all = []site.Header{{Name: "Upgrade", Value: m.of("upgrade")}, {Name: "Connection", Value: m.connection(l)}}
	}
	host, forwarded, proto := "$host", "$remote_addr", "$scheme"
	standard := map[bool]int{false: 80, true: 443}[m.TLS != nil]
	if slices.ContainsFunc(m.Listen, func(l site.Listen) bool { return l.Port != standard }) {
		host += m.of("port")
		m.share("map|$http_host|"+m.of("port"), "default|", "~(:[0-9]+)$|$1")
	}
	if len(m.TrustedProxies) > 0 && m.RealIPHeader != "proxy_protocol" {
		forwarded, proto = m.trust()
	}
	all = append(all, site.Header{Name: "Host", Value: host}, site.Header{Name: "X-Real-IP", Value: "$remote_addr"},
		site.Header{Name: "X-Forwarded-For", Value: forwarded}, site.Header{Name: "X-Forwarded-Proto", Value: proto})
	for _, h := range l.RequestHeaders {
		all = slices.DeleteFunc(all, func(o site.Header) bool { return strings.EqualFold(o.Name, h.Name) })
		all = append(all, h)
	}
	return all
}

func (m *model) trust() (forwarded, proto string) {
	of := mark(m.TrustedProxies)
	forwarded, proto = m.of("for_"+of), m.of("proto_"+of)
	entries := []string{"default|0"}
	for _, p := range m.TrustedProxies {
		entries = append(entries, p+"|1")
	}
	trusted := m.of("trusted_" + of)
	m.share("geo|$realip_remote_addr|"+trusted, entries...)
	m.share("map|"+trusted+":$http_x_forwarded_for|"+forwarded, "default|$remote_addr",
		"~^1:(.+)$|$1, $realip_remote_addr")
	m.share("map|"+trusted+":$http_x_forwarded_proto|"+proto, "default|$scheme", "1:https|https", "1:http|http")
	return forwarded, proto
}

// mark is the short name of a list.
func mark(list []string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(list, "\n"))))[:12]
}

func timeText(d time.Duration, standard string) string {
	if d == 0 {
		return standard
	}
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d%unit.size == 0 {
			return strconv.Itoa(int(d/unit.size)) + unit.name
		}
	}
	return "?"
}
