package route

// ws is what every guide has for a WebSocket.
const ws = `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
	proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr; proxy_read_timeout 86400;
	proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;`

// usual are configurations of the kinds that people have in front of their applications. Their WebSockets are followed.
func usual() []row {
	return []row{
		{"a cloud for files, with PHP beside", `map $arg_v $asset { "" ""; default "immutable"; }` + one(`
			root <DIR>/www; index index.php index.html /index.php$request_uri; client_max_body_size 512M; gzip on;
			gzip_types text/css; add_header X-Robots-Tag "noindex" always; fastcgi_hide_header X-Powered-By;
			charset utf-8;
			location = /robots.txt { allow all; log_not_found off; access_log off; }
			location ^~ /.well-known { location = /.well-known/carddav { return 301 /remote.php/dav/; }
				location /.well-known/acme-challenge { try_files $uri $uri/ =404; }
				return 301 /index.php$request_uri; }
			location ~ ^/(?:build|tests|config|lib|3rdparty|templates|data)(?:$|/) { return 404; }
			location ~ ^/(?:\.|autotest|occ|issue|indie|db_|console) { return 404; }
			location ~ \.php(?:$|/) { rewrite ^/(?!index|remote|public|cron|status|ocs\/v[12]) /index.php$request_uri;
				fastcgi_split_path_info ^(.+?\.php)(/.*)$; set $path_info $fastcgi_path_info;
				try_files $fastcgi_script_name =404;
				fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass <DEAD>;
				fastcgi_intercept_errors on; fastcgi_request_buffering off; }
			location ~ \.(?:css|js|mjs|svg|gif|png|jpg|ico|wasm|map|ogg|flac)$ {
			try_files $uri /index.php$request_uri;
				add_header Cache-Control "public, max-age=15778463, $asset"; access_log off; expires 6M; }
			location ~ \.woff2?$ { try_files $uri /index.php$request_uri; expires 7d; }
			location /remote { return 301 /remote.php$request_uri; } location ^~ /push/ { proxy_pass http://<A>/;
			`+ws+` }
			location / { if ($http_user_agent ~ ^DavClnt) { return 302 /remote.php/webdav/$is_args$args; }
				try_files $uri $uri/ /index.php$request_uri; }`),
			[]string{"/push/ws handshake", "/push/test/cookie", "/robots.txt", "/.well-known/carddav", "/config/x",
				"/.htaccess", "/file.txt", "! /none.css", "/remote", "! /index.php", "/ User-Agent:DavClnt/1"}},
		{"files with dots are closed", one(`root <DIR>/www; location ~ /\.(?!well-known).* { deny all; }
			location ~* \.(jpg|jpeg|gif|png|css|js|ico|woff2?|svg)$ { expires 30d; log_not_found off;
			try_files $uri @app; }
			location / { try_files $uri @app; } location @app { proxy_pass http://<A>; ` + ws + ` }`),
			[]string{"/cable handshake", "/none.png", "/file.txt", "! /.git/config"}},
		{"a chat: one location of several, by a regular expression", `upstream chat { server <A>; keepalive 32;
		}` + one(`
			location ~ /api/v[0-9]+/(users/)?websocket$ { client_max_body_size 50M; `+ws+`
				proxy_set_header X-Frame-Options SAMEORIGIN; proxy_buffers 256 16k; proxy_buffer_size 16k;
				client_body_timeout 60s; send_timeout 300s; lingering_timeout 5s; proxy_connect_timeout 90s;
				proxy_pass http://chat; }
			location / { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
				proxy_pass http://chat; }`),
			[]string{"/api/v4/websocket handshake", "/api/v4/users/websocket handshake",
				"/api/v4/websocketx handshake", "/"}},
		{"dashboards below a path", `map $http_upgrade $connection_upgrade { default upgrade; '' close; }
			upstream grafana { server <A>; }` + one(`root <DIR>/www; index index.html;
			location /grafana/ { proxy_set_header Host $http_host; proxy_pass http://grafana;
			rewrite ^/grafana/(.*) /$1 break; }
			location /grafana/api/live/ { rewrite ^/grafana/(.*) /$1 break; proxy_http_version 1.1;
				proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
				proxy_set_header Host $http_host; proxy_pass http://grafana; }`),
			[]string{"/grafana/api/live/ws handshake", "/grafana/api/live/ws?x=a%20b handshake", "/grafana/d/x",
				"/grafana", "/"}},
		{"notebooks, with a regular expression for their channels", one(`
			location / { proxy_pass http://<A>; proxy_set_header Host $host; }
			location ~* /(api/kernels/[^/]+/(channels|iopub|shell|stdin)|terminals/websocket)/? {
			proxy_pass http://<A>; ` + ws + ` }`),
			[]string{"/api/kernels/a-b/channels?session_id=1 handshake", "/terminals/websocket/1 handshake", "/tree",
				"/API/kernels/x/CHANNELS handshake"}},
		{"socket.io below a site of files", one(`root <DIR>/www; index index.html;
			location / { try_files $uri $uri/ /index.html; } location /socket.io/ {
			proxy_pass http://<A>/socket.io/; ` + ws + ` }
			location = /socket.io { return 301 /socket.io/; }`),
			[]string{"/socket.io/?EIO=4&transport=websocket handshake", "/socket.io?EIO=4 handshake", "/app/route",
				"/sub"}},
		{"a screen in the browser", one(`location /websockify { proxy_pass http://<A>/;
		` + ws + ` proxy_buffering off; }
			location /vnc/ { alias <DIR>/www/; index index.html; } location /guac/ { proxy_pass http://<B>/guac/;
			` + ws + `
				proxy_cookie_path /guac/ /; access_log off; }`),
			[]string{"/websockify handshake", "/vnc/", "/vnc/file.txt",
				"/guac/websocket-tunnel?token=a%2Fb handshake"}},
		{"a build server", one(`location ~ "^/static/[0-9a-fA-F]{8}\/(.*)$" {
		rewrite "^/static/[0-9a-fA-F]{8}\/(.*)" /$1 last; }
			ignore_invalid_headers off; location /userContent { root <DIR>/www; if (!-f $request_filename) {
				rewrite (.*) /$1 last; break; } sendfile on; }
			location / { sendfile off; proxy_pass http://<A>; proxy_redirect default;
			` + ws + ` proxy_max_temp_file_size 0;
				proxy_request_buffering off; }`),
			[]string{"/wsecho/ handshake", "/static/0123abcd/css/x", "/userContent/none"}},
		{"HTTPS for all but the challenge", `
			server { listen 127.0.0.1:<PORT>; server_name example.com www.example.com;
				location ^~ /.well-known/acme-challenge/ { root <DIR>/www; default_type text/plain; }
				location / { return 301 https://$host$request_uri; } }
			server { listen 127.0.0.1:<TLSPORT> ssl http2; server_name www.example.com; ssl_certificate <CERT>;
				ssl_certificate_key <CERT>; return 301 https://example.com$request_uri; }
			server { listen 127.0.0.1:<TLSPORT> ssl http2; server_name example.com; ssl_certificate <CERT>;
				ssl_certificate_key <CERT>; ssl_session_cache shared:a:1m;
				add_header Strict-Transport-Security max-age=1 always;
				location /ws { proxy_pass http://<A>; ` + ws + ` } }`,
			[]string{"/ws handshake", "/ws?a=b handshake host=www.example.com", "/.well-known/acme-challenge/x",
				"/ws tls handshake to=127.0.0.1:<TLSPORT>",
				"/ws tls handshake host=www.example.com to=127.0.0.1:<TLSPORT>",
				"/x tls to=127.0.0.1:<TLSPORT>", "/ws handshake to=127.0.0.1:<TLSPORT>"}},
		{"as certbot leaves it", `server { listen 127.0.0.1:<PORT>; server_name example.com;
				if ($host = example.com) { return 301 https://$host$request_uri; } return 404; }
			server { server_name example.com; location / { proxy_pass http://<A>; ` + ws + ` }
				listen 127.0.0.1:<TLSPORT> ssl; ssl_certificate <CERT>; ssl_certificate_key <CERT>; }`,
			[]string{"/ws handshake", "/ws handshake host=other", "/ws tls handshake to=127.0.0.1:<TLSPORT>"}},
		{"origins by a map, and bots", `map $http_origin $bad_origin { default 1; "" 0;
		~^https?://(www\.)?example\.com$ 0; }
			map $http_user_agent $bot { default 0; ~*(curl|bot|spider) 1; }` + one(`
			if ($bot) { return 403; } location /ws { if ($bad_origin) { return 403; } proxy_pass http://<A>;
			`+ws+` }`),
			[]string{"/ws handshake", "/ws handshake Origin:https://www.example.com",
				"/ws handshake Origin:https://evil.example",
				"/ws handshake User-Agent:curl/8", "/ws handshake Origin:HTTPS://example.com"}},
		{"tenants by their names", `map $host $tenant { hostnames; default <DEAD>; a.example.com <A>;
		*.b.example.com <B>; }
			server { listen 127.0.0.1:<PORT>; server_name ~^(?<sub>.+)\.c\.example\.com$; location / {
				proxy_pass http://<C>/$sub$request_uri; ` + ws + ` } }
			server { listen 127.0.0.1:<PORT>; server_name .example.com; location / { proxy_pass http://$tenant;
			` + ws + ` } }`,
			[]string{"/ws handshake host=a.example.com", "/ws handshake host=x.b.example.com",
				"/ws handshake host=z.example.com",
				"/ws?q=1 handshake host=one.c.example.com"}},
		{"a page while it is mended", one(`root <DIR>/www; error_page 503 @maintenance; set $maintenance 0;
			if (-f $document_root/none.html) { set $maintenance 1; } if ($remote_addr = 127.0.0.9) {
			set $maintenance 0; }
			if ($maintenance) { return 503; } location @maintenance { rewrite ^(.*)$ /file.html break; }
			location / { proxy_pass http://<A>; ` + ws + ` } location /down { return 503; }`),
			[]string{"/ws handshake", "/down handshake"}},
		{"who may see it", one(`auth_basic "Restricted"; auth_basic_user_file <DIR>/passwords; satisfy any;
		allow 10.0.0.0/8; deny all;
			location /ws { proxy_pass http://<A>; ` + ws + ` } location /open { auth_basic off; allow all;
			proxy_pass http://<A>; }
			location /local { satisfy all; auth_basic off; allow 127.0.0.1; deny all; proxy_pass http://<A>;
			` + ws + ` }`),
			[]string{"/ws handshake", "/open handshake", "/local handshake"}},
		{"who may see it, by another program", one(`location /ws { auth_request /validate; error_page 401 = @login;
				auth_request_set $user $upstream_http_x_user; proxy_set_header X-User $user; proxy_pass http://<A>; }
			location = /validate { internal; proxy_pass http://<B>/?status=401; proxy_pass_request_body off;
				proxy_set_header Content-Length ""; proxy_set_header X-Original-URI $request_uri; }
			location @login { return 302 https://login.example.com/?rd=$scheme://$http_host$request_uri; }`),
			[]string{"/ws?a=b handshake"}},
	}
}
