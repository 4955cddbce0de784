//go:build diagnosis

package diagnosis

// What nginx answers by itself, with the backend well.
func answerRows() []row {
	const redirected, forbidden, answered, limited = "redirected-by-nginx", "forbidden-by-nginx", "answered-by-nginx",
		"limited-by-nginx"
	ws := passes(headers)
	rows := []row{
		{situation: "everything is redirected to https",
			site: "server {\n    listen 80;\n    server_name ws.example.com;\n" +
				"    return 301 https://$host$request_uri;\n}\n", want: redirected, says: "wss://ws.example.com/ws/",
			cause: siteFile + ":4", not: "add a location", noMend: true},
		{situation: "certbot's if redirects to https", site: serves(
			"if ($host = ws.example.com) { return 301 https://$host$request_uri; }", ws), want: redirected,
			says: "wss://", cause: siteFile + ":4", noMend: true},
		{situation: "rewrite … permanent to https", site: serves("rewrite ^ https://$host$request_uri? permanent;", ws),
			want: redirected, says: "wss://", noMend: true},
		{situation: "another name is redirected to", site: serves("return 302 http://other.example.com$request_uri;"),
			want: redirected, cause: "http://other.example.com/ws/", noMend: true},
		{situation: "the URL lacks the last slash of the location", site: serves(ws),
			verify: "--url ws://ws.example.com/ws", want: redirected, cause: "/ws/", says: "ws://ws.example.com/ws/",
			noMend: true},
		{situation: "a password is wanted", site: serves(`auth_basic "staff";`,
			"auth_basic_user_file /etc/nginx/passwd;", ws), files: map[string]string{"/etc/nginx/passwd": "a:b\n"},
			want: "password-wanted-by-nginx", cause: "auth_basic", says: "auth_basic off;",
			edit: sed("s/location .ws. {/& auth_basic off;/"), not: "backend 127.0.0.1:3000 itself"},
		{situation: "deny all", site: serves("deny all;", ws), want: forbidden, says: "allow", cause: "deny",
			edit: sed("s/deny all;/allow all;/")},
		{situation: "only one net is allowed", site: serves("allow 10.0.0.0/8;", "deny all;", ws), want: forbidden,
			edit: sed("s/allow/allow 127.0.0.1; &/")},
		{situation: "if returns 403 for an Origin",
			site: serves(`set $bad 0;`, `if ($http_origin !~ "^https?://ws\.example\.com$") { set $bad 1; }`,
				"if ($bad) { return 403; }", ws),
			verify: theURL + " --origin http://evil.example.org", want: forbidden, cause: siteFile + ":6",
			not: "the backend 127.0.0.1:3000 refuses & allow that origin in the backend", says: siteFile,
			edit: sed("/return 403/d")},
		{situation: "a location returns 403 without a condition", site: serves("location / { return 403; }"),
			want: forbidden, says: "put a location with proxy_pass for /ws/", not: "condition",
			edit: insertLocation("/ws/")},
		{situation: "if returns 403 for a program's name", site: serves(
			"if ($http_user_agent ~* wsprovision) { return 403; }", ws), want: forbidden, cause: siteFile + ":4",
			says: siteFile, edit: sed("/return 403/d")},
		{situation: "valid_referers takes who has none, as a WebSocket of a browser's",
			site: serves("valid_referers none *.example.org;", "if ($invalid_referer) { return 403; }", ws)},
		{situation: "if refuses a foreign $http_referer", site: serves(
			`if ($http_referer !~ "^(https?://www\\.example\\.org/.*)?$") { return 403; }`, ws)},
		{situation: "valid_referers", site: serves("valid_referers *.example.org;",
			"if ($invalid_referer) { return 403; }", ws), want: forbidden, cause: siteFile + ":5", says: siteFile,
			proof: "if ($invalid_referer)", edit: sed("/return 403/d")},
		{situation: "return 404 in the location", site: serves("location /ws/ { return 404; }"), want: answered,
			cause: siteFile + ":4", says: siteFile, edit: sed("s,{ return 404; },{ proxy_pass http://127.0.0.1:3000; " +
				headers + "},")},
		{situation: "return 503, for maintenance", site: serves("return 503;", ws), want: answered,
			cause: siteFile + ":4", says: "return 503", not: "systemctl restart", edit: sed("/return 503/d")},
		{situation: "return 200 with a text", site: serves("location /ws/ { return 200 ok; }"), want: answered,
			cause: siteFile + ":4", edit: sed("s,return 200 ok;,proxy_pass http://127.0.0.1:3000; " + headers + ",")},
		{situation: "return 444 closes the connection", site: serves("if ($http_upgrade) { return 444; }", ws),
			want: answered, cause: "444 & " + siteFile + ":4", not: "systemctl restart", edit: sed("/return 444/d")},
		{situation: "files are served in place of the backend", site: serves("root /usr/share/nginx/html;",
			"location / { try_files $uri $uri/ =404; }"), want: "path-not-found", cause: "/ws/",
			edit: sed("s,location / {,location /ws/ { proxy_pass http://127.0.0.1:3000; " + headers + "} &,")},
		{situation: "a page of a single-page application answers", site: serves("root /usr/share/nginx/html;",
			"location / { try_files $uri /index.html; }"), files: map[string]string{}, want: "path-not-found",
			edit: sed("s,location / {,location /ws/ { proxy_pass http://127.0.0.1:3000; " + headers + "} &,")},
		{situation: "a limit of requests", site: "limit_req_zone $server_name zone=one:1m rate=1r/m;\n" +
			serves("limit_req zone=one;", ws), after: "curl -s -o /dev/null http://ws.example.com/ws/", want: limited,
			cause: "limit_req", says: "limit_req", edit: sed("/limit_req/d")},
		{situation: "a limit of connections", site: "limit_conn_zone $server_name zone=two:1m;\n" +
			serves("location /hold/ { proxy_pass http://127.0.0.1:3001; limit_conn two 1; }",
				passes("limit_conn two 1;", headers)),
			backends: []backend{{at: "127.0.0.1:3000", serves: echo}, {at: "127.0.0.1:3001", raw: silent}},
			after: "curl -s -m 25 -o /dev/null http://ws.example.com/hold/ >/dev/null 2>&1 & " +
				sockets("1", "3001"),
			want: limited, cause: "limit_conn",
			edit: sed("s/limit_conn two 1;//")},
		{situation: "auth_request refuses", site: serves("auth_request /auth;", "location = /auth { return 401; }", ws),
			want: "password-wanted-by-nginx", cause: "auth_request", edit: sed("/auth_request/d")},
		{situation: "auth_request's server is down", site: serves("auth_request /auth;",
			"location = /auth { proxy_pass http://127.0.0.1:3009; }", ws), want: answered,
			cause: "auth_request", says: "auth_request", edit: sed("/auth_request/d"), not: "nginx does not pass on"},
		{situation: "internal", site: serves("location /ws/ { internal; proxy_pass http://127.0.0.1:3000; " + headers +
			"}"),
			want: answered, cause: "internal", edit: sed("s/internal;//")},
		{situation: "the request's fields are too long", site: serves("large_client_header_buffers 4 1k;", ws),
			verify: theURL + " --header Cookie:" + long,
			want:   answered, cause: "too", says: "large_client_header_buffers", edit: sed("/large_client_header/d")},
		{situation: "error_page hides that the backend is down", backends: []backend{}, site: serves(
			"error_page 502 =200 /sorry;", "location = /sorry { return 200 sorry; }", ws), want: "backend-not-running",
			noMend: true},
		{situation: "error_page makes 403 a 404", site: serves("error_page 403 =404 /none;", "deny all;", ws),
			want: forbidden, edit: sed("s/deny all/allow all/")},
		{situation: "a limit that is not reached, and a busy nginx as a backend that only nginx knows",
			site: "limit_req_zone $server_name zone=one:1m rate=1000r/s;\n" +
				"map $remote_port $backend { default 127.0.0.1:3000; }\n" + serves(location("/ws/", "http://$backend",
				"limit_req zone=one burst=1000 nodelay;", headers)),
			backends: []backend{{at: "127.0.0.1:3000", serves: busyNginx}}, want: none, not: "a limit of nginx's"},
		{situation: "the same, and the backend has an address",
			site: "limit_req_zone $server_name zone=one:1m rate=1000r/s;\n" +
				serves(passes("limit_req zone=one burst=1000 nodelay;", headers)), want: "backend-refused",
			backends: []backend{{at: "127.0.0.1:3000", serves: busyNginx}}, not: "a limit of nginx's", noMend: true},
		{situation: "the backend redirects", backends: []backend{{at: "127.0.0.1:3000",
			serves: redirecting("https://ws.example.com/ws/")}}, site: serves(ws), want: "backend-refused",
			cause: "127.0.0.1:3000", noMend: true},
	}
	return of("nginx answers by itself", rows)
}
