package route

// passing are rows about proxy_pass and what goes with it.
func passing() []row {
	return []row{
		{"targets of proxy_pass", one(`
			location /keep/ { proxy_pass http://<A>; } location /cut/ { proxy_pass http://<A>/; }
			location /other/ { proxy_pass http://<A>/x/y; } location /part { proxy_pass http://<A>/z; }
			location = /exact { proxy_pass http://<A>/e; } location ~ ^/re/ { proxy_pass http://<A>; }
			location /query/ { proxy_pass http://<A>/q?a=1; }`),
			[]string{"/keep/a?b", "/keep//a", "/keep/%41%2fb", "/keep/a/../b", "/cut/a?b", "/cut//a",
				"/cut/%41%20%2fb",
				"/cut/", "/other/a", "/part", "/parts/x", "/exact?q", "/re/x%20?y", "/query/r?b", "/cut/%3Cx%3E"}},
		{"an upstream", `upstream Group { server <A>; server <B> down; } upstream one { server <B>; }` + one(`
			location / { proxy_pass http://group; } location /o { proxy_pass http://one/x; }`),
			[]string{"/", "/o/y"}},
		{"two servers", `upstream group { server <A>; server <B>; }` + one(`location / { proxy_pass http://group; }`),
			[]string{"/", "/", "/"}},
		{"backends that are not there", `upstream mixed { server <DEAD>; server <A>; }` + one(`
			location / { proxy_pass http://<DEAD>; } location /m { proxy_pass http://mixed; }
			location /f { proxy_pass http://<DEAD>; error_page 502 =200 @f; } location @f { proxy_pass http://<B>; }
			location /g { proxy_pass http://<DEAD>; error_page 502 504 /sorry; } location /sorry { return 200 sorry;
			}`),
			[]string{"/", "/m", "/f", "/g"}},
		{"proxy_pass with variables", `map $http_x $to { default <A>; b <B>; g group; } upstream group { server <C>;
		}` + one(`
			location /a { proxy_pass http://$to; } location /b { proxy_pass http://$to/fixed; }
			location /c { proxy_pass http://$to$request_uri; } location /d { set $p 127.0.0.1;
			proxy_pass http://$p:1$args; }
			location /e { proxy_pass http://$http_x; } location /f { rewrite ^/f(.*) /new$1 break;
			proxy_pass http://$to; }
			location /g { proxy_pass $http_x; } location /h { proxy_pass http://$request_id/; }`),
			[]string{"/a/x?y", "/a%20 X:b", "/a X:g", "/b/x?y", "/c/x?y=1", "/e", "/e X:name.test", "/f/x?y", "/f%20",
				"/g X:nothing", "/e X:group"}},
		{"what is not known of the address does not hide the fields", one(`
			location / { proxy_pass http://$request_id; proxy_set_header Upgrade $http_upgrade;
			}`), []string{"? / handshake"}},
		{"fields of one's own", `proxy_set_header X-Http http;` + one(`
			location /none { proxy_pass http://<A>; }
			location /own { proxy_pass http://<A>; proxy_set_header X-Own own; }
			location /outer { proxy_set_header X-Outer outer; location /outer/in { proxy_pass http://<A>; }
				location /outer/own { proxy_pass http://<A>; proxy_set_header Host $host; } }
			location /ws { proxy_pass http://<A>; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;
				proxy_set_header Connection "upgrade"; proxy_set_header Host $http_host;
				proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Real-IP $remote_addr;
				proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header Origin ""; }
			location /empty { proxy_pass http://<A>; proxy_set_header Upgrade $http_none;
			proxy_set_header X $http_none; }
			location /off { proxy_pass http://<A>; proxy_pass_request_headers off; }
			location /twice { proxy_pass http://<A>; proxy_set_header X-T a; proxy_set_header X-T b; }
			location /name { proxy_pass http://localhost:80/; proxy_set_header X-H "$proxy_host $proxy_port"; }
			location /phost { proxy_pass http://<A>; proxy_set_header X-H "$proxy_host|$proxy_port";
			proxy_set_header Host $proxy_host; }`),
			[]string{"/none X:1", "/none handshake Origin:o", "/own handshake", "/outer/in", "/outer/own host=H:1",
				"/ws handshake Origin:o", "/ws X-Forwarded-For:9.9.9.9", "/empty handshake", "/off handshake X:1",
				"/twice X-T:c",
				"/phost", "/none TE:trailers Keep-Alive:x"}},
		{"the fields of a location with an if", one(`
			proxy_set_header X-Server s;
			location / { proxy_pass http://<A>; proxy_set_header X-Loc l; if ($http_x) { set $y 1; }
				if ($http_x = p) { proxy_pass http://<B>; } }`), []string{"/", "/ X:1", "/ X:p"}},
		{"methods", one(`
			location /m { proxy_pass http://<A>; proxy_method PUT; } location / { proxy_pass http://<A>; }
			location /l { limit_except GET { deny all; } proxy_pass http://<A>; }
			location /o { limit_except GET { allow all; proxy_pass http://<B>; } proxy_pass http://<A>; }`),
			[]string{"/m", "DELETE /", "OPTIONS /x", "/l", "HEAD /l", "DELETE /l", "DELETE /o", "/o"}},
		{"other protocols", one(`location /f { fastcgi_pass <A>; } location /u { uwsgi_pass <A>; }
			location /s { stub_status; } location /e { empty_gif; }`), []string{"/s", "/e", "DELETE /e"}},
		{"a socket", one(`location / { proxy_pass http://unix:<DIR>/none.sock:/x; }`), []string{"/"}},
		{"a fallback with try_files", one(`root <DIR>/www;
			location / { try_files $uri @app; } location @app { proxy_pass http://<A>; proxy_http_version 1.1;
				proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; }`),
			[]string{"/cable handshake", "/file.txt", "/", "/sub", "/sub/", "/none?x=1", "/a%20b", "/%2e%2e/x",
				"/cable%2Fx"}},
	}
}

// answers are rows about what nginx answers itself.
func answers() []row {
	return []row{
		{"error_page", one(`
			root <DIR>/www; error_page 404 /file.txt; error_page 403 = /f403; error_page 500 =200 /file.html;
			error_page 401 @named; error_page 405 https://other/; error_page 410 =301 https://moved/;
			error_page 418 /none;
			location /404 { return 404; } location /403 { return 403; } location /500 { return 500; }
			location /401 { return 401; } location /405 { return 405; } location /410 { return 410; }
			location /418 { return 418; } location /f403 { return 200 f; } location @named { return 200 n; }
			location /own { error_page 404 /f403; return 404; } location /502 { return 502; }
			location /deep { error_page 404 /403; return 404; }
			location /rec { recursive_error_pages on; error_page 404 /rec2; return 404; }
			location /rec2 { recursive_error_pages on; error_page 410 /f403; return 410; }
			location /up { error_page 404 @up; return 404; } location @up { proxy_pass http://<A>; }
			location /up2 { error_page 404 = @up; return 404; } location /var { error_page 404 $http_x; return 404; }
			location /args { error_page 404 /up3?x=$uri; return 404; } location /up3 { proxy_pass http://<B>; }
			location /r { error_page 301 /f403; return 301 /x; } location /gone { error_page 404 @gone; return 404;
			}`),
			[]string{"/404", "/none", "/403", "/500", "/401", "/405", "/410", "/418", "/own", "/502", "/deep", "/rec",
				"/up", "/up handshake", "POST /up", "/up2 handshake", "/var X:/f403", "/var X:@named",
				"/var X:http://x/",
				"/args", "/r", "/gone", "POST /404", "DELETE /own", "POST /args"}},
		{"error_page without an end", one(`recursive_error_pages on; error_page 404 /x; location / { return 404; }`),
			[]string{"/a"}},
		{"who may pass", one(`
			location /deny { deny all; proxy_pass http://<A>; } location /allow { allow 127.0.0.1; deny all;
			return 500; }
			location /net { allow 10.0.0.0/8; deny 127.0.0.0/8; proxy_pass http://<A>; }
			location /ok { allow 127.0.0.0/8; deny all; proxy_pass http://<A>; }
			location /none { allow 10.0.0.1; proxy_pass http://<A>; } location /six { allow ::1; deny all;
			proxy_pass http://<A>; }
			location /ret { deny all; return 200; }`),
			[]string{"/deny", "/allow", "/net", "/ok", "/none", "/six", "/ret"}},
		{"passwords", one(`auth_basic_user_file <DIR>/passwords;
			location / { auth_basic "who"; proxy_pass http://<A>; } location /off { auth_basic off;
			proxy_pass http://<A>; }
			location /map { auth_basic $http_x; proxy_pass http://<A>; }
			location /any { satisfy any; allow 127.0.0.1; deny all; auth_basic w; proxy_pass http://<A>; }
			location /any2 { satisfy any; deny all; auth_basic w; proxy_pass http://<A>; }
			location /all { allow 127.0.0.1; deny all; auth_basic w; proxy_pass http://<A>; }
			location /page { auth_basic w; error_page 401 /login; proxy_pass http://<A>; }
			location /login { auth_basic off; return 200 login; }`),
			[]string{"/", "/ Authorization:Basic", "/off", "/map", "/map X:off", "/any", "/any2", "/all", "/page"}},
		{"auth_request", one(`
			location / { auth_request /auth; proxy_pass http://<A>; } location = /auth { internal; return 204; }
			location /no { auth_request /refuse; proxy_pass http://<A>; } location = /refuse { return 403; }
			location /who { auth_request /ask; proxy_pass http://<A>; } location = /ask { return 401; }
			location /odd { auth_request /odder; proxy_pass http://<A>; } location = /odder { return 302 /x; }
			location /up { auth_request /backend; proxy_pass http://<A>; } location = /backend {
			proxy_pass http://<B>; }
			location /upno { auth_request /backno; proxy_pass http://<A>; } location = /backno {
			proxy_pass http://<B>/?status=403; }
			location /login { auth_request /ask; error_page 401 = @login; proxy_pass http://<A>; }
			location @login { return 302 https://login/; }
			location /set { auth_request /auth; auth_request_set $user $upstream_http_x; proxy_pass http://<A>;
				proxy_set_header X-User $user; }`),
			[]string{"/", "/no", "/who", "/odd", "/up", "/upno", "/login", "/set handshake"}},
		{"limits", `limit_req_zone $server_port zone=z:1m rate=1r/m; limit_conn_zone $server_port zone=c:1m;` + one(`
			location / { limit_req zone=z; limit_conn c 10; proxy_pass http://<A>; }
			location /s { limit_req zone=z; limit_req_status 429; error_page 429 /slow; return 200; }
			location /p { limit_req zone=z; limit_req_status 429; error_page 429 /slow; proxy_pass http://<A>; }
			location /slow { return 200 slow; }`), []string{"/", "/", "/s", "/p", "/p"}},
		{"errors of backends", one(`
			location / { proxy_pass http://<A>; proxy_intercept_errors on; error_page 404 /found;
			error_page 500 502 @f; }
			location /found { return 200 found; } location @f { return 200 f; }
			location /as { proxy_pass http://<A>; error_page 404 /found; }`),
			[]string{"/?status=404", "/?status=503", "/?status=500", "/as?status=404", "/?status=200"}},
		{"what nobody knows", one(`location /a { proxy_pass http://<A>; }
			location /b { if ($geo) { return 200; } return 201; } set $geo 1;`), []string{"/a", "/b"}},
		{"geo and split_clients", `geo $g { default 0; 127.0.0.1 1; }
			geo $wide { 127.0.0.0/8 wide; 10.0.0.0/8 other; 127.0.0.0/16 narrow; ::1 six; } geo $http_x $of {
			default d;
				192.168.0.0/16 in; 192.168.1.0/24 within; 192.168.1.0/24 again; 2001:db8::/32 six;
				255.255.255.255 none; }
			geo $ranges { ranges; default r; 127.0.0.0-127.0.0.255 x; } split_clients $uri $s { 50% a; * b; }` + one(`
			location /g { if ($g) { return 200; } return 201; }
			location /w { return 301 /$wide; } location /o { return 301 /$of; } location /r { if ($ranges) {
			return 200; } } location /s { return 200 $s; }
			location /t { if ($s = a) { return 200; } return 201; }`), []string{"/g", "/s", "! /t", "/w",
			"/o", "/o X:192.168.1.7", "/o X:192.168.2.7", "/o X:2001:db8::1", "/o X:nobody", "/o X:1.2.3.4", "! /r"}},
		{"the address that is replaced", `set_real_ip_from 127.0.0.1; real_ip_header X-Real-IP;` + one(`
			location / { deny 1.2.3.4; allow all; return 200; } location /p { deny 1.2.3.4; proxy_pass http://<A>;
			}`),
			[]string{"/", "/ X-Real-IP:1.2.3.4", "/p", "/p X-Real-IP:1.2.3.4"}},
		{"the field with the address", `set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For;` + one(`
			location / { if ($remote_addr = 127.0.0.1) { return 200; } return 201; }`),
			[]string{"/", "/ X-Real-IP:1.2.3.4", "! / X-Forwarded-For:1.2.3.4"}},
	}
}

// filing are rows about files.
func filing() []row {
	return []row{
		{"files", one(`root <DIR>/www;`), []string{"/file.txt", "/none", "/", "/sub", "/sub/", "/empty", "/empty/",
			"/empty/x/", "/file.txt/", "/file.txt/x", "POST /file.txt", "DELETE /file.txt", "POST /none",
			"POST /sub/",
			"HEAD /file.txt", "/a%20b", "/50%25", "/sub?a=1", "! /file.txt Range:bytes=0-1", "DELETE /sub/"}},
		{"index", one(`root <DIR>/www; location / { index none.html file.txt; } location /sub/ { index a.txt; }
			location /empty/ { index nothing /file.txt; } location /v/ { index $http_x; alias <DIR>/www/sub/; }
			location = /file.txt { return 200 here; } location /list/ { alias <DIR>/www/empty/; autoindex on; }`),
			[]string{"/", "/sub/", "/empty/", "/v/ X:a.txt", "/v/ X:/file.txt", "/list/", "/list/x/", "POST /list/",
				"/list",
				"/list/none/"}},
		{"alias", one(`location /a/ { alias <DIR>/alias/; } location /b { alias <DIR>/alias; }
			location ~ ^/c/(.*)$ { alias <DIR>/alias/$1; } location /d/ { alias <DIR>/alias/; try_files $uri =404; }
			location /e/ { alias <DIR>/alias/; try_files $uri $uri/ @e; } location @e { proxy_pass http://<A>; }
			location /f/ { alias <DIR>/alias/; rewrite ^/f/x /f/one break; }
			location /g/ { alias <DIR>/alias/; location /g/two/ { index index.html; } }`),
			[]string{"/a/one", "/a/two", "/a/two/", "/a/none", "/b/one", "/bone", "/c/one", "/c/none", "/c/two/",
				"/d/one",
				"/d/none", "/e/one", "/e/two", "/e/none", "/f/x", "/f/one", "/g/two/", "/g/one", "/c/two"}},
		{"try_files", one(`root <DIR>/www;
			location / { try_files $uri $uri/ /index.html; } location /x/ { try_files /none =404; }
			location /y/ { try_files $uri /file.txt =410; } location /z/ { try_files $uri /p?u=$uri&$args; }
			location /p { proxy_pass http://<A>; } location /q { try_files /file.txt =404; proxy_pass http://<B>; }
			location /r { try_files /file.txt =404; proxy_pass http://<B>/sub/; }
			location /s { try_files $uri.txt $uri/index.html @s; } location @s { return 302 /s; }
			location /t { try_files /none /t2; } location /t2 { internal; return 200 t2; }
			location /u { try_files /none @none; } location = /file { try_files $uri.html =404; }
			location /w { try_files /none /w; } location /unknown { try_files /$request_id =404; }`),
			[]string{"/none", "/file.txt", "/sub", "/sub/", "/empty", "/x/", "/y/a", "/z/a%20b?c", "/q?a=b", "/q/%41",
				"/r", "/r/xyz", "/sub/x", "/s", "/sxx", "/t", "/u", "/file", "/w", "! /unknown", "POST /none",
				"/a%20b"}},
		{"try_files at the server", one(`root <DIR>/www; try_files $uri @fall; location @fall {
		proxy_pass http://<A>; }
			location /l { return 200; }`), []string{"/file.txt", "/none", "/l", "/sub"}},
		{"root with variables", one(`root <DIR>/$http_x; location /a/ { root <DIR>/www/; }`),
			[]string{"/file.txt X:www", "/file.txt", "/a/b", "/none X:www"}},
		{"relative root", one(`root none-such; location /h { root html; }`), []string{"/x", "/h/none-such"}},
		{"what may be older than it is", one(`root <DIR>/www; open_file_cache max=10; location / {
		try_files $uri =404; }`),
			[]string{"! /file.txt", "! /none"}},
		{"files that have stood for long", one(`root /etc/nginx; open_file_cache max=10; try_files $uri =404;
		location /x {
			open_file_cache off; } location /y { open_file_cache_valid 1000w; }`), []string{"/nginx/", "/nginx",
			"/x", "! /y"}},
		{"compressed files", one(`root <DIR>/www; gzip_static on;`), []string{"/file.txt",
			"! /file.txt Accept-Encoding:gzip"}},
	}
}
