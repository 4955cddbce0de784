//go:build diagnosis

package diagnosis

import "strings"

func serverRows() []row {
	const fallen, missing = "shadowed-default-server", "upgrade-header-missing"
	well := serves(passes(headers))
	at := func(listen string) string { return strings.Replace(well, "listen 80", "listen "+listen, 1) }
	hosts := theHosts + "127.0.0.1 www.example.com\n"
	const default80 = "sed -i 's/listen 80;/listen 80 default_server;/' /etc/nginx/nginx.conf"
	rows := []row{
		{situation: "a wrong name, and EPEL's default server answers", site: well, hosts: hosts, before: default80,
			verify: "--url ws://www.example.com/ws/", want: fallen, cause: "www.example.com",
			not: "add a location", edit: sed("s/server_name /&www.example.com /"), says: "www.example.com"},
		{situation: "a misspelt server_name", site: strings.Replace(well, "ws.example.com", "ws.exampel.com", 1),
			before: default80, want: fallen, cause: "ws.example.com", edit: sed("s/exampel/example/"),
			not: "add a location"},
		{situation: "the address in place of the name", site: well, verify: "--url ws://127.0.0.1/ws/", want: fallen,
			before: default80, noMend: true},
		{situation: "a default server that closes the connection", hosts: hosts, site: well +
			"server { listen 80 default_server; server_name _; return 444; }\n",
			verify: "--url ws://www.example.com/ws/", want: fallen, not: "systemctl restart",
			edit: sed("s/server_name ws/server_name www.example.com ws/")},
		{situation: "a default server that redirects", hosts: hosts, site: well +
			"server { listen 80 default_server; server_name _; return 301 https://$host$request_uri; }\n",
			verify: "--url ws://www.example.com/ws/", want: fallen,
			edit: sed("s/server_name ws/server_name www.example.com ws/")},
		{situation: "two server blocks have the name, the other comes first", site: well,
			files: map[string]string{"/etc/nginx/conf.d/aaa.conf": serves(passes(http11))}, want: missing,
			proof: "aaa.conf", edit: "rm /etc/nginx/conf.d/aaa.conf"},
		{situation: "www. by a wildcard", site: strings.Replace(well, "ws.example.com", "*.example.com", 1)},
		{situation: "nothing listens on the port", site: well, verify: "--url ws://ws.example.com:8080/ws/",
			want: "address-refuses", noMend: true},
		{situation: "nginx listens for IPv6 only", site: at("[::]:8080"), verify: "--url ws://ws.example.com:8080/ws/",
			want: "listener-ipv6-only", says: "listen 8080;", edit: sed("s/listen /listen 8080; &/")},
		{situation: "nginx listens for IPv4 only", site: at("8080"), hosts: "::1 ws.example.com\n",
			verify: "--url ws://ws.example.com:8080/ws/", want: "listener-ipv4-only", says: "listen [::]:8080;",
			edit: sed("s/listen /listen [::]:8080; &/")},
		{situation: "nginx listens on another address", site: at("192.0.2.1:8080"),
			before: "ip addr add 192.0.2.1/32 dev lo", verify: "--url ws://ws.example.com:8080/ws/",
			want: "listener-missing", noMend: true},
		{situation: "proxy_protocol is wanted", site: at("8080 proxy_protocol"),
			verify: "--url ws://ws.example.com:8080/ws/", want: "proxy-protocol-wanted", says: "proxy_protocol",
			edit: sed("s/ proxy_protocol//")},
		{situation: "ws:// to a port with TLS", site: "", files: withTLS(serves(passes(headers))),
			verify: "--url ws://ws.example.com:443/ws/", want: "tls-wanted-by-nginx", says: "wss://", noMend: true},
		{situation: "another program has the port", site: well, before: "python3 -c 'import socket, time; s = " +
			"socket.socket(); s.setsockopt(1, 2, 1); s.bind((\"0.0.0.0\", 80)); s.listen(); time.sleep(28)' " +
			">/dev/null 2>&1 & " + until("ss -Htln sport = :80 | grep -q ."), want: "nginx-bind-in-use",
			cause: "python", noMend: true},
		{situation: "nginx has another pid file than its configuration says, and the backend is down", site: well,
			backends: []backend{}, after: "systemctl stop nginx; sed -i s,/run/nginx.pid,/run/other.pid, " +
				"/etc/nginx/nginx.conf; nginx; sed -i s,/run/other.pid,/run/nginx.pid, /etc/nginx/nginx.conf; " +
				"sleep 0.1",
			want: "backend-not-running", not: "nginx is not running", noMend: true},
		{situation: "another nginx answers, with another configuration", site: well,
			files: map[string]string{"/etc/nginx/other.conf": "pid /run/other.pid;\nerror_log " +
				"/var/log/nginx/other.log;\nevents {}\n" +
				"http { server { listen 80; return 404; } }\n"},
			after: "systemctl stop nginx; nginx -c /etc/nginx/other.conf && sleep 0.1",
			want:  "nginx-other-configuration",
			cause: "/etc/nginx/other.conf", noMend: true},
		{situation: "nginx was stopped", site: well, after: "systemctl stop nginx", want: "nginx-not-running",
			says: "systemctl start nginx"},
		{situation: "the configuration was mended and not reloaded", site: serves(passes(http11)),
			after: "sleep 2.2; " + insert(upgrade+connection), want: "nginx-older-configuration",
			says: "systemctl reload nginx"},
	}
	return of("Names, addresses and ports of nginx", rows)
}
