//go:build diagnosis

package diagnosis

func loadRows() []row {
	const spent = "connections-exhausted"
	connections := func(n string) string {
		return "sed -i 's/worker_connections .*/worker_connections " + n + ";/' /etc/nginx/nginx.conf"
	}
	raise := connections("4096")
	rows := []row{
		{situation: "50 at once, and there is room", site: serves(passes(headers)),
			verify: theURL + " --count 100 --concurrency 50"},
		{situation: "100 at once, and worker_connections is 100", site: serves(passes(headers)),
			before: connections("100"), verify: theURL + " --count 200 --concurrency 100", want: spent,
			cause: "worker_connections is 100", says: "worker_connections", not: "systemctl restart", edit: raise},
		{situation: "400 at once, and worker_connections is 128", site: serves(passes(headers)),
			before: connections("128"),
			verify: theURL + " --count 800 --concurrency 400", want: spent, cause: "128", not: "systemctl restart",
			edit: raise},
		{situation: "idle connections take all that there are: nginx ends them", site: serves(passes(headers)),
			before: connections("10"), after: "python3 -c 'import socket, time\nheld = [socket.create_connection((" +
				"\"127.0.0.1\", 80)) for i in range(12)]\ntime.sleep(28)' >/dev/null 2>&1 & sleep 0.5"},
		{situation: "a limit of connections", site: "limit_conn_zone $server_name zone=two:1m;\n" +
			serves(passes("limit_conn two 5;", headers)), verify: theURL + " --count 60 --concurrency 30",
			want: "limited-by-nginx", cause: "limit_conn", not: "systemctl restart", edit: sed("/limit_conn two/d")},
	}
	return of("Many connections", rows)
}
