// Package site is for describing what is published: names, sockets and locations, as the configuration asks for them
// and as nginx is made to serve them. It holds values and no rules: provision/config says what is accepted,
// provision/nginx what becomes of it.
package site

// Site is one server block; its file is conf.d/NAME.conf.
type Site struct {
	// Name is unique on the host: [a-z0-9][a-z0-9_-]{0,63}.
	Name        string
	ServerNames []string // at least one; host names, or *.example.com; case as written
	Listen      []Listen // at least one; all of them speak TLS where TLS is set
	TLS         *TLS
	Locations   []Location // at least one
}

// TLS names PEM files by absolute path; the certificate's file holds the chain, leaf first. Whether they exist is the
// host's affair.
type TLS struct{ Certificate, Key string }
