//go:build diagnosis

package diagnosis

import "net/http"

func group(lines string) string { return "upstream b {\n    " + lines + "\n}\n" }

func upstreamRows() []row {
	const missing, down = "upgrade-header-missing", "backend-not-running"
	both := "127.0.0.1 localhost ws.example.com\n::1 localhost\n"
	keepAlive := location("/ws/", "http://b", http11+upgrade, `proxy_set_header Connection "keep-alive";`)
	well := location("/ws/", "http://b", headers)
	on := func(at string, serves http.HandlerFunc) []backend { return []backend{{at: at, serves: serves}} }
	rows := []row{
		{situation: "localhost is two addresses, the backend has one, and Connection is keep-alive", hosts: both,
			backends: on("127.0.0.1:6042", echo), site: group("server localhost:6042;") + serves(keepAlive),
			want:  missing,
			cause: "Connection", not: "IPv4 only", edit: sed(`s/"keep-alive"/"upgrade"/`)},
		{situation: "localhost is two addresses, and the backend has one", hosts: both,
			backends: on("127.0.0.1:6042", echo), site: group("server localhost:6042;") + serves(well)},
		{situation: "localhost is two addresses, and the backend has nothing at the path", hosts: both,
			backends: on("127.0.0.1:6042", only("/socket")), site: group("server localhost:6042;") + serves(well),
			want: "path-not-found", not: "IPv4 only", noMend: true},
		{situation: "the first server is down, the second has nothing at the path",
			backends: on("127.0.0.1:3002", only("/socket")), want: "path-not-found", cause: "127.0.0.1:3002",
			site: group("server 127.0.0.1:3001; server 127.0.0.1:3002;") + serves(well), noMend: true},
		{situation: "the first server is down, the second refuses", backends: on("127.0.0.1:3002", answering(400)),
			site: group("server 127.0.0.1:3001; server 127.0.0.1:3002;") + serves(well), want: "backend-refused",
			cause: "127.0.0.1:3002", noMend: true},
		{situation: "the first server is down, and the headers are missing", backends: on("127.0.0.1:3002", echo),
			site: group("server 127.0.0.1:3001; server 127.0.0.1:3002;") + serves(location("/ws/", "http://b", http11)),
			want: missing, edit: insert(upgrade + connection)},
		{situation: "both servers are down", backends: []backend{},
			site: group("server 127.0.0.1:3001; server 127.0.0.1:3002;") + serves(well), want: down, noMend: true},
		{situation: "the first is marked down, the second refuses",
			backends: []backend{{at: "127.0.0.1:3001", serves: echo}, {at: "127.0.0.1:3002", serves: answering(400)}},
			site:     group("server 127.0.0.1:3001 down; server 127.0.0.1:3002;") + serves(well),
			want:     "backend-refused",
			cause:    "127.0.0.1:3002", noMend: true},
		{situation: "the one server is down, its backup refuses", backends: on("127.0.0.1:3002", answering(400)),
			site: group("server 127.0.0.1:3001; server 127.0.0.1:3002 backup;") + serves(well), want: "backend-refused",
			cause: "127.0.0.1:3002", noMend: true},
		{situation: "one of two servers refuses",
			backends: []backend{{at: "127.0.0.1:3001", serves: answering(400)}, {at: "127.0.0.1:3002", serves: echo}},
			site:     group("server 127.0.0.1:3001 weight=1000; server 127.0.0.1:3002;") + serves(well),
			want:     "backend-refused", cause: "127.0.0.1:3001", noMend: true},
		{situation: "the backend is down", backends: []backend{}, site: serves(passes(headers)), want: down,
			cause: "127.0.0.1:3000", noMend: true},
		{situation: "the backend is on another port", backends: on("127.0.0.1:3001", echo),
			site: serves(passes(headers)),
			want: down, noMend: true},
		{situation: "the backend has IPv6 only", backends: on("[::1]:3000", echo), site: serves(passes(headers)),
			want: "backend-ipv6-only", says: "[::1]:3000", edit: sed("s/127.0.0.1:3000/[::1]:3000/"), hosts: both},
		{situation: "the backend has IPv4 only", hosts: both,
			site: serves(location("/ws/", "http://[::1]:3000", headers)), want: "backend-ipv4-only",
			edit: sed("s/.::1.:3000/127.0.0.1:3000/"), says: "127.0.0.1:3000"},
		{situation: "the backend takes the connection and is silent",
			backends: []backend{{at: "127.0.0.1:3000", raw: silent}},
			site:     serves(passes("proxy_read_timeout 400ms;", headers)), want: "backend-not-answering",
			noMend: true},
		{situation: "the upstream's name has no address",
			site: serves(location("/ws/", "http://app.invalid:3000", headers)),
			want: "upstream-name-unresolved", cause: "app.invalid", says: "/etc/hosts",
			edit: "echo 127.0.0.1 app.invalid >>/etc/hosts"},
		{situation: "a variable and no resolver", site: serves("set $backend app.example.com;",
			location("/ws/", "http://$backend:3000", headers)), want: "upstream-name-unresolved", says: "resolver",
			edit: sed("s/app.example.com/127.0.0.1/")},
		{situation: "https to a backend that speaks http", site: serves(location("/ws/", "https://127.0.0.1:3000",
			headers)), want: "backend-speaks-no-tls", says: "http://", edit: sed("s,https://127,http://127,")},
		{situation: "proxy_bind is no address of this host", site: serves("proxy_bind 192.0.2.9;", passes(headers)),
			want: "backend-unreachable", cause: "proxy_bind", edit: sed("/proxy_bind/d")},
		{situation: "an old refused connection is in the log", site: serves(passes(http11)),
			after: "for i in 1 2 3; do echo \"$(date '+%Y/%m/%d %T') [error] 7#7: *1 connect() failed (111: " +
				"Connection " +
				"refused) while connecting to upstream, client: 127.0.0.1, server: ws.example.com, request: " +
				"\\\"GET /ws/ " +
				"HTTP/1.1\\\", upstream: \\\"http://127.0.0.1:3000/ws/\\\", host: \\\"ws.example.com\\\"\" >>" +
				"/var/log/nginx/error.log; done", want: missing, edit: insert(upgrade + connection)},
	}
	return of("Upstreams", rows)
}
