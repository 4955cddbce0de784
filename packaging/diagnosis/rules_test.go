//go:build diagnosis

package diagnosis

// What an administrator forbids, limits or answers, in the many ways that there are.
func ruleRows() []row {
	const forbidden, answered, limited, redirected = "forbidden-by-nginx", "answered-by-nginx", "limited-by-nginx",
		"redirected-by-nginx"
	ws := passes(headers)
	rows := []row{
		{situation: "allow behind deny", site: serves("location /ws/ {", "deny all;", "allow 127.0.0.1;",
			"proxy_pass http://127.0.0.1:3000;", headers, "}"), want: forbidden, cause: "deny",
			edit: sed("s/deny all;/allow 127.0.0.1; &/")},
		{situation: "limit_except for POST", site: serves("location /ws/ {", "limit_except POST { deny all; }",
			"proxy_pass http://127.0.0.1:3000;", headers, "}"), want: forbidden, says: siteFile,
			edit: sed("/limit_except/d")},
		{situation: "geo", site: "geo $denied { default 1; 10.0.0.0/8 0; }\n" +
			serves("if ($denied) { return 403; }", ws), want: forbidden, cause: siteFile + ":5", says: siteFile,
			edit: sed("/return 403/d")},
		{situation: "a map of origins, and the request has none",
			site: "map $http_origin $good { default 0; ~^https?://ws\\.example\\.com$ 1; }\n" +
				serves("if ($good = 0) { return 403; }", ws), want: forbidden, not: "the backend 127.0.0.1:3000 " +
				"refuses",
			edit: sed("/return 403/d")},
		{situation: "only POST is taken", site: serves("if ($request_method != POST) { return 405; }", ws),
			want: answered, cause: "405 & " + siteFile + ":4", edit: sed("/return 405/d")},
		{situation: "426 for what does not upgrade", site: serves(`if ($http_upgrade = "") { return 426; }`, ws)},
		{situation: "426 for what does not upgrade, the wrong way round",
			site: serves(`if ($http_upgrade != "") { return 426; }`, ws), want: answered, cause: "426 & " + siteFile,
			edit: sed("/return 426/d")},
		{situation: "an address in a field, behind real_ip_header", site: serves("set_real_ip_from 127.0.0.1;",
			"real_ip_header X-Forwarded-For;", "deny 10.0.0.1;", ws), verify: theURL +
			" --header X-Forwarded-For:10.0.0.1",
			want: forbidden, cause: "deny", edit: sed("/deny/d")},
		{situation: "limit_req_status 429", site: "limit_req_zone $server_name zone=one:1m rate=1r/m;\n" +
			serves("limit_req zone=one;", "limit_req_status 429;", ws),
			after: "curl -s -o /dev/null http://ws.example.com/ws/", want: limited, cause: "429",
			edit: sed("/limit_req/d")},
		{situation: "satisfy any, with a password and a net", site: serves("satisfy any;", "allow 10.0.0.0/8;",
			"deny all;", `auth_basic "staff";`, "auth_basic_user_file /etc/nginx/passwd;", ws),
			files: map[string]string{"/etc/nginx/passwd": "a:b\n"}, want: "password-wanted-by-nginx",
			cause: "auth_basic",
			edit:  sed("/auth_basic/d; /deny/d; /satisfy/d")},
		{situation: "the file of passwords is not there", verify: theURL + " --header Authorization:Basic␣YTpi",
			site: serves(`auth_basic "staff";`, "auth_basic_user_file /etc/nginx/passwd;", ws), want: answered,
			cause: "/etc/nginx/passwd", says: "/etc/nginx/passwd",
			edit: "echo 'a:{PLAIN}b' >/etc/nginx/passwd"},
		{situation: "auth_request is refused by a service", site: serves("auth_request /auth;",
			"location = /auth { internal; proxy_pass http://127.0.0.1:3001; }", ws),
			backends: []backend{{at: "127.0.0.1:3000", serves: echo}, {at: "127.0.0.1:3001", serves: answering(403)}},
			want:     forbidden, cause: "auth_request", not: "the backend 127.0.0.1:3000 refuses",
			edit: sed("/auth_request/d")},
		{situation: "auth_request's location is not there", site: serves("root /srv;", "auth_request /auth;", ws),
			want: answered, cause: "auth_request", edit: sed("/auth_request/d")},
		{situation: "auth_request agrees", site: serves("auth_request /auth;",
			"location = /auth { internal; proxy_pass http://127.0.0.1:3001; }", ws),
			backends: []backend{{at: "127.0.0.1:3000", serves: echo}, {at: "127.0.0.1:3001", serves: answering(200)}}},
		{situation: "auth_request agrees, and the headers are missing", site: serves("auth_request /auth;",
			"location = /auth { internal; proxy_pass http://127.0.0.1:3001; }", passes(http11)),
			backends: []backend{{at: "127.0.0.1:3000", serves: echo}, {at: "127.0.0.1:3001", serves: answering(200)}},
			want:     "upgrade-header-missing", edit: sed("s/proxy_http_version 1.1; *$/& " + upgrade + connection +
				"/")},
		{situation: "a backend that answers as this nginx's own rule would", site: serves(
			"if ($http_x_none) { return 403; }", ws), backends: []backend{{at: "127.0.0.1:3000",
			serves: answering(403)}},
			want: "backend-refused", cause: "(403)", not: siteFile + ":4", noMend: true},
		{situation: "a redirect to another name of the site", site: serves("server_name_in_redirect on;",
			"if ($host != www.example.com) { return 301 http://www.example.com$request_uri; }", ws), want: redirected,
			says: "ws://www.example.com/ws/", noMend: true},
		{situation: "error_page 497 on a port with TLS", files: merge(withTLS(serves(
			"error_page 497 https://$host$request_uri;", ws)), "/none", ""), verify: "--url " +
			"ws://ws.example.com:443/ws/",
			want: redirected, says: "wss://", noMend: true},
		{situation: "ssl_verify_client optional, and an if", files: withTLS(serves("ssl_client_certificate "+bundle+";",
			"ssl_verify_client optional;", "if ($ssl_client_verify != SUCCESS) { return 403; }", ws)),
			verify: secureURL,
			want:   forbidden, says: siteFile, edit: sed("/ssl_client_verify/d")},
		{situation: "maintenance, by a file", site: serves("if (-f /srv/maintenance) { return 503; }", ws),
			files: map[string]string{"/srv/maintenance": "1"}, want: answered, cause: "503 & " + siteFile + ":4",
			edit: "rm /srv/maintenance"},
		{situation: "error_page 502 with a page, and the backend is down", backends: []backend{},
			files: map[string]string{"/srv/502.html": "sorry"}, site: serves("error_page 502 /502.html;",
				"location = /502.html { root /srv; internal; }", ws), want: "backend-not-running", noMend: true},
		{situation: "error_page 404 of the site, and no location has the path", files: map[string]string{
			"/srv/404.html": "none"}, site: serves("root /srv;", "error_page 404 /404.html;", location("/chat/",
			"http://127.0.0.1:3000", headers)), want: "path-not-found", edit: sed("s,/chat/,/ws/,")},
	}
	return of("Rules of nginx's", rows)
}
