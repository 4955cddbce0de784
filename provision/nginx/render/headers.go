package render

import (
	"slices"
	"strings"

	"wsprovision/provision/site"
)

// headers are what the backend gets in place of the client's, those of the configuration last.
func (lo locations) headers(l Location) []site.Header {
	all := []site.Header{{Name: "Connection", Value: `""`}}
	if l.WebSocket {
		all = []site.Header{{Name: "Upgrade", Value: lo.shared().upgrade()},
			{Name: "Connection", Value: lo.shared().connection(l)}}
	}
	all = append(all, site.Header{Name: "Host", Value: lo.host()},
		site.Header{Name: "X-Real-IP", Value: "$remote_addr"},
		site.Header{Name: "X-Forwarded-For", Value: lo.forwardedFor()},
		site.Header{Name: "X-Forwarded-Proto", Value: lo.forwardedProto()})
	for _, h := range l.RequestHeaders {
		all = slices.DeleteFunc(all, func(other site.Header) bool { return strings.EqualFold(other.Name, h.Name) })
		all = append(all, site.Header{Name: h.Name, Value: quoted(h.Value)})
	}
	return all
}

// host is what the backend sees as Host. $host is the name nginx itself chose the server by, so an absolute request
// target cannot make backend and nginx disagree, but it has lost the port. On a port that is not its scheme's own the
// browser's Origin carries that port, and backends that compare Origin with Host would answer 403; there the port that
// the client wrote is added.
func (lo locations) host() string {
	standard := 80
	if lo.TLS != nil {
		standard = 443
	}
	if slices.ContainsFunc(lo.Listen, func(l Listen) bool { return l.Port != standard }) {
		return "$host" + lo.shared().portMap()
	}
	return "$host"
}

// believes tells whether headers of the trusted proxies count: a PROXY line says nothing of the headers behind it,
// which are the client's.
func (lo locations) believes() bool {
	return len(lo.TrustedProxies) > 0 && lo.RealIPHeader != site.ProxyProtocol
}

func (lo locations) forwardedFor() string {
	if !lo.believes() {
		return "$remote_addr"
	}
	forwarded, _ := lo.shared().trustMaps()
	return forwarded
}

func (lo locations) forwardedProto() string {
	if !lo.believes() {
		return "$scheme"
	}
	_, proto := lo.shared().trustMaps()
	return proto
}

// realIP makes $remote_addr the client that a trusted proxy names. It may name several that came before it.
func (w *writer) realIP() {
	if len(w.TrustedProxies) == 0 {
		return
	}
	for _, p := range w.TrustedProxies {
		w.line("set_real_ip_from %s;", p)
	}
	w.line("real_ip_header %s;", w.RealIPHeader)
	if w.RealIPHeader == "X-Forwarded-For" {
		w.line("real_ip_recursive on;")
	}
}
