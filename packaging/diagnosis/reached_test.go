//go:build diagnosis

package diagnosis

import (
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// What keeps nginx from an answer of the backend's, and what the backend makes of the request.
func reachedRows() []row {
	const refused, differs, down = "backend-refused", "field-refused", "backend-not-running"
	one := func(h http.HandlerFunc) []backend { return []backend{{at: "127.0.0.1:3000", serves: h}} }
	well := serves(passes(headers))
	far := serves(location("/ws/", "http://192.0.2.7:3000", headers, "proxy_connect_timeout 1s;"))
	real := "proxy_set_header X-Real-IP $remote_addr;"
	forwarded := "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
	rows := []row{
		{situation: "a route of the kind blackhole", backends: []backend{},
			before: "ip route add blackhole 192.0.2.0/24",
			site:   far, want: "backend-unreachable", cause: "192.0.2.7:3000", not: "SELinux", noMend: true},
		{situation: "a route of the kind throw", backends: []backend{}, before: "ip route add throw 192.0.2.0/24",
			site: far, want: "backend-unreachable", cause: "192.0.2.7:3000", noMend: true},
		{situation: "the backend's queue of connections is full", backends: []backend{},
			site: serves(passes(headers, "proxy_connect_timeout 1s;")), after: "python3 -c 'import socket, time\n" +
				"s = socket.socket()\ns.bind((\"127.0.0.1\", 3000))\ns.listen(0)\nheld = []\nfor i in range(3):\n" +
				" c = socket.socket()\n c.setblocking(False)\n c.connect_ex((\"127.0.0.1\", 3000))\n held.append(c)\n" +
				"time.sleep(28)' >/dev/null 2>&1 & " + sockets("3", "3000"), want: "backend-not-answering",
			cause: "127.0.0.1:3000 & wait for it in its queue", not: "no route & firewall", noMend: true},
		{situation: "proxy_bind names the loopback, and the backend is on another host", backends: []backend{},
			before: "ip link add far type veth && ip addr add 192.0.2.1/24 dev far && ip link set far up",
			site: serves("proxy_bind 127.0.0.1;", location("/ws/", "http://192.0.2.7:3000", headers,
				"proxy_connect_timeout 1s;")), want: "backend-unreachable", cause: "proxy_bind & 192.0.2.7:3000",
			not: "blackhole", noMend: true},
		{situation: "the backend closes the connection when it is taken, as docker's proxy does",
			backends: []backend{{at: "127.0.0.1:3000", raw: func(c net.Conn) { _ = c.Close() }}}, site: well,
			want: refused, cause: "closes the connection without an answer", noMend: true},
		{situation: "the backend speaks HTTP/2 only", backends: []backend{{at: "127.0.0.1:3000", raw: http2only}},
			site: well, want: "not-a-websocket", cause: "does not speak HTTP", noMend: true},
		{situation: "the backend takes longer for its answer than proxy_read_timeout",
			backends: one(slow(1300 * time.Millisecond)), site: serves(passes(headers, "proxy_read_timeout 1s;")),
			want: "proxy-read-timeout", cause: "proxy_read_timeout is 1s", says: "proxy_read_timeout",
			not: "does not answer", edit: sed("s/proxy_read_timeout 1s/proxy_read_timeout 24h/")},
		{situation: "the backend listens on another address of this host", backends: []backend{{at: "127.0.0.2:3000",
			serves: echo}}, site: well, want: down, cause: "127.0.0.1:3000 & 127.0.0.2:3000",
			says: "127.0.0.2:3000", edit: sed("s/127.0.0.1:3000/127.0.0.2:3000/") + " && systemctl reload nginx"},
		{situation: "the backend refuses each of two fields that nginx sets", backends: one(unless(400,
			func(r *http.Request) bool {
				return r.Header.Get("X-Real-IP") != "" || r.Header.Get("X-Forwarded-For") != ""
			})), site: serves(passes(headers, real, forwarded)), want: differs, cause: "X-Real-IP & X-Forwarded-For",
			edit: sed("/X-Real-IP/d; /X-Forwarded-For/d")},
		{situation: "one server of the group refuses X-Forwarded-For", backends: []backend{{at: "127.0.0.1:3000",
			serves: unless(400, has("X-Forwarded-For"))}, {at: "127.0.0.1:3001", serves: answering(400)}},
			site: group("server 127.0.0.1:3000; server 127.0.0.1:3001 down;") + serves(location("/ws/", "http://b",
				headers, forwarded)), want: differs, cause: "X-Forwarded-For", edit: sed("/X-Forwarded-For/d")},
		{situation: "the backend wants the word Upgrade with a capital", backends: one(unless(400,
			func(r *http.Request) bool { return r.Header.Get("Connection") != "Upgrade" })), site: well, want: differs,
			cause: "Connection", not: "does not pass on", edit: sed(`s/"upgrade"/"Upgrade"/`)},
		{situation: "the upstream's name has an underscore, and is no name of a host", backends: one(unless(400,
			func(r *http.Request) bool { return strings.Contains(r.Host, "_") })),
			site: "upstream my_app { server 127.0.0.1:3000; }\n" + serves(location("/ws/", "http://my_app",
				http11+upgrade+connection)), want: "host-refused", cause: "my_app", says: "proxy_set_header Host",
			edit: insert("proxy_set_header Host $http_host;")},
		{situation: "the backend gives 400 for another path, as ws does", backends: one(unless(400,
			func(r *http.Request) bool { return r.URL.Path != "/ws/" })), site: serves(location("/ws/",
			"http://127.0.0.1:3000/", headers)), want: "proxy-pass-slash", edit: sed("s,3000/;,3000;,")},
		{situation: "the backend gives 403 for another path, as uvicorn does", backends: one(unless(403,
			func(r *http.Request) bool { return r.URL.Path != "/ws/" })), site: serves(location("/ws/",
			"http://127.0.0.1:3000/", headers)), want: "proxy-pass-slash", not: "Origin", edit: sed("s,3000/;,3000;,")},
		{situation: "the backend closes for want of a token, by a code of its own", backends: one(
			closes(4001, "unauthorized")), site: well, verify: theURL + " --idle 1s", want: "backend-cuts-connection",
			cause: "4001", not: "nginx cuts", noMend: true},
		{situation: "the backend takes no long message", backends: one(limited), site: well},
		{situation: "the backend chooses a subprotocol that nobody offered", backends: one(adding(
			"Sec-WebSocket-Protocol", "chat")), site: well, want: "not-a-websocket",
			cause: "Sec-WebSocket-Protocol & chat & was not offered", not: "is no WebSocket server", noMend: true},
		{situation: "add_header puts a subprotocol into the answer", site: serves(passes(headers,
			"add_header Sec-WebSocket-Protocol none;", "add_header Sec-WebSocket-Protocol chat always;")),
			want: "not-a-websocket", cause: "Sec-WebSocket-Protocol & add_header", says: "chat always",
			not:  "Protocol none",
			edit: sed("/chat always/d")},
		{situation: "the backend chooses an extension that nobody offered", backends: one(adding(
			"Sec-WebSocket-Extensions", "permessage-deflate")), site: well, want: "not-a-websocket",
			cause: "permessage-deflate", noMend: true},
		{situation: "the group lets five connections to the server at a time",
			backends: one(slow(300 * time.Millisecond)),
			site: group("zone b 64k; server 127.0.0.1:3000 max_conns=5;") +
				serves(location("/ws/", "http://b", headers)),
			verify: theURL + " --count 24 --concurrency 12", want: "limited-by-nginx", cause: "max_conns",
			says: "max_conns", not: "systemctl restart", edit: sed("s/ max_conns=5//")},
		{situation: "the client itself may open no more files", site: well, verify: theURL +
			" --count 100 --concurrency 60",
			after: "program=$(readlink /usr/local/bin-agent); rm /usr/local/bin-agent; " +
				"printf '#!/bin/bash\\nulimit -n 40; exec %s \"$@\"' $program >/usr/local/bin-agent; chmod 755 " +
				"/usr/local/bin-agent", want: "open-files-exhausted",
			cause: "this program itself & too many open files", says: "ulimit -n",
			not: "systemctl restart & worker_rlimit_nofile", noMend: true},
		{situation: "the backend's answer is no 101 but has all of its fields",
			backends: one(func(w http.ResponseWriter,
				r *http.Request) {
				w.Header().Set("Upgrade", "websocket")
				w.WriteHeader(http.StatusOK)
			}), site: well, want: refused, cause: "(200)", noMend: true},
	}
	return of("Reaching the backend", rows)
}

// http2only has the first frame of HTTP/2, which a server sends at once (RFC 9113, section 3.4).
func http2only(conn net.Conn) {
	_, _ = conn.Write([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
	_, _ = conn.Read(make([]byte, 4096))
	_, _ = conn.Write([]byte("\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"))
	_ = conn.Close()
	_, _ = io.Copy(io.Discard, conn)
}

// adding puts a field into the answer that the client did not ask for.
func adding(name, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(name, value)
		echo(w, r)
	}
}
