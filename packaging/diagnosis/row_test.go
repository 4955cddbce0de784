//go:build diagnosis

package diagnosis

import (
	"crypto/tls"
	"net"
	"net/http"
	"strings"
)

// row is one situation: what a host is like, and what verify has to say of it.
type row struct {
	kind      string // the heading in the table
	situation string // what an administrator did, or what his host is like
	site      string // the file siteFile; serves() makes one
	files     map[string]string
	hosts     string // /etc/hosts; theHosts, if empty
	before    string // commands before nginx is started
	after     string // commands after it was started
	noIPv6    bool   // the kernel was booted with ipv6.disable=1
	backends  []backend
	verify    string // flags; theURL, if empty. ␣ is a blank within one

	want    string // the code; "" where the WebSocket goes through; none where no cause may be named
	warning string // the code of a warning besides
	cause   string // in the cause; several are separated by " & "
	proof   string // in the evidence, in the same way
	not     string // in neither, in the same way
	// says is in the mend. A mend that is no command is carried out by edit, which is what a careful reader makes of
	// it.
	says, edit string
	// noMend: it lies with the backend or the client, and then is what edit does, if anything.
	noMend bool
}

// none is the code of a case in which nothing certain can be said.
const none = "unexplained"

const (
	siteFile = "/etc/nginx/conf.d/site.conf"
	oursFile = "/etc/nginx/conf.d/websocket.conf"
	theURL   = "--url ws://ws.example.com/ws/ --timeout 3s"
	// theSite is on IPv4 alone: what goes wrong with a listener is brought about one family at a time.
	theSite  = "--server-name ws.example.com --backend 127.0.0.1:3000 --path /ws/ --listen 80 --timeout 3s"
	theHosts = "127.0.0.1 localhost ws.example.com\n"
)

// backend is a server of the case.
type backend struct {
	at     string // host:port, the path of a socket, or udp: and a name server's address
	serves http.HandlerFunc
	raw    func(net.Conn) // speaks no HTTP
	tls    *tls.Config
}

// The directives with which nginx passes a WebSocket on.
const (
	http11     = "proxy_http_version 1.1; "
	upgrade    = "proxy_set_header Upgrade $http_upgrade; "
	connection = `proxy_set_header Connection "upgrade"; `
	host       = "proxy_set_header Host $host; "
	headers    = http11 + upgrade + connection + host
)

// serves is a server block of the site's with these lines, each behind the one before.
func serves(lines ...string) string {
	return "server {\n    listen 80;\n    server_name ws.example.com;\n    " + strings.Join(lines, "\n    ") + "\n}\n"
}

// passes is a location that passes to the backend on port 3000.
func passes(directives ...string) string {
	return location("/ws/", "http://127.0.0.1:3000", directives...)
}

func location(path, to string, directives ...string) string {
	return "location " + path + " {\n        proxy_pass " + to + ";\n        " +
		strings.Join(directives, "\n        ") + "\n    }"
}

// sed edits the site's file.
func sed(script string) string { return "sed -i '" + script + "' " + siteFile }

func (r row) completed() row {
	if r.verify == "" {
		r.verify = theURL
	}
	if r.hosts == "" {
		r.hosts = theHosts
	}
	if r.backends == nil {
		r.backends = []backend{{at: "127.0.0.1:3000", serves: echo}}
	}
	return r
}
