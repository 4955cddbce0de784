//go:build diagnosis

package diagnosis

func routeRows() []row {
	const missing, notFound = "upgrade-header-missing", "path-not-found"
	app := location("@app", "http://127.0.0.1:3000", headers)
	bare := location("@app", "http://127.0.0.1:3000", http11)
	rows := []row{
		{situation: "try_files to a named location", site: serves("location / { try_files $uri @app; }", app)},
		{situation: "try_files to a named location without the headers",
			site: serves("location / { try_files $uri @app; }", bare), want: missing, cause: "Upgrade and Connection",
			not: "passes nothing", edit: insert(upgrade + connection)},
		{situation: "try_files of the server", site: serves("root /srv;", "try_files $uri @app;", bare), want: missing,
			edit: insert(upgrade + connection)},
		{situation: "rewrite … break, without the headers", site: serves(
			location("/ws/", "http://127.0.0.1:3000", "rewrite ^/ws/(.*) /$1 break;", http11)), want: missing,
			edit: insert(upgrade + connection)},
		{situation: "rewrite … break to a path that the backend has not", backends: []backend{{at: "127.0.0.1:3000",
			serves: only("/ws/")}}, site: serves(location("/ws/", "http://127.0.0.1:3000",
			"rewrite ^/ws/(.*) /$1 break;", headers)), want: "path-rewritten", cause: "/ & rewrite", says: "rewrite",
			edit: sed("/rewrite/d")},
		{situation: "rewrite … last to another location", site: serves("location /ws/ { rewrite ^ /inner/ last; }",
			location("/inner/", "http://127.0.0.1:3000", http11)), want: missing, not: "passes nothing",
			edit: insert(upgrade + connection)},
		{situation: "rewrite of the server", site: serves("rewrite ^/ws/$ /inner/;",
			location("/inner/", "http://127.0.0.1:3000", http11)), want: missing, not: "passes nothing",
			edit: insert(upgrade + connection)},
		{situation: "proxy_pass in an if of the location", site: serves("location /ws/ {\n if ($http_upgrade) {\n " +
			"proxy_pass http://127.0.0.1:3000;\n }\n " + http11 + "\n }"), want: missing, not: "passes nothing",
			edit: sed("s/proxy_http_version 1.1;/& " + upgrade + connection + "/")},
		{situation: "error_page 418 = @app", site: serves("error_page 418 = @app;", "location /ws/ { return 418; }",
			bare),
			want: missing, not: "passes nothing", edit: insert(upgrade + connection)},
		{situation: "error_page 418 @app keeps the status", site: serves("error_page 418 @app;",
			"location /ws/ { return 418; }", app), want: "answered-by-nginx", cause: siteFile + " & 418",
			says: "error_page 418 = @app;", edit: sed("s/418 @app/418 = @app/")},
		{situation: "error_page 404 =200 @app gives another status", site: serves("root /srv;",
			"error_page 404 =200 @app;", app), want: "answered-by-nginx", cause: "keeps the status & 200",
			says: "error_page 404 = @app;", edit: sed("s/404 =200 @app/404 = @app/")},
		{situation: "error_page 404 = @app", site: serves("root /srv;", "error_page 404 = @app;", bare), want: missing,
			not: "passes nothing", edit: insert(upgrade + connection)},
		{situation: "a regular expression goes before the prefix", site: serves(passes(headers),
			location("~ ^/ws", "http://127.0.0.1:3000", http11)), want: missing, proof: "~ ^/ws",
			edit: sed("s/proxy_http_version 1.1; *$/& " + upgrade + connection + "/")},
		{situation: "^~ keeps the regular expression out", site: serves(location("^~ /ws/", "http://127.0.0.1:3000",
			headers), location("~ ^/ws", "http://127.0.0.1:3000", http11))},
		{situation: "a nested location",
			site: serves("location / {\n " + location("/ws/", "http://127.0.0.1:3000", http11) +
				"\n }"), want: missing, edit: insert(upgrade + connection)},
		{situation: "a path with percent signs", site: serves(location("/caf\u00e9/", "http://127.0.0.1:3000", http11)),
			verify: "--url ws://ws.example.com/caf%C3%A9/", want: missing, not: "passes nothing",
			edit: insert(upgrade + connection)},
		{situation: "two slashes are one", site: serves(passes(http11)), verify: "--url ws://ws.example.com//ws/",
			want: missing, not: "passes nothing", edit: insert(upgrade + connection)},
		{situation: "a slash after the port", backends: []backend{{at: "127.0.0.1:3000", serves: only("/ws/")}},
			site: serves(location("/ws/", "http://127.0.0.1:3000/", headers)), want: "proxy-pass-slash",
			edit: sed("s,3000/;,3000;,"), says: "take the / after the port"},
		{situation: "a slash after the port that the backend wants", backends: []backend{{at: "127.0.0.1:3000",
			serves: only("/")}}, site: serves(location("/ws/", "http://127.0.0.1:3000/", headers))},
		{situation: "no slash after the port, and the backend has the root", backends: []backend{{at: "127.0.0.1:3000",
			serves: only("/")}}, site: serves(passes(headers)), want: "proxy-pass-slash",
			cause: "/ws/ & where it has /",
			says:  "3000/", edit: sed("s,3000;,3000/;,")},
		{situation: "no location has the path", site: serves(location("/chat/", "http://127.0.0.1:3000", headers)),
			want: notFound, cause: "/ws/", noMend: true},
		{situation: "the location is exact", site: serves(location("= /ws", "http://127.0.0.1:3000", headers)),
			want: notFound, edit: sed("s,= /ws,/ws,")},
		{situation: "the backend has another path",
			backends: []backend{{at: "127.0.0.1:3000", serves: only("/socket")}},
			site:     serves(passes(headers)), want: notFound, cause: "itself has nothing", noMend: true},
		{situation: "the backend has the path without its slash", backends: []backend{{at: "127.0.0.1:3000",
			serves: only("/ws")}}, site: serves(passes(headers)), want: notFound, cause: "but at /ws", noMend: true},
		{situation: "the path has capitals", site: serves(location("/WS/", "http://127.0.0.1:3000", headers)),
			want: notFound, noMend: true},
	}
	return of("Which location", rows)
}
