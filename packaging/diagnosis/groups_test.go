//go:build diagnosis

package diagnosis

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"
)

// Groups of servers, names that are resolved later, and ways to a backend that is well.
func groupRows() []row {
	const missing, down, unresolved = "upgrade-header-missing", "backend-not-running", "upstream-name-unresolved"
	well := location("/ws/", "http://b", headers)
	on := func(at string) []backend { return []backend{{at: at, serves: echo}} }
	dynamic := func(resolver string) string {
		return serves("resolver "+resolver+";", "resolver_timeout 300ms;", "set $b app.example.com;",
			location("/ws/", "http://$b:3000", headers))
	}
	rows := []row{
		{situation: "keepalive in the group", site: group("server 127.0.0.1:3000; keepalive 16;") + serves(well)},
		{situation: "keepalive in the group, and Connection is emptied for it",
			site: group("server 127.0.0.1:3000; keepalive 16;") + serves(location("/ws/", "http://b", http11+upgrade,
				`proxy_set_header Connection "";`)), want: missing, cause: "Connection", says: "replace",
			edit: sed(`s/Connection ""/Connection "upgrade"/`)},
		{situation: "every server of the group is marked down", site: group("server 127.0.0.1:3000 down;") +
			serves(well),
			want: "backend-unreachable", cause: "down", says: siteFile, not: "start the backend",
			edit: sed("s/ down;/;/")},
		{situation: "both servers were down for a while, and nginx does not ask them yet", backends: []backend{},
			site: group("server 127.0.0.1:3000 fail_timeout=1h; server 127.0.0.1:3001 fail_timeout=1h;") +
				serves(well),
			after: "curl -s -o /dev/null http://ws.example.com/ws/; " + laterEcho("3000") + "; " + laterEcho("3001"),
			want:  "backend-unreachable", cause: "fail_timeout", says: "systemctl reload nginx",
			not: "start the backend & is not running"},
		{situation: "both servers failed, and each has a max_conns that is not reached", backends: []backend{},
			site: group("server 127.0.0.1:3000 max_conns=50 fail_timeout=1h; server 127.0.0.1:3001 max_conns=0 "+
				"fail_timeout=1h;") + serves(well),
			after: "curl -s -o /dev/null http://ws.example.com/ws/; " + laterEcho("3000") + "; " + laterEcho("3001"),
			want:  "backend-unreachable", cause: "is not known", not: "raise max_conns", noMend: true},
		{situation: "the server of the group listens on another address", backends: on("127.0.0.2:3000"),
			site: group("server 127.0.0.1:3000;") + serves(well), want: down, cause: "127.0.0.2:3000",
			says: siteFile + ":2, then nginx -t", edit: sed("s/127.0.0.1:3000/127.0.0.2:3000/")},
		{situation: "nginx itself listens on the backend's port, at another address", backends: []backend{},
			site: serves(well) + "server { listen 127.0.0.2:3000; }\n" + group("server 127.0.0.1:3000;"), want: down,
			cause: "127.0.0.1:3000", not: "127.0.0.2:3000", noMend: true},
		{situation: "the first server is down, and nginx may not try the next", backends: on("127.0.0.1:3002"),
			site: group("server 127.0.0.1:3001 weight=10000 max_fails=0; server 127.0.0.1:3002;") +
				serves(location("/ws/", "http://b", headers, "proxy_next_upstream off;")), want: down,
			cause: "127.0.0.1:3001", not: "127.0.0.1:3001 and", noMend: true},
		{situation: "a socket that nginx may not use, and a server besides", backends: []backend{
			{at: "/srv/app/app.sock", serves: echo}, {at: "127.0.0.1:3000", serves: echo}},
			after: "chmod 600 /srv/app/app.sock",
			site:  group("server unix:/srv/app/app.sock; server 127.0.0.1:3000;") + serves(well)},
		{situation: "a socket with a path in proxy_pass", backends: []backend{{at: "/srv/app/app.sock",
			serves: only("/chat")}}, after: "chmod 666 /srv/app/app.sock",
			site: serves(location("/ws/", "http://unix:/srv/app/app.sock:/chat", headers))},
		{situation: "two groups of sockets, one that nginx may not use", backends: []backend{
			{at: "/srv/app/a.sock", serves: echo}, {at: "/srv/app/b.sock", serves: echo}},
			after: "chmod 600 /srv/app/a.sock /srv/app/b.sock",
			site:  group("server unix:/srv/app/a.sock; server unix:/srv/app/b.sock;") + serves(well),
			want:  "backend-socket-denied", cause: "/srv/app/", says: "write", edit: "chmod 666 /srv/app/*.sock"},
		{situation: "two sockets, neither is there", backends: []backend{},
			site: group("server unix:/srv/app/a.sock; server unix:/srv/app/b.sock;") + serves(well), want: down,
			cause: "/srv/app/a.sock & /srv/app/b.sock", noMend: true},
		{situation: "a route of the kind prohibit", backends: []backend{}, before: "ip route add prohibit 192.0.2.0/24",
			site: serves(location("/ws/", "http://192.0.2.7:3000", headers)), want: "backend-unreachable",
			not:   "SELinux",
			cause: "192.0.2.7:3000", noMend: true},
		{situation: "no route to the backend", backends: []backend{},
			site: serves(location("/ws/", "http://192.0.2.7:3000", headers)), want: "backend-unreachable",
			not:   "SELinux",
			cause: "192.0.2.7:3000", noMend: true},
		{situation: "the resolver does not answer", site: dynamic("127.0.0.1:5353"),
			hosts: theHosts + "127.0.0.1 app.example.com\n", want: unresolved, cause: "127.0.0.1:5353",
			not: "neither starts nor reloads & /etc/hosts (getent", edit: sed("s/app.example.com/127.0.0.1/")},
		{situation: "the resolver does not know the name", site: dynamic("127.0.0.1:5353"),
			backends: []backend{{at: "127.0.0.1:3000", serves: echo}, {at: "udp:127.0.0.1:5353"}}, want: unresolved,
			cause: "app.example.com", not: "neither starts nor reloads & getent", noMend: true},
		{situation: "a name of the group is resolved once, and has moved since", hosts: theHosts + "127.0.0.2 app\n",
			backends: on("127.0.0.1:3000"), site: serves(location("/ws/", "http://app:3000", headers)),
			after: "sed 's/127.0.0.2 app/127.0.0.1 app/' /etc/hosts >/run/hosts; cat /run/hosts >/etc/hosts",
			want:  "nginx-older-configuration", cause: "app", says: "systemctl reload nginx", not: "start the backend"},
		{situation: "nginx logs nothing, and the backend is down", backends: []backend{},
			site: serves("error_log /dev/null;", passes(headers)), want: down, cause: "127.0.0.1:3000", noMend: true},
		{situation: "nginx logs nothing, and the headers are missing", site: serves("error_log /dev/null crit;",
			passes(http11)), want: missing, edit: insert(upgrade + connection)},
		{situation: "nginx passes to itself", site: serves(location("/ws/", "http://127.0.0.1:80", headers)),
			want: "answered-by-nginx", cause: "itself", not: "raise worker_connections",
			edit: sed("s,127.0.0.1:80;,127.0.0.1:3000;,")},
		{situation: "another nginx is between, and has no headers", site: serves(location("/ws/",
			"http://127.0.0.1:8080",
			headers)) + strings.Replace(serves(passes(http11)), "listen 80", "listen 8080", 1), want: missing,
			cause: "Upgrade and Connection", proof: "127.0.0.1:8080", says: siteFile + ":13",
			edit: sed("s/proxy_http_version 1.1; *$/& " + upgrade + connection + "/")},
		{situation: "another nginx is between, and its backend is down", backends: []backend{},
			site: serves(location("/ws/", "http://127.0.0.1:8080",
				headers)) + strings.Replace(serves(passes(headers)), "listen 80", "listen 8080", 1), want: down,
			cause: "127.0.0.1:3000", noMend: true},
		{situation: "the backend speaks TLS 1.3 only", backends: []backend{{at: "127.0.0.1:3000", serves: echo,
			tls: versions(tls.VersionTLS13, 0)}}, site: serves(location("/ws/", "https://127.0.0.1:3000", headers)),
			want: "backend-tls-refused", cause: "version", says: "proxy_ssl_protocols", not: "proxy_ssl_server_name",
			edit: insert("proxy_ssl_protocols TLSv1.2 TLSv1.3;")},
		{situation: "nginx speaks TLS 1.3 only to the backend, which does not",
			backends: []backend{{at: "127.0.0.1:3000",
				serves: echo, tls: versions(0, tls.VersionTLS12)}},
			site: serves(location("/ws/", "https://127.0.0.1:3000",
				"proxy_ssl_protocols TLSv1.3;", headers)), want: "backend-tls-refused", cause: "version",
			says: "proxy_ssl_protocols", not: "proxy_ssl_server_name", edit: sed("/proxy_ssl_protocols/d")},
		{situation: "the backend wants a certificate of its client", backends: []backend{{at: "127.0.0.1:3000",
			serves: echo, tls: wantsCertificate()}}, site: serves(location("/ws/", "https://127.0.0.1:3000", headers)),
			want: "backend-tls-refused", cause: "certificate", says: "proxy_ssl_certificate",
			not: "proxy_ssl_server_name & closes the connection", noMend: true},
		{situation: "the backend's certificate is out of date, and nginx verifies it", files: outdated(),
			backends: []backend{{at: "127.0.0.1:3000", serves: echo, tls: outdatedTLS()}}, site: serves(location("/ws/",
				"https://127.0.0.1:3000", "proxy_ssl_verify on;", "proxy_ssl_name localhost;",
				"proxy_ssl_trusted_certificate /etc/nginx/ca.pem;", headers)), want: "backend-tls-refused",
			cause: "out of date", says: "renew", edit: sed("/proxy_ssl_verify/d")},
		{situation: "the backend's certificate has another name, and nginx verifies it", files: named(),
			backends: []backend{{at: "127.0.0.1:3000", serves: echo, tls: namedTLS()}}, site: serves(location("/ws/",
				"https://127.0.0.1:3000", "proxy_ssl_verify on;",
				"proxy_ssl_trusted_certificate /etc/nginx/ca.pem;", headers)), want: "backend-tls-refused",
			cause: "name", says: "proxy_ssl_name", edit: insert("proxy_ssl_name localhost;")},
	}
	return of("Groups, names and the way to a backend", rows)
}

// laterEcho has the agent's own echo backend listen from now on.
func laterEcho(port string) string {
	return "(/usr/local/bin-agent echo --listen 127.0.0.1:" + port + " >/dev/null 2>&1 &) ; for i in $(seq 50); do " +
		"ss -Htln sport = :" + port + " | grep -q . && break; sleep 0.02; done"
}

func versions(least, most uint16) *tls.Config {
	c := ownTLS()
	c.MinVersion, c.MaxVersion = least, most
	return c
}

func wantsCertificate() *tls.Config {
	c := ownTLS()
	c.ClientAuth = tls.RequireAnyClientCert
	return c
}

// The authority of the backends' certificates, the same in every process of a case.
var backendsAuthority = (*authority)(nil).sign("root", true, farOff)

func served(until time.Time) (*tls.Config, map[string]string) {
	leaf := backendsAuthority.sign("localhost", false, until)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.cert.Raw}, PrivateKey: leaf.key}}},
		map[string]string{"/etc/nginx/ca.pem": backendsAuthority.pem}
}

func outdatedTLS() *tls.Config    { c, _ := served(time.Now().Add(-time.Hour)); return c }
func outdated() map[string]string { _, f := served(time.Now()); return f }
func namedTLS() *tls.Config       { c, _ := served(time.Now().Add(time.Hour)); return c }
func named() map[string]string    { _, f := served(time.Now()); return f }

// knowsNoName is a name server that has no name: each answer is the question with NXDOMAIN (RFC 1035, section 4.1.1).
func knowsNoName(at string) error {
	conn, err := net.ListenPacket("udp", at)
	if err != nil {
		return fmt.Errorf("name server %s: %w", at, err)
	}
	go func() {
		packet := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			packet[2], packet[3] = 0x81, 0x83
			_, _ = conn.WriteTo(packet[:n], from)
		}
	}()
	return nil
}
