//go:build diagnosis

package diagnosis

import (
	"net/http"
	"strings"
)

func backendRows() []row {
	const refused, origin, differs = "backend-refused", "origin-refused", "field-refused"
	one := func(h http.HandlerFunc) []backend { return []backend{{at: "127.0.0.1:3000", serves: h}} }
	forwarded := "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;"
	hostIs := func(name string) func(*http.Request) bool {
		return func(r *http.Request) bool { return r.Host != name }
	}
	rows := []row{
		{situation: "400 because of X-Forwarded-For", backends: one(unless(400, has("X-Forwarded-For"))),
			site: serves(passes(headers, forwarded)), want: differs, cause: "X-Forwarded-For", says: "X-Forwarded-For",
			not: "although the backend accepts it", edit: sed("/X-Forwarded-For/d")},
		{situation: "500 because of X-Real-IP", backends: one(unless(500, has("X-Real-Ip"))),
			site: serves(passes(headers, "proxy_set_header X-Real-IP $remote_addr;", forwarded)), want: differs,
			cause: "X-Real-IP", not: "systemctl restart & because of X-Forwarded-For", edit: sed("/X-Real-IP/d")},
		{situation: "403 because of X-Forwarded-Proto http", backends: one(unless(403,
			func(r *http.Request) bool { return r.Header.Get("X-Forwarded-Proto") == "http" })),
			site: serves(passes(headers, "proxy_set_header X-Forwarded-Proto $scheme;")), want: differs,
			cause: "X-Forwarded-Proto", edit: sed("/X-Forwarded-Proto/d")},
		{situation: "the backend takes its own name only, and nginx passes on Host",
			backends: one(unless(403, hostIs("localhost:3000"))), site: serves(passes(headers)), want: "host-refused",
			cause: "Host ws.example.com", edit: sed("s/Host $host/Host localhost:3000/")},
		{situation: "the backend wants the site's Host, and nginx sends $proxy_host",
			backends: one(unless(404, hostIs("ws.example.com"))), site: serves(passes(http11 + upgrade + connection)),
			want: "host-refused", cause: "127.0.0.1:3000", says: "proxy_set_header Host",
			edit: insert("proxy_set_header Host $http_host;")},
		{situation: "the backend compares Origin with Host, and nginx sends $proxy_host",
			backends: one(unless(403, not(sameOrigin))), site: serves(passes(http11 + upgrade + connection)),
			verify: theURL + " --origin http://ws.example.com", want: origin, cause: "Host",
			says: "proxy_set_header Host $http_host;", edit: insert("proxy_set_header Host $http_host;")},
		{situation: "the backend compares Origin with Host, and nginx loses the port", verify: "--timeout 3s --url " +
			"ws://ws.example.com:8080/ws/ --origin http://ws.example.com:8080",
			backends: one(unless(403, not(sameOrigin))),
			site:     strings.Replace(serves(passes(headers)), "listen 80", "listen 8080", 1), want: origin,
			cause: "Host", says: "$http_host", edit: sed("s/Host $host/Host $http_host/")},
		{situation: "nginx empties Origin, and the backend wants one", backends: one(unless(403, not(has("Origin")))),
			site:   serves(passes(headers, `proxy_set_header Origin "";`)),
			verify: theURL + " --origin http://ws.example.com", want: differs, cause: "Origin",
			not: "compares it with Host", edit: sed("/Origin/d")},
		{situation: "a foreign Origin", backends: one(unless(403, not(sameOrigin))), site: serves(passes(headers)),
			verify: theURL + " --origin http://evil.example.org", want: origin, cause: "http://evil.example.org",
			noMend: true},
		{situation: "the backend wants an Origin", backends: one(unless(403, not(has("Origin")))),
			site: serves(passes(headers)), want: origin, cause: "without an Origin",
			says: "--origin http://ws.example.com", noMend: true},
		{situation: "the backend wants a cookie", backends: one(unless(401, not(has("Cookie")))),
			site: serves(passes(headers)), want: refused, cause: "(401)", noMend: true},
		{situation: "nginx empties the cookie", backends: one(unless(401, not(has("Cookie")))),
			site:   serves(passes(headers, `proxy_set_header Cookie "";`)),
			verify: theURL + " --header Cookie:a=b", want: differs, cause: "Cookie", edit: sed("/Cookie/d")},
		{situation: "the backend wants Authorization", backends: one(unless(401, not(has("Authorization")))),
			site: serves(passes(headers)), want: refused, cause: "(401)", not: "auth_basic", noMend: true},
		{situation: "the backend refuses by itself", backends: one(answering(400)), site: serves(passes(headers)),
			want: refused, cause: "(400)", noMend: true},
		{situation: "the backend is busy", backends: one(answering(503)), site: serves(passes(headers)), want: refused,
			cause: "(503)", noMend: true},
		{situation: "the backend wants a subprotocol", backends: one(unless(400, not(has("Sec-WebSocket-Protocol")))),
			site: serves(passes(headers)), want: refused, cause: "(400)", noMend: true},
		{situation: "the backend serves pages", backends: one(answering(200)), site: serves(passes(headers)),
			want: refused, cause: "(200)", noMend: true},
		{situation: "the backend answers 426 by itself", backends: one(answering(426)), site: serves(passes(headers)),
			want: refused, cause: "(426)", noMend: true},
		{situation: "the backend's 403 has nothing to do with Origin", backends: one(answering(403)),
			site: serves(passes(headers)), verify: theURL + " --origin http://ws.example.com", want: refused,
			cause: "(403)", not: "refuses the Origin", noMend: true},
		{situation: "404 because of the Origin, as Rails' Action Cable has it",
			backends: one(unless(404, not(sameOrigin))),
			site:     serves(passes(headers)), verify: theURL + " --origin http://evil.example.org", want: origin,
			cause: "http://evil.example.org", noMend: true},
		{situation: "the backend closes the connection", backends: []backend{{at: "127.0.0.1:3000", raw: curt}},
			site: serves(passes(headers)), want: refused, cause: "closes the connection without an answer",
			not: "does not speak HTTP", noMend: true},
		{situation: "what listens there is no HTTP server", backends: []backend{{at: "127.0.0.1:3000", raw: another}},
			site: serves(passes(headers)), want: "not-a-websocket", cause: "does not speak HTTP", noMend: true},
		{situation: "the backend wants TLS", backends: []backend{{at: "127.0.0.1:3000", serves: echo, tls: ownTLS()}},
			site: serves(passes(headers)), want: "backend-wants-tls", says: "https://",
			edit: sed("s,http://127,https://127,")},
		{situation: "the backend's certificate is not trusted by nginx",
			backends: []backend{{at: "127.0.0.1:3000", serves: echo, tls: ownTLS()}},
			files:    map[string]string{"/etc/nginx/ca.pem": bundled()},
			site: serves(location("/ws/", "https://127.0.0.1:3000", "proxy_ssl_verify on;",
				"proxy_ssl_trusted_certificate /etc/nginx/ca.pem;", headers)), want: "backend-tls-refused",
			cause: "does not trust", says: "proxy_ssl_verify", edit: sed("/proxy_ssl_verify/d")},
		{situation: "the head of the backend's answer is long",
			backends: one(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Set-Cookie", "session="+strings.Repeat("a", 6000))
				echo(w, r)
			}), site: serves(passes(headers)), want: "backend-header-too-big", says: "proxy_buffer_size",
			edit: insert("proxy_buffer_size 32k; proxy_buffers 8 32k;")},
		{situation: "a query is part of the path, as socket.io has it", backends: one(only("/socket.io/")),
			verify: "--url ws://ws.example.com/socket.io/?EIO=4&transport=websocket --timeout 3s",
			site:   serves(location("/socket.io/", "http://127.0.0.1:3000", http11)), want: "upgrade-header-missing",
			edit: insert(upgrade + connection)},
		{situation: "the backend redirects to https what has no X-Forwarded-Proto", verify: secureURL,
			backends: one(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("X-Forwarded-Proto") != "https" {
					http.Redirect(w, r, "https://ws.example.com/ws/", http.StatusMovedPermanently)
					return
				}
				echo(w, r)
			}), files: withTLS(serves(passes(headers))), want: differs, cause: "X-Forwarded-Proto",
			says: "proxy_set_header X-Forwarded-Proto $scheme;",
			edit: insert("proxy_set_header X-Forwarded-Proto $scheme;")},
	}
	return of("What the backend wants", rows)
}
