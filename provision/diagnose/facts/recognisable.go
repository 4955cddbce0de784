package facts

import (
	"cmp"
	"crypto/rand"
	"net/http"

	"wsprovision/provision/websocket/handshake"
)

// Recognisable is the target with a Referer that nobody can guess, unless it has one: nginx writes it behind every line
// of its error log that is about the request, and thereby the lines of other clients are told from it, whatever they
// hold. It is a page of the site itself, which a server that looks at Referer takes (ngx_http_referer_module).
func Recognisable(t handshake.Target) handshake.Target {
	if t.Header.Get("Referer") != "" {
		return t
	}
	page := "http://"
	if t.TLS != nil {
		page = "https://"
	}
	if t.Header = t.Header.Clone(); t.Header == nil {
		t.Header = http.Header{}
	}
	t.Header.Set("Referer", page+cmp.Or(t.Host, t.Address)+"/?wsprovision="+rand.Text())
	return t
}

// UnknownName is a name that nobody's server block has (RFC 6761).
const UnknownName = "other-host.wsprovision.invalid"
