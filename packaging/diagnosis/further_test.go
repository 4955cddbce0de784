//go:build diagnosis

package diagnosis

import "strings"

// What nginx answers by itself, in further ways.
func furtherRows() []row {
	const redirected, forbidden, answered, down, invalid = "redirected-by-nginx", "forbidden-by-nginx",
		"answered-by-nginx", "backend-not-running", "nginx-config-invalid"
	ws := passes(headers)
	well := serves(ws)
	rows := []row{
		{situation: "a redirect to wss:// itself", site: serves("return 301 wss://$host$request_uri;"),
			want: redirected,
			says: "wss://ws.example.com/ws/", noMend: true},
		{situation: "the last slash is missing, and redirects have no name", site: serves("absolute_redirect off;", ws),
			verify: "--url ws://ws.example.com/ws", want: redirected, says: "ws://ws.example.com/ws/", noMend: true},
		{situation: "who has no cookie is sent to the login", site: serves(
			`if ($cookie_session = "") { return 302 /login; }`, ws), want: redirected, cause: "/login",
			proof: "$cookie_session", not: "use ws://ws.example.com/login", edit: sed("/return 302/d")},
		{situation: "another name than the canonical one is redirected",
			site: strings.Replace(serves(`if ($host != "www.example.com") `+
				"{ return 301 http://www.example.com$request_uri; }",
				ws), "server_name ws", "server_name www.example.com ws", 1), want: redirected,
			says: "ws://www.example.com/ws/", noMend: true},
		{situation: "a redirect to another port", site: serves("return 301 https://$host:8443$request_uri;"),
			want: redirected, says: "wss://ws.example.com:8443/ws/", noMend: true},
		{situation: "rewrite to the backend's URL is a redirect", site: serves(
			"location /ws/ { rewrite ^/ws/(.*)$ http://127.0.0.1:3000/$1; }"), want: redirected,
			cause: "http://127.0.0.1:3000/", says: "proxy_pass", edit: sed(
				"s,rewrite [^;]*;,proxy_pass http://127.0.0.1:3000; " + headers + ",")},
		{situation: "the path has moved to one with a WebSocket", site: serves(
			"location /old/ { return 302 /ws/; }", ws),
			verify: "--url ws://ws.example.com/old/ --timeout 3s", want: redirected, not: "condition",
			says: "use ws://ws.example.com/ws/", noMend: true},
		{situation: "a redirect without a condition to a page", site: serves("location / { return 302 /page; }"),
			want: redirected, says: "put a location with proxy_pass for /ws/", not: "condition & use ws",
			edit: insertLocation("/ws/")},
		{situation: "error_page 403 redirects what a return refuses", site: serves(
			"error_page 403 =302 https://a.example/;", "location /ws/ { return 403; }"), want: redirected,
			says: "take 'return 403' out of", not: "condition",
			edit: sed("s,return 403;,proxy_pass http://127.0.0.1:3000; " + headers + ",")},
		{situation: "error_page 404 redirects, and no location has the path", site: serves("root /srv;",
			"error_page 404 =302 https://ws.example.com/;"), want: redirected, cause: "error_page",
			says: "add a location for /ws/", not: "condition", edit: insertLocation("/ws/")},
		{situation: "if compares Connection with small letters", site: serves(
			`if ($http_connection != "upgrade") { return 400; }`, ws), want: answered, cause: siteFile + ":4",
			says: siteFile, edit: sed("/return 400/d")},
		{situation: "if wants an Origin of the site, and there is none", site: serves(
			`if ($http_origin !~* "^https?://(www\.)?example\.com$") { return 403; }`, ws), want: forbidden,
			cause: siteFile + ":4", edit: sed("/return 403/d")},
		{situation: "if refuses a request without a token in the query", site: serves(
			`if ($arg_token = "") { return 401; }`, ws), want: "password-wanted-by-nginx", cause: siteFile + ":4",
			not: "auth_basic", edit: sed("/return 401/d")},
		{situation: "files with a dot are denied", site: serves(`location ~ /\. { deny all; }`, location("/", "http://"+
			"127.0.0.1:3000", headers)), verify: "--url ws://ws.example.com/.ws/ --timeout 3s", want: forbidden,
			cause: "deny", edit: sed("/deny all/d")},
		{situation: "error_page 502 with a page and 200, and the backend is down", backends: []backend{}, site: serves(
			"error_page 502 503 504 =200 @sorry;", "location @sorry { return 200 '{}'; }", ws), want: down,
			cause: "127.0.0.1:3000", noMend: true},
		{situation: "WordPress: everything goes to index.php, and no location has the path", files: map[string]string{
			"/srv/www/index.php": "<?php\n"}, site: serves("root /srv/www;", "index index.php;",
			"location / { try_files $uri $uri/ /index.php?$args; }",
			`location ~ \.php$ { fastcgi_pass 127.0.0.1:9000; }`), want: "passed-without-upgrade",
			cause: "fastcgi_pass",
			says:  "/ws/", edit: sed("s,location / {,location /ws/ { proxy_pass http://127.0.0.1:3000; " + headers +
				"} &,")},
		{situation: "a rewrite without a flag goes on to files", site: serves("root /srv;", "location /ws/ { rewrite "+
			"^/ws/(.*)$ /none/$1; proxy_pass http://127.0.0.1:3000; "+headers+" }"), want: "path-not-found",
			cause: "/none/", says: "write break behind it", edit: sed("s,rewrite [^;]*;,,")},
		{situation: "a rewrite with last leads away from its proxy_pass", site: serves("root /srv;", "location / { }",
			"location /ws/ { rewrite ^/ws/(.*)$ /none/$1 last; proxy_pass http://127.0.0.1:3000/; "+headers+" }"),
			want: "path-not-found", says: "break in place of last", not: "add a location",
			edit: sed("s/ last;/ break;/")},
		{situation: "a rewrite of the server leads away from the location", site: serves("root /srv;",
			"rewrite ^/ws/(.*)$ /none/$1;", ws), want: "path-not-found", says: "take the rewrite out of " + siteFile,
			not: "break", edit: sed("/rewrite/d")},
		{situation: "a rewrite leads to files from a location without proxy_pass", site: serves("root /srv;",
			"location /ws/ { rewrite ^/ws/(.*)$ /app/$1; }"), want: "path-not-found",
			says: "add a location with proxy_pass", not: "break", edit: insertLocation("/app/")},
		{situation: "the server answers before any location is asked", site: serves("return 200 'ok';", ws),
			want: answered, cause: siteFile + ":4", edit: sed("/return 200/d")},
		{situation: "grpc_pass", site: serves("location /ws/ { grpc_pass grpc://127.0.0.1:3000; }"),
			want: "passed-without-upgrade", cause: "grpc_pass", says: "proxy_pass",
			edit: sed("s,grpc_pass [^;]*;,proxy_pass http://127.0.0.1:3000; " + headers + ",")},
		{situation: "an old version of the protocol is asked for", site: serves(passes(headers,
			"proxy_set_header Sec-WebSocket-Version 8;")), want: "field-refused", cause: "Sec-WebSocket-Version",
			edit: sed("/Sec-WebSocket-Version/d")},
		{situation: "the name of a group is misspelt in proxy_pass",
			site: "upstream backends { server 127.0.0.1:3000; }\n" +
				serves(location("/ws/", "http://backend", headers)), hosts: theHosts, want: "upstream-name-unresolved",
			cause: "backend", proof: "backends", edit: sed("s,http://backend;,http://backends;,") +
				" && systemctl reload-or-restart nginx"},
		{situation: "the user of nginx.conf is Debian's", site: well,
			before: "sed -i 's/^user nginx;/user www-data;/' /etc/nginx/nginx.conf", want: invalid, cause: "www-data",
			says: "/etc/nginx/nginx.conf", edit: "sed -i 's/^user www-data;/user nginx;/' /etc/nginx/nginx.conf"},
		{situation: "the directory of the logs is gone", site: well, before: "rm -r /var/log/nginx", want: invalid,
			cause: "/var/log/nginx", edit: "mkdir /var/log/nginx && systemctl start nginx"},
		{situation: "a module that is to be loaded is not there", site: well,
			before: "sed -i '1i load_module modules/ngx_stream_none.so;' /etc/nginx/nginx.conf", want: invalid,
			cause: "ngx_stream_none.so", says: "/etc/nginx/nginx.conf:1", edit: "sed -i 1d /etc/nginx/nginx.conf"},
		{situation: "a link in conf.d leads nowhere", site: well, before: "ln -s /etc/nginx/sites-available/none " +
			"/etc/nginx/conf.d/zz.conf", want: invalid, cause: "zz.conf", edit: "rm /etc/nginx/conf.d/zz.conf"},
		{situation: "a directory in conf.d has a name that ends in .conf", site: well, before: "mkdir " +
			"/etc/nginx/conf.d/zz.conf", want: invalid, cause: "zz.conf", edit: "rmdir /etc/nginx/conf.d/zz.conf"},
		{situation: "a listener that speaks HTTP/2 only", site: strings.Replace(well, "listen 80", "listen 8080 http2",
			1),
			verify: "--url ws://ws.example.com:8080/ws/ --timeout 3s", want: answered,
			cause: "http2", says: "http2", edit: sed("s/ http2//")},
		{situation: "the master was killed, and its workers go on", site: well,
			after: "kill -9 $(cat /run/nginx.pid); sleep 0.2", verify: theURL, want: ""},
		{situation: "nginx hangs", site: well, after: "kill -STOP $(pgrep -f '[n]ginx: worker')",
			verify: "--url ws://ws.example.com/ws/ --timeout 1s", want: "nginx-not-answering", proof: "T (stopped)",
			noMend: true, edit: "kill -CONT $(pgrep -f '[n]ginx: worker')"},
	}
	return of("nginx answers by itself, further", rows)
}

// insertLocation has the site pass a path on.
func insertLocation(path string) string {
	return sed("s,server_name .*,& location " + path + " { proxy_pass http://127.0.0.1:3000; " + headers + "},")
}
