// Package site is for describing what is published: names, sockets and locations, as the configuration asks for them
// and as nginx is made to serve them. It holds values and no rules: provision/config says what is accepted,
// provision/nginx what becomes of it.
package site

import "strings"

// Site is one server block; its file is conf.d/NAME.conf.
type Site struct {
	// Name is unique on the host: [a-z0-9][a-z0-9_-]{0,63}.
	Name        string
	ServerNames []string // at least one; host names, or *.example.com; case as written
	Listen      []Listen // at least one; all of them speak TLS where TLS is set
	// StandardListen says that nobody asked for a socket: Listen is the default, and has no IPv6 yet.
	StandardListen bool
	DefaultServer  DefaultServer
	TLS            *TLS
	ACMEWebroot    string // directory, "" for none: where an ACME client puts its challenges
	// TrustedProxies, addresses or CIDR, may say who the client is; RealIPHeader is how they say it.
	TrustedProxies []string
	RealIPHeader   string // "" without TrustedProxies
	Locations      []Location
}

// ClientName is a name that a client could send: the first without a wildcard.
func (s Site) ClientName() string {
	for _, n := range s.ServerNames {
		if !strings.HasPrefix(n, "*.") {
			return n
		}
	}
	return "wsprovision" + s.ServerNames[0][1:]
}

// DefaultServer is what becomes of requests for names that no server on the socket has.
type DefaultServer string

// The values of DefaultServer.
const (
	DefaultUnsaid DefaultServer = ""       // nginx's rule: the first server that it reads
	DefaultSite   DefaultServer = "true"   // this site answers them
	DefaultReject DefaultServer = "reject" // the connection is closed without an answer
)

// ProxyProtocol is the RealIPHeader that is no header.
const ProxyProtocol = "proxy_protocol"
