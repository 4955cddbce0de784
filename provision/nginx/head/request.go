package head

import (
	"net/netip"
	"strings"
)

// Request is a request as a client sends it: without a body, in HTTP/1.1.
type Request struct {
	// To is the address and port that the client connects to, on this host.
	To  netip.AddrPort
	TLS bool
	// SNI is the name in the TLS handshake where it is not that in Host.
	SNI string
	// Method is GET where it is empty.
	Method string
	// Host is the field of that name, with the port if the client sends one.
	Host string
	// Target is the path and the query as they are sent: percent-encoded.
	Target string
	// Fields are the others, in order.
	Fields []Field
	// From is the client's address; not valid where it is not known.
	From netip.Addr
	// Certified: the client shows a certificate, which nginx may take or refuse.
	Certified bool
	// Proxied: the connection begins with a PROXY line that says who From is.
	Proxied bool
}

// Field is a field of a request's head.
type Field struct{ Name, Value string }

// Handshake is a request for a WebSocket (RFC 6455, section 4.1), with an Origin where one is given.
func Handshake(to netip.AddrPort, tls bool, host, target, origin string) Request {
	r := Request{To: to, TLS: tls, Host: host, Target: target, Fields: []Field{
		{"Connection", "Upgrade"}, {"Upgrade", "websocket"},
		{"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "d3Nwcm92aXNpb24gcm91dGU="},
	}}
	if origin != "" {
		r.Fields = append(r.Fields, Field{"Origin", origin})
	}
	return r
}

// Verb is its method.
func (r Request) Verb() string {
	if r.Method == "" {
		return "GET"
	}
	return r.Method
}

// Values are those of a field, which may be there twice.
func (r Request) Values(name string) []string {
	var all []string
	if strings.EqualFold(name, "Host") {
		all = append(all, r.Host)
	}
	for _, f := range r.Fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value)
		}
	}
	return all
}

// Has reports whether it has one of the fields.
func (r Request) Has(names ...string) bool {
	for _, name := range names {
		if len(r.Values(name)) > 0 {
			return true
		}
	}
	return false
}
