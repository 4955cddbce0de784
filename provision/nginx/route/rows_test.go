package route

// selection are rows about servers, targets and locations.
func selection() []row {
	return []row{
		{"exact and wildcard names", `
			server { listen 127.0.0.1:<PORT>; server_name a.example.com; return 200 a; }
			server { listen 127.0.0.1:<PORT>; server_name *.example.com; return 201 wild; }
			server { listen 127.0.0.1:<PORT>; server_name .example.org; return 202 dot; }
			server { listen 127.0.0.1:<PORT>; server_name mail.*; return 203 tail; }
			server { listen 127.0.0.1:<PORT>; server_name *.b.example.com; return 205 longer; }
			server { listen 127.0.0.1:<PORT>; server_name "~^(?<who>[a-z]+)\.test$";
			return 206 "$who $1 $server_name"; }
			server { listen 127.0.0.1:<PORT> default_server; server_name _; return 207 default; }`,
			[]string{"/ host=a.example.com", "/ host=A.Example.COM.", "/ host=a.example.com:8080",
				"/ host=x.example.com",
				"/ host=example.com", "/ host=example.org", "/ host=a.b.example.org", "/ host=mail.anything",
				"/ host=mail.a.b", "/ host=x.b.example.com", "/ host=b.example.com", "/ host=bob.test",
				"/ host=_", "/ host=nobody", "/ host=127.0.0.1", "/ host=[::1]:80", "! / host=a..b", "! / host=.x"}},
		{"the first is the default", `
			server { listen 127.0.0.1:<PORT>; server_name one; return 200 one; }
			server { listen 127.0.0.1:<PORT>; server_name two; return 201 two; }
			server { listen 127.0.0.1:<PORT>; server_name two three; return 202 three; }`,
			[]string{"/ host=two", "/ host=three", "/ host=four"}},
		{"names that nginx ignores", `
			server { listen 127.0.0.1:<PORT>; server_name zero; return 200; }
			server { listen 127.0.0.1:<PORT>; server_name example.com; return 201; }
			server { listen 127.0.0.1:<PORT>; server_name .example.com; return 202; }
			server { listen 127.0.0.1:<PORT>; server_name *.example.net; return 203; }
			server { listen 127.0.0.1:<PORT>; server_name .example.net; return 205; }
			server { listen 127.0.0.1:<PORT>; server_name example.net; return 206; }`,
			[]string{"/ host=example.com", "/ host=a.example.com", "/ host=example.net", "/ host=a.example.net"}},
		{"an address of its own", `
			server { listen <PORT>; server_name a; return 200 all; }
			server { listen 127.0.0.2:<PORT>; server_name b; return 201 one; }
			server { listen <PORT>; server_name b; return 202 b; }`,
			[]string{"/ host=b", "/ host=b to=127.0.0.2:<PORT>", "/ host=a to=127.0.0.2:<PORT>",
				"/ host=a to=127.0.0.3:<PORT>"}},
		{"regular names in order, with case", `
			server { listen 127.0.0.1:<PORT>; server_name x; return 200; }
			server { listen 127.0.0.1:<PORT>; server_name ~^A.*Z$; return 201; }
			server { listen 127.0.0.1:<PORT>; server_name ~^a; return 202; }
			server { listen 127.0.0.1:<PORT>; server_name ~(?!q)b; return 203; }`,
			[]string{"/ host=abcz", "/ host=ABCZ", "/ host=abc", "! / host=bcd", "/ host=x"}},
		{"TLS", `
			server { listen 127.0.0.1:<PORT> ssl; server_name a; ssl_certificate <CERT>; ssl_certificate_key <CERT>;
				location / { return 200 "$scheme $https $server_port"; } location /r { return 301 /x; } }
			server { listen 127.0.0.1:<PORT>; server_name b; ssl_certificate <CERT>; ssl_certificate_key <CERT>;
				error_page 497 301 =307 https://$host$request_uri; return 201 b; }`,
			[]string{"/ host=a tls", "/r host=a tls", "/ host=b tls", "/ host=a", "/q?x host=b"}},
		{"kinds of locations", one(`
			location = / { return 200 exact; } location / { return 201 root; } location /a/ { return 202 a; }
			location /a/b { return 203 ab; } location ^~ /final/ { return 205 final; }
			location ~ \.php$ { return 206 php; } location ~* \.(png|gif)$ { return 207 image; }
			location ~ ^/a/b/.*\.PHP$ { return 208 big; } location = /a/b { return 209 exactly; }`),
			[]string{"/", "/x", "/a", "/a/", "/a/x", "/a/b", "/a/bc", "/a/x.php", "/final/x.php", "/x.PNG",
				"/x.php/y",
				"/a/b/x.PHP", "/?x=.php", "/A/"}},
		{"nested locations", one(`
			location /n/ { return 200 outer; location /n/in/ { return 201 inner;
				location ~ \.x$ { return 202 innermost; } }
				location ~ \.x$ { return 203 regular; } location = /n/e { return 205 e; } }
			location ~ \.x$ { return 206 x; } location ~ \.y$ { return 207 y; location ~ a { return 208 ya; } }
			location ^~ /f/ { location ~ \.x$ { return 209 fx; } location /f/g/ { return 210 fg; } return 211 f; }`),
			[]string{"/n/", "/n/in/a", "/n/in/a.x", "/n/a.x", "/n/e", "/a.x", "/b.y", "/a.y", "/f/b.x", "/f/g/b.x",
				"/f/g/b.y", "/f/b.y", "/n/q.y", "/n/in/q.y"}},
		{"no location matches", one(`location /a { return 200; } root <DIR>/www;`), []string{"/b", "/file.txt",
			"/a"}},
		{"targets are decoded", one(`
			location = /a/b { return 200 "$uri|$args|$request_uri"; } location = "/a b" { return 201 "$uri"; }
			location = /%2e { return 202 "$uri"; } location = /a%b { return 203 "$uri"; } location / {
			return 205 "$uri"; }
			location = /a?b { return 206 "$uri"; } location = /a+b { return 207 "$uri"; }`),
			[]string{"/a/b", "/a//b", "/a/./b", "/a/x/../b", "/%61/b", "/a%2Fb", "/a%2f%2fb", "/a/%2e/b",
				"/a/x/%2E%2e/b",
				"/a%20b", "/%252e", "/a%25b", "/a%3Fb", "/a%3Fb?c", "/a+b", "/a%2bb", "/a/b?x=../..", "/a/b/..",
				"/a/b/.",
				"/..", "/a/../..", "/%2e%2e/", "/%zz", "/%", "/%2", "/%00", "/a/b?%zz", "/.../a", "/a/..b",
				"/a/b?a?b",
				"/a/.%2e/b", "/%C3%A9"}},
		{"slashes are not merged", one(`merge_slashes off; location = /a/b { return 200; } location = /a//b {
		return 201; }
			location = /b { return 203; } location / { return 202 $uri; }`),
			[]string{"/a/b", "/a//b", "/a///b", "/a//../b", "//", "/a/../b"}},
		{"merge_slashes is the default server's", `
			server { listen 127.0.0.1:<PORT>; server_name d; merge_slashes off; return 200 $uri; }
			server { listen 127.0.0.1:<PORT>; server_name e; location = /a/b { return 201; } location / {
			return 202; } }`,
			[]string{"/a//b host=e", "/a//b host=d"}},
		{"the slash that is missing", one(`
			location /p/ { proxy_pass http://<A>; } location /s/ { return 200; } location = /e/ {
			proxy_pass http://<A>; }
			location /q { return 201; } location /q/ { proxy_pass http://<A>/; }
			location / { return 202; }`),
			[]string{"/p", "/p?x=1", "/s", "/e", "/q", "/q/", "/p/x", "/p%20"}},
		{"internal", one(`location /i { internal; return 200; } location /i/j { return 201; } location /x {
		rewrite . /i; }
			location /r { rewrite ^/r(.*)$ /i$1 last; }`), []string{"/i", "/i/j", "/x", "/r", "/r/j"}},
		{"what other engines cannot take", one(`location ~ ^/(?!x) { return 200; } location / { return 201; }`),
			[]string{"! /a", "! /x"}},
		{"files with dots", one(`location ~ /\.(?!well-known).* { deny all; } location ~* (?<!x)\.php$ { return 202; }
			location ~ "^/(a(?=[)]b))c" { return 203; } location / { proxy_pass http://<A>; }`),
			[]string{"/cable handshake", "/", "! /.git", "! /.well-known/x", "/a/b", "! /a.php", "/a.phpx", "! /ac"}},
		{"a certificate is asked for", `
			server { listen 127.0.0.1:<PORT> ssl; server_name on; ssl_verify_client on; ssl_client_certificate <CERT>;
				ssl_certificate <CERT>; ssl_certificate_key <CERT>; return 200; error_page 496 /x; location /x {
				return 201; } }
			server { listen 127.0.0.1:<PORT> ssl; server_name optional; ssl_verify_client optional; return 202;
				ssl_client_certificate <CERT>; ssl_certificate <CERT>; ssl_certificate_key <CERT>; }`,
			[]string{"/ host=on tls", "/ host=optional tls", "/ host=on"}},
		{"what nginx does not reach needs no following", one(`location = /a { return 200; } location ^~ /b/ {
		return 201; }
			location ~ ^/(?=c) { return 202; } location / { return 203; }`), []string{"/a", "/b/c", "! /c"}},
		{"odd characters and regular expressions", one(`location ~ ^/a.$ { return 200; } location / { return 201; }`),
			[]string{"/ab", "! /a%C3%A9", "! /a%0a", "/a%20", "/a%7e"}},
	}
}

// rewriting are rows about rewrite, if, set, return and maps.
func rewriting() []row {
	return []row{
		{"rewrite and its flags", one(`
			location /last/ { rewrite ^/last/(.*)$ /new/$1 last; return 500; }
			location /break/ { rewrite ^/break/(.*)$ /new/$1 break; proxy_pass http://<A>; }
			location /plain/ { rewrite ^/plain/(.*)$ /new/$1; rewrite ^/new/(.*)$ /newer/$1; }
			location /both/ { rewrite ^/both/(.*)$ /new/$1; break; proxy_pass http://<B>; }
			location /redirect/ { rewrite ^/redirect/(.*)$ /new/$1 redirect; }
			location /permanent/ { rewrite ^/permanent/(.*)$ https://$host/new/$1 permanent; }
			location /url/ { rewrite ^/url/(.*)$ http://other/$1; }
			location /scheme/ { rewrite ^/scheme/(.*)$ $scheme://other/$1?own; }
			location /new/ { return 200 "$uri|$args"; } location /newer/ { return 201 "$uri|$args"; }
			location /loop/ { rewrite ^/loop/(.*)$ /loop/x$1; } location / { return 202; }
			location /cond/ { rewrite ^/cond/nothing$ /new/; rewrite ^/cond/(a) /new/$1?own=1? last;
			proxy_pass http://<C>; }`),
			[]string{"/last/x?q=1", "/break/x?q=1", "/break/a%20b", "/break/a%2fb?x%20", "/plain/x", "/both/x?y",
				"/redirect/x?y=1", "/redirect/a%20b", "/permanent/x", "/permanent/x?a", "/url/x", "/url/?a",
				"/scheme/a?b", "/loop/", "/cond/a?q", "/cond/b", "/cond/a", "/redirect/a+b%3Fc", "/permanent/%25"}},
		{"the query of a rewrite", one(`
			location /a { rewrite ^/a(.*)$ /to?x=$1 last; } location /b { rewrite ^/b(.*)$ /to?x=$1? last; }
			location /c { rewrite ^/c(.*)$ /to? last; } location /d { rewrite ^/d(.*)$ /to last; }
			location /e { rewrite ^/e(.*)$ /to$1 break; proxy_pass http://<A>; }
			location = /to { proxy_pass http://<A>; }`),
			[]string{"/a1?q=2", "/a1", "/a%20b", "/b1?q=2", "/c?q", "/d?q", "/e?q", "/a%26b?q", "/a+b", "/e%3f?q"}},
		{"grafana's", one(`location /grafana/ { rewrite ^/grafana/(.*) /$1 break; proxy_pass http://<A>;
			proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
			proxy_set_header Host $http_host; }`),
			[]string{"/grafana/api/live/ws handshake", "/grafana/", "/grafana", "/grafana/a%20b?c=d"}},
		{"set and its groups", one(`
			set $kind none; if ($request_uri ~* ^/(a)(b)?) { set $kind "$1$2"; }
			location / { return 200 "$kind|$1"; } location ~ ^/x/(.*)$ { set $y $1; return 200 "$y|$1"; }
			location ~ ^/z/(?<name>[^/]+)/(.*)$ { return 200 "$name|$2"; }`),
			[]string{"/", "/a", "/ab", "/x/1", "/x/a%20b", "/x/a+b", "/z/n/rest", "/z/n%20/x"}},
		{"if at the server", one(`
			if ($host = bad) { return 403; } if ($http_upgrade != websocket) { set $plain 1; }
			if ($request_method !~ ^(GET|HEAD)$) { return 405; } if ($args ~ stop) { rewrite ^ /stopped last; }
			location /stopped { return 200 "$plain"; } location / { return 201 "$plain"; }`),
			[]string{"/ host=bad", "/ host=good", "/ handshake", "POST /", "/?stop", "DELETE /x"}},
		{"if in a location", one(`
			location /a { set $x 0; if ($http_x) { set $x $http_x; } proxy_pass http://<A>; proxy_set_header X-X $x; }
			location /b { if ($http_x = b) { proxy_pass http://<B>; } if ($http_x = c) { return 403; }
			proxy_pass http://<A>; }
			location /c { if ($http_x = f) { return 200 f; } if ($http_x !~* ^f) { rewrite ^/c(.*) /a$1 break; }
				proxy_pass http://<C>; }
			location /d { root <DIR>/www; if (-f <DIR>/www/file.txt) { return 200 there; } return 201; }
			location /e { if (!-f $document_root/none) { return 202; } } location /f { if (-d <DIR>/www) {
			return 203; } }
			location /g { if (-e <DIR>/none) { return 205; } return 206; }
			location /h { if ($http_x) { set $q 1; } try_files /none @h; } location @h { proxy_pass http://<B>; }`),
			[]string{"/a", "/a X:1", "/a X:0", "/b", "/b X:b", "/b X:c", "/c", "/c X:f", "/c/d X:foo", "/c/d X:g",
				"/d",
				"/e", "/f", "/g", "/h", "/h X:1"}},
		{"conditions that only nginx knows", one(`location /a { if ($ssl_client_verify != SUCCESS) { return 403; }
		return 200; }
			location /b { if ($msec) { return 403; } return 200; } location /c { if ($limit_rate) { return 201; }
			return 202; }`),
			[]string{"/a", "! /b", "? /c"}},
		{"return", one(`
			location /200 { return 200; } location /text { return 200 "a $uri"; } location /404 { return 404; }
			location /404t { return 404 text; } location /url { return https://$host$request_uri; }
			location /301 { return 301 /x$is_args$args; } location /302 { return 302 $scheme://$host:8080$uri; }
			location /444 { return 444; } location /307 { return 307 https://$server_name$request_uri; }
			location /308 { return 308 /y; } location /204 { return 204; } location /500 { return 500; }
			location /426 { return 426 "use websockets"; } location /303 { return 303 ""; } location /599 {
			return 599; }
			location /unknown { return 302 https://$request_id/; } location /300 { return 300; }`),
			[]string{"/200", "/text", "/404", "/404t", "/url?a=b", "/301?q=1", "/301", "/302/a%20b", "/444",
				"/307/x?y",
				"/308", "/204", "/500", "/426", "/599", "/unknown", "/300"}},
		{"who referred here", one(`server_name www.example.com; valid_referers none *.example.org;
			location /ws { if ($invalid_referer) { return 403; } return 200; }
			location /b { valid_referers blocked server_names example.net; if ($invalid_referer) { return 403; }
			return 201; }
			location /e { valid_referers ~x; if ($invalid_referer) { return 403; } return 202; }`),
			[]string{"/ws", "/ws Referer:http://a.example.org/x", "/ws Referer:https://A.Example.org:8/",
				"/ws Referer:x",
				"/ws Referer:http://example.org/", "/b", "/b Referer:nonsense", "/b Referer:http://www.example.com/",
				"/b Referer:http://example.net", "/b Referer:http://x.example.net", "/b Referer:http://a", "! /e"}},
		{"return at the server", one(`return 301 https://$host$request_uri; location / { proxy_pass http://<A>; }`),
			[]string{"/a?b", "/ host=Other:99", "/ handshake"}},
		{"redirects with a path", one(`server_name primary.example.com; location /a { return 301 /b; }
			location /c { server_name_in_redirect on; return 302 /d; } location /e { port_in_redirect off;
			return 302 /f; }
			location /g { absolute_redirect off; return 302 /h; } location /i { return 302 i; }`),
			[]string{"/a", "/c", "/e", "/g", "/i", "/a host=X:1"}},
		{"maps", `
			map $http_upgrade $connection_upgrade { default upgrade; '' close; }
			map $http_x $first { default d; a 1; "~^b(.*)$" "b$1"; ~*^C 3; "" empty; \default esc; B plain;
			"\~x" tilde; }
			map $host $hosts { hostnames; default none; example.com exact; *.example.com wild; .example.org dot;
			mail.* tail; }
			map $first $second { 1 one; default "$http_x-$first"; }
			map "$http_x:$args" $joined { "a:b" both; default neither; }
			map $uri $path { default other; ~^/p/(?<part>.+)$ $part; }
			map $msec $clock { default x; }` + one(`
			location / { return 200 "$first|$second|$hosts|$joined"; }
			location /c { proxy_pass http://<A>; proxy_set_header Connection $connection_upgrade;
				proxy_set_header X-Second $second; }
			location /p/ { return 201 "$path"; } location /clock { if ($clock = x) { return 202; } return 203; }`),
			[]string{"/", "/ X:a", "/ X:A", "/ X:bcd", "/ X:b", "/ X:cC", "/ X:default", "/ X:zz", "/ X:~x",
				"/?b X:a",
				"/ host=a.example.com", "/ host=example.org", "/ host=a.example.org", "/ host=mail.x", "/ host=x",
				"/c", "/c handshake", "/c X:a Upgrade:", "/p/a/b", "! /clock"}},
		{"a map in two places: the later one", `
			map $http_upgrade $c { default first; } map $http_upgrade $c { default second; websocket third; }` +
			one(`location / { proxy_pass http://<A>; proxy_set_header Connection $c; }`),
			[]string{"/", "/ handshake"}},
		{"a map and a set of one name", `map $http_x $v { default mapped; } ` + one(`
			location / { return 200 $v; } location /s { set $v set; return 200 $v; }
			location /t { if ($http_x) { set $v t; } return 200 $v; }`), []string{"/", "/s", "/t", "/t X:1"}},
		{"a map is asked once", `map $uri $what { /a A; /b B; default other; }` + one(`
			location /a { if ($what = A) { rewrite ^ /b last; } } location /b { return 200 $what; }
			location /c { rewrite ^ /b last; }`), []string{"/a", "/b", "/c"}},
		{"volatile maps are not", `map $uri $what { volatile; /a A; /b B; default other; }` + one(`
			location /a { if ($what = A) { rewrite ^ /b last; } } location /b { return 200 $what;
			}`), []string{"/a", "/b"}},
		{"variables", one(`location / {
		return 200 "$uri $document_uri $request_uri $args $query_string $is_args $scheme
			$request_method $server_port $server_addr $remote_addr $server_name $host $http_host $arg_a $arg_B $https
			$server_protocol $content_length $http_x_y $remote_user $cookie_a $request_filename $document_root
			$proxy_add_x_forwarded_for"; root <DIR>/www; }`),
			[]string{"/a%20b?A=1&b=2 X-Y:z", "/ X-Forwarded-For:1.2.3.4", "/x? host=HOST:1"}},
		{"ten turns", one(`location ~ ^/(\d)$ { rewrite ^/0$ /1 last; rewrite ^/1$ /2 last; rewrite ^/2$ /3 last;
			rewrite ^/3$ /4 last; rewrite ^/4$ /5 last; rewrite ^/5$ /6 last; rewrite ^/6$ /7 last;
			rewrite ^/7$ /8 last;
			rewrite ^/8$ /9 last; rewrite ^/9$ /a last; } location /a { return 200 a; }`), []string{"/0", "/1",
			"/9", "/5"}},
		{"break at the server", one(`if ($http_x) { rewrite ^/a /b; break; } rewrite ^/c /d; rewrite ^/e /f break;
			location /a { return 200; } location /b { return 201; } location /c { return 202; } location /d {
			return 203; }
			location /f { proxy_pass http://<A>; } location / { return 205; }`),
			[]string{"/a", "/a X:1", "/c", "/c X:1", "/e", "/e?q"}},
		{"set of nginx's own variables", one(`location /a { set $args x=1; proxy_pass http://<A>/y; }
			location /keep { set $args x=1; proxy_pass http://<A>; }
			location /b { set $http_x new; return 200 $http_x; } location /c { return 200 $http_x; }`),
			[]string{"/a?q", "/keep?q", "/keep%20", "/b X:old", "/c X:old", "/c"}},
		{"names of variables have no case", one(`location / { set $Some x; return 200 "$some ${SOME}y $Http_X"; }`),
			[]string{"/ X:1"}},
	}
}
