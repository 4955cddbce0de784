package render

import (
	"slices"
	"strings"

	"wsprovision/provision/site"
)

// RejectName is the name of the servers that answer nobody. It is nobody's (RFC 2606): an empty one or _ could be
// another server's too, and nginx would warn.
const RejectName = "reject.wsprovision.invalid"

// reject adds, for each socket of the site, the server that answers names which no other has: not at all (444). Where
// somebody else's server is the default of a socket, it stays so.
func (w *writer) reject() {
	if w.DefaultServer != site.DefaultReject {
		return
	}
	plain := w.Port80()
	for n, l := range slices.Concat(w.Listen, plain) {
		if !slices.Contains(w.Defaults, l.Socket()) {
			w.rejectOn(l, w.TLS != nil && n < len(w.Listen))
		}
	}
}

// rejectOn writes one of them. With TLS the handshake is refused, which needs no certificate.
func (w *writer) rejectOn(l Listen, tls bool) {
	lines := []string{"listen " + l.Socket() + " default_server" + w.socketOptions(l, tls) + ";",
		"server_name " + RejectName + ";"}
	switch {
	case tls && w.Build.RejectsHandshakes():
		lines = append(lines, "ssl_reject_handshake on;")
	case tls:
		lines = append(lines, "ssl_certificate "+w.TLS.Certificate+";", "ssl_certificate_key "+w.TLS.Key+";",
			"return 444;")
	default:
		lines = append(lines, "return 444;")
	}
	text := block("server", lines...)
	name := strings.NewReplacer(":", "x", ".", "_", "[", "", "]", "").Replace(l.Socket())
	w.common.add("reject_"+name, text)
}
