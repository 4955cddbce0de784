//go:build diagnosis

package diagnosis

import (
	"net/http"
	"sync/atomic"
	"time"
)

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
			proof: "while it ran, worker",
			cause: "worker_connections is 100", says: "worker_connections", not: "systemctl restart", edit: raise},
		{situation: "400 at once, and worker_connections is 128", site: serves(passes(headers)),
			before: connections("128"),
			verify: theURL + " --count 800 --concurrency 400", want: spent, cause: "128", not: "systemctl restart",
			edit: raise},
		{situation: "600 at once, and worker_connections is 1024, as EPEL has it", site: serves(passes(headers)),
			backends: []backend{{at: "127.0.0.1:3000", serves: slow(400 * time.Millisecond)}},
			verify:   theURL + " --count 600 --concurrency 600", want: spent, cause: "worker_connections is 1024",
			proof: "while it ran, worker", not: "systemctl restart", edit: raise},
		{situation: "30 at once, and worker_rlimit_nofile is 40", site: serves(passes(headers)),
			before: "sed -i '1i worker_rlimit_nofile 40;' /etc/nginx/nginx.conf", verify: theURL +
				" --count 60 --concurrency 30", want: "open-files-exhausted", cause: "worker_rlimit_nofile is 40",
			says: "raise worker_rlimit_nofile", not: "LimitNOFILE", edit: "sed -i '/worker_rlimit_nofile/d' " +
				"/etc/nginx/nginx.conf"},
		{situation: "30 at once, and the unit's LimitNOFILE is 40", site: serves(passes(headers)),
			after:  "systemctl stop nginx; (ulimit -n 40; systemctl start nginx)",
			verify: theURL + " --count 60 --concurrency 30", want: "open-files-exhausted", says: "LimitNOFILE"},
		{situation: "the backend takes ten at a time", backends: []backend{{at: "127.0.0.1:3000", serves: few(10)}},
			site: serves(passes(headers)), verify: theURL + " --count 60 --concurrency 30", want: none,
			proof: "while it ran, worker", not: "systemctl restart & worker_connections"},
		{situation: "idle connections take all that there are: nginx ends them", site: serves(passes(headers)),
			before: connections("10"), after: "python3 -c 'import socket, time\nheld = [socket.create_connection((" +
				"\"127.0.0.1\", 80)) for i in range(12)]\ntime.sleep(28)' >/dev/null 2>&1 & " + sockets("8", "80") +
				"; sleep 0.3"},
		{situation: "a limit of connections", site: "limit_conn_zone $server_name zone=two:1m;\n" +
			serves(passes("limit_conn two 5;", headers)), verify: theURL + " --count 60 --concurrency 30",
			want: "limited-by-nginx", cause: "limit_conn", not: "systemctl restart", edit: sed("/limit_conn two/d")},
	}
	return of("Many connections", rows)
}

// slow takes its time for each handshake.
func slow(by time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(by)
		echo(w, r)
	}
}

// few takes so many WebSockets at a time, and answers 503 to the others.
func few(n int32) http.HandlerFunc {
	var open atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		defer open.Add(-1)
		if open.Add(1) > n {
			http.Error(w, "too many", http.StatusServiceUnavailable)
			return
		}
		echo(w, r)
	}
}
