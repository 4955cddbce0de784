//go:build diagnosis

package diagnosis

import (
	"net/http"
	"strings"
)

// Where fields are set, and what becomes of their values.
func inheritanceRows() []row {
	const missing, differs = "upgrade-header-missing", "field-refused"
	inHTTP := func(directives string) string {
		return "sed -i 's/^http {/& " + directives + "/' /etc/nginx/nginx.conf"
	}
	byMap := func(body string) string {
		return "map $http_upgrade $connection_upgrade {\n    " + body + "\n}\n" +
			serves(passes(http11+upgrade, "proxy_set_header Connection $connection_upgrade;"))
	}
	first := unless(400, func(r *http.Request) bool {
		return !strings.EqualFold(r.Header.Get("Connection"),
			"upgrade")
	})
	rows := []row{
		{situation: "a dollar is missing", site: serves(passes(http11+connection,
			"proxy_set_header Upgrade http_upgrade;")),
			want: missing, cause: "does not pass on Upgrade", says: "replace",
			edit: sed("s/Upgrade http_upgrade/Upgrade $http_upgrade/")},
		{situation: "the headers are in http, and the location has one of its own", before: inHTTP(headers),
			site: serves(passes("proxy_set_header X-Real-IP $remote_addr;")), want: missing,
			cause: "Upgrade and Connection", says: "add", edit: insert(upgrade + connection)},
		{situation: "the headers are in http, and nothing else is set", before: inHTTP(headers),
			site: serves(passes())},
		{situation: "the headers are in http, and the server has one of its own", before: inHTTP(headers),
			site: serves("proxy_set_header X-Real-IP $remote_addr;", passes()), want: missing,
			cause: "Upgrade and Connection", says: "add", edit: sed("s/proxy_set_header X-Real-IP/" + upgrade +
				connection + "&/")},
		{situation: "a snippet of common fields hides those of the server",
			files: map[string]string{"/etc/nginx/proxy_params": host + "proxy_set_header X-Real-IP $remote_addr;\n"},
			site:  serves(headers, passes("include proxy_params;")), want: missing, cause: "Upgrade and Connection",
			says: "proxy_params", edit: "sed -i '1i " + upgrade + connection + "' /etc/nginx/proxy_params"},
		{situation: "proxy_pass_header in place of proxy_set_header", site: serves(passes(http11,
			"proxy_pass_header Upgrade;", "proxy_pass_header Connection;")), want: missing,
			cause: "Upgrade and Connection", edit: insert(upgrade + connection)},
		{situation: "add_header in place of proxy_set_header", site: serves(passes(http11,
			"add_header Upgrade $http_upgrade;", `add_header Connection "upgrade";`)), want: missing,
			cause: "Upgrade and Connection", edit: insert(upgrade + connection)},
		{situation: "add_header, gzip and proxy_buffering beside the headers", site: serves("gzip on;",
			"add_header X-Frame-Options DENY always;", passes("proxy_buffering off;", "gzip_proxied any;", headers))},
		{situation: "the map has a regular expression", site: byMap("default close;\n    ~*^websocket$ upgrade;")},
		{situation: "the map knows capitals only", site: byMap("default close;\n    ~^WebSocket$ upgrade;"),
			want:  missing,
			cause: "Connection", proof: "map", says: "replace",
			edit: sed(`s/Connection $connection_upgrade/Connection "upgrade"/`)},
		{situation: "the map asks for Connection", site: "map $http_connection $conn {\n    default keep-alive;\n" +
			"    ~*upgrade upgrade;\n}\n" + serves(passes(http11+upgrade, "proxy_set_header Connection $conn;"))},
		{situation: "if sets the variable", site: serves("location /ws/ {", `set $conn "";`,
			"if ($http_upgrade) { set $conn upgrade; }", "proxy_pass http://127.0.0.1:3000;",
			http11+upgrade+"proxy_set_header Connection $conn;", "}")},
		{situation: "if compares with capitals", site: serves("location /ws/ {", `set $conn "";`,
			"if ($http_upgrade = WebSocket) { set $conn upgrade; }", "proxy_pass http://127.0.0.1:3000;",
			http11+upgrade+"proxy_set_header Connection $conn;", "}"), want: missing, cause: "Connection",
			says: "replace", edit: sed(`s/Connection $conn;/Connection "upgrade";/`)},
		{situation: "Connection is sent twice, and the backend reads the first",
			backends: []backend{{at: "127.0.0.1:3000", serves: first}},
			site:     serves(passes(http11+upgrade, "proxy_set_header Connection close;", connection)), want: differs,
			cause: "Connection", edit: sed("/Connection close/d")},
		{situation: "Connection is a list", site: serves(passes(http11+upgrade,
			`proxy_set_header Connection "keep-alive, Upgrade";`))},
		{situation: "Sec-WebSocket-Version is emptied", site: serves(passes(headers,
			`proxy_set_header Sec-WebSocket-Version "";`)), want: missing, cause: "Sec-WebSocket-Version",
			says: "Sec-WebSocket-Version", edit: sed("/Sec-WebSocket-Version/d")},
		{situation: "Sec-WebSocket-Key is fixed", site: serves(passes(headers,
			`proxy_set_header Sec-WebSocket-Key dGhlIHNhbXBsZSBub25jZQ==;`)), want: missing, cause: "Sec-WebSocket-Key",
			not: "is no WebSocket server", says: "Sec-WebSocket-Key", edit: sed("/Sec-WebSocket-Key/d")},
		{situation: "Sec-WebSocket-Accept is hidden", site: serves(passes(headers,
			"proxy_hide_header Sec-WebSocket-Accept;")), want: missing, cause: "Sec-WebSocket-Accept",
			not: "is no WebSocket server", says: "proxy_hide_header", edit: sed("/proxy_hide_header/d")},
		{situation: "Sec-WebSocket-Protocol is emptied, and the backend wants one", verify: theURL +
			" --subprotocol chat",
			backends: []backend{{at: "127.0.0.1:3000", serves: unless(400, not(has("Sec-WebSocket-Protocol")))}},
			site:     serves(passes(headers, `proxy_set_header Sec-WebSocket-Protocol "";`)), want: differs,
			cause: "Sec-WebSocket-Protocol", edit: sed("/Sec-WebSocket-Protocol/d")},
		{situation: "a field with an underscore, which nginx drops", verify: theURL + " --header X_Token:a",
			backends: []backend{{at: "127.0.0.1:3000", serves: unless(401, not(has("X_token")))}},
			site:     serves(passes(headers)), want: differs, cause: "X_token", says: "underscores_in_headers on;",
			edit: sed("s/listen 80;/& underscores_in_headers on;/")},
		{situation: "Host is emptied", site: serves(passes(http11+upgrade+connection, `proxy_set_header Host "";`)),
			want: "host-refused", says: "$http_host", edit: sed(`s/Host "";/Host $http_host;/`)},
		{situation: "the backend knows the site's name, and nginx sends that of the upstream",
			backends: []backend{{at: "127.0.0.1:3000", serves: unless(400, func(r *http.Request) bool {
				return r.Host != "ws.example.com"
			})}}, site: group("server 127.0.0.1:3000;") + serves(location("/ws/", "http://b",
				http11+upgrade+connection)),
			want: "host-refused", cause: "ws.example.com", says: "proxy_set_header Host $http_host;",
			edit: insert("proxy_set_header Host $http_host;")},
		{situation: "proxy_method changes the method", backends: []backend{{at: "127.0.0.1:3000", serves: unless(405,
			func(r *http.Request) bool { return r.Method != "GET" })}}, site: serves(passes(headers,
			"proxy_method POST;")),
			want: differs, cause: "proxy_method", says: "proxy_method", edit: sed("/proxy_method/d")},
		{situation: "a cache", site: "proxy_cache_path /var/lib/nginx/cache keys_zone=c:1m;\n" +
			serves(passes(headers, "proxy_cache c;"))},
		{situation: "a cache keeps the answer to plain HTTP, and gives it to WebSockets",
			site: "proxy_cache_path /var/lib/nginx/cache keys_zone=c:1m;\n" + serves(passes(headers, "proxy_cache c;",
				"proxy_cache_valid any 1h;")), after: "curl -s -o /dev/null http://ws.example.com/ws/",
			want: "answered-by-nginx", cause: "proxy_cache", says: "proxy_cache", edit: sed("/proxy_cache c;/d")},
		{situation: "a cache, and the headers are missing", site: "proxy_cache_path /var/lib/nginx/cache " +
			"keys_zone=c:1m;\n" +
			serves(passes(http11, "proxy_cache c;")), want: missing, edit: insert(upgrade + connection)},
	}
	return of("Where fields are set", rows)
}
