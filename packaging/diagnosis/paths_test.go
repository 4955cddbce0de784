//go:build diagnosis

package diagnosis

import "net/http"

// Which path the backend is asked for, and which location asks it.
func pathRows() []row {
	const missing, notFound, slash = "upgrade-header-missing", "path-not-found", "proxy-pass-slash"
	knows := func(path string) []backend { return []backend{{at: "127.0.0.1:3000", serves: only(path)}} }
	token := []backend{{at: "127.0.0.1:3000", serves: unless(401, func(r *http.Request) bool {
		return r.URL.Query().Get("token") == ""
	})}}
	withToken := "--url ws://ws.example.com/ws/?token=a --timeout 3s"
	toRoot := sed("s,location / {,location /ws/ { proxy_pass http://127.0.0.1:3000; " + headers + "} &,")
	const brief = "--url ws://ws.example.com/ws/ --timeout 700ms"
	rows := []row{
		{situation: "the same path in location and proxy_pass", backends: knows("/ws/chat"),
			verify: "--url ws://ws.example.com/ws/chat --timeout 3s",
			site:   serves(location("/ws/", "http://127.0.0.1:3000/ws/", headers))},
		{situation: "proxy_pass lacks the last slash of the location", backends: knows("/ws/chat"),
			verify: "--url ws://ws.example.com/ws/chat --timeout 3s",
			site:   serves(location("/ws/", "http://127.0.0.1:3000/ws", headers)), want: slash, cause: "/wschat",
			edit: sed("s,3000/ws;,3000;,")},
		{situation: "proxy_pass has a slash and the location none, so that it becomes two", backends: knows("/"),
			site: serves(location("/ws", "http://127.0.0.1:3000/", headers)), want: slash, cause: "// & /",
			says: "/ws/", not: "as the path of the location", edit: sed("s,location /ws {,location /ws/ {,")},
		{situation: "the location's prefix is passed on, and the backend has none", backends: knows("/chat"),
			verify: "--url ws://ws.example.com/ws/chat --timeout 3s", site: serves(passes(headers)), want: slash,
			cause: "/chat & /ws/chat", says: "http://127.0.0.1:3000/", edit: sed("s,3000;,3000/;,")},
		{situation: "the headers, and no proxy_pass", site: serves("location / { root /srv; }",
			"location /ws/ { "+headers+"}"), want: notFound, says: "proxy_pass",
			edit: sed("s,location /ws/ {,& proxy_pass http://127.0.0.1:3000;,")},
		{situation: "a regular expression of files takes the path", site: serves("root /srv;", passes(headers),
			`location ~* \.(js|css)$ { expires 1d; }`), verify: "--url ws://ws.example.com/ws/sockjs.js --timeout 3s",
			want: notFound, cause: ".(js|css)", says: "^~", not: "no location with proxy_pass matches",
			edit: sed("s,location /ws/,location ^~ /ws/,")},
		{situation: "try_files takes a file of the same name", files: map[string]string{"/srv/ws/index.html": "page"},
			site: serves("root /srv;", "location / { try_files $uri $uri/ @app; }",
				location("@app", "http://127.0.0.1:3000", headers)), want: notFound, cause: "/srv/ws",
			edit: toRoot},
		{situation: "try_files goes round in a circle", site: serves("root /srv/none;",
			"location / { try_files $uri /index.html; }"), want: notFound, edit: toRoot},
		{situation: "a directory without an index", files: map[string]string{"/srv/ws/page.html": "page"},
			site: serves("root /srv;", "location / { }"), want: notFound, not: "refuses this client", edit: toRoot},
		{situation: "a regular expression of the location loses the query", backends: token, verify: withToken,
			site: serves(location("~ ^/ws/(.*)$", "http://127.0.0.1:3000/ws/$1", headers)), want: slash,
			cause: "token", says: "$is_args$args", edit: sed("s,ws/$1;,ws/$1$is_args$args;,")},
		{situation: "a rewrite loses the query", backends: token, verify: withToken,
			site: serves(location("/ws/", "http://127.0.0.1:3000", "rewrite ^/ws/(.*)$ /ws/$1? break;", headers)),
			want: "path-rewritten", cause: "token", edit: sed("/rewrite/d")},
		{situation: "the query is passed on", backends: token, verify: withToken, site: serves(passes(headers))},
		{situation: "proxy_pass with $request_uri", backends: token, verify: withToken,
			site: serves(location("/ws/", "http://127.0.0.1:3000$request_uri", headers))},
		{situation: "proxy_pass with a variable and a path asks for that path alone", backends: knows("/ws/chat"),
			verify: "--url ws://ws.example.com/ws/chat --timeout 3s",
			site:   serves("set $b 127.0.0.1:3000;", location("/ws/", "http://$b/ws/", headers)), want: slash,
			cause: "/ws/ & /ws/chat", edit: sed("s,$b/ws/;,$b;,")},
		{situation: "a longer prefix has no headers", site: serves(passes(headers),
			location("/ws/chat", "http://127.0.0.1:3000", http11)),
			verify: "--url ws://ws.example.com/ws/chat --timeout 3s", want: missing, proof: siteFile,
			edit: sed("s/proxy_http_version 1.1; *$/& " + upgrade + connection + "/")},
		{situation: "fastcgi_pass", verify: brief, site: serves("location /ws/ { fastcgi_pass 127.0.0.1:3000; }"),
			want:  "passed-without-upgrade",
			cause: "fastcgi_pass", says: "proxy_pass",
			edit: sed("s,fastcgi_pass 127.0.0.1:3000;,proxy_pass http://127.0.0.1:3000; " + headers + ",")},
		{situation: "uwsgi_pass", verify: brief, site: serves("location /ws/ { uwsgi_pass 127.0.0.1:3000; }"),
			want:  "passed-without-upgrade",
			cause: "uwsgi_pass", says: "proxy_pass",
			edit: sed("s,uwsgi_pass 127.0.0.1:3000;,proxy_pass http://127.0.0.1:3000; " + headers + ",")},
		{situation: "if ! -f passes on, as old examples have it", site: serves("root /srv;",
			"location / { "+headers+" if (!-f $request_filename) { proxy_pass http://127.0.0.1:3000; break; } }")},
		{situation: "proxy_pass with an empty variable", site: "map $host $b { default ''; }\n" +
			serves(location("/ws/", "$b", headers)), want: "answered-by-nginx", cause: "proxy_pass",
			edit: sed("s,proxy_pass $b,proxy_pass http://127.0.0.1:3000,")},
		{situation: "proxy_intercept_errors hides the backend's 426", site: serves("error_page 400 426 /sorry;",
			"location = /sorry { return 200 sorry; }", passes(http11, "proxy_intercept_errors on;")), want: missing,
			edit: insert(upgrade + connection)},
		{situation: "proxy_intercept_errors, and the backend refuses", backends: []backend{{at: "127.0.0.1:3000",
			serves: answering(403)}}, site: serves("error_page 403 =404 /none;", passes(headers,
			"proxy_intercept_errors on;")), want: "backend-refused", cause: "(403)", not: "deny", noMend: true},
	}
	return of("Paths", rows)
}
