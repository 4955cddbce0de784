//go:build diagnosis

package diagnosis

import "strings"

// The agent's own file beside what others have written, limits under load, and nginx behind nginx.
func otherRows() []row {
	const limited, fallen, denied = "limited-by-nginx", "shadowed-default-server",
		"forbidden-by-nginx"
	mine := rendered()
	own := func(text string) map[string]string { return map[string]string{oursFile: text} }
	http := func(line string) string { return "sed -i 's|^http {|& " + line + "|' /etc/nginx/nginx.conf" }
	drop := func(line string) string { return "sed -i 's/" + line + "//' /etc/nginx/nginx.conf" }
	well := serves(passes(headers))
	edge := strings.Replace(well, "ws.example.com", "edge.example.com", 1)
	edgeURL := "--url ws://edge.example.com/ws/ --timeout 3s"
	edgeHosts := "127.0.0.1 localhost ws.example.com edge.example.com\n"
	rows := []row{
		{situation: "ours, and http wants a password", files: merge(own(mine), "/etc/nginx/passwd", "a:b\n"),
			before: http("auth_basic staff; auth_basic_user_file /etc/nginx/passwd;"), verify: theSite,
			want: "password-wanted-by-nginx", cause: "/etc/nginx/nginx.conf", not: "wsprovision apply",
			edit: drop("auth_basic staff;")},
		{situation: "ours, and http denies all", files: own(mine), before: http("deny all;"), verify: theSite,
			want: denied, cause: "/etc/nginx/nginx.conf", says: "/etc/nginx/nginx.conf", edit: drop("deny all;")},
		{situation: "ours, and http has a short proxy_read_timeout", files: own(mine),
			before: http("proxy_read_timeout 1s;"), verify: theSite + " --idle 2s"},
		{situation: "ours, with a short proxy_read_timeout written into it", verify: theSite + " --idle 2s",
			files: own(mine), before: "sed -i 's/proxy_read_timeout [^;]*;/proxy_read_timeout 1s;/' " + oursFile,
			want: "proxy-read-timeout", cause: "1s", says: "wsprovision apply"},
		{situation: "ours, and a later file has the name too", files: merge(own(mine), "/etc/nginx/conf.d/zz.conf",
			serves("return 404;")), verify: theSite},
		{situation: "ours, and an administrator's return before the locations", verify: theSite,
			files: own(strings.Replace(
				mine, "    listen 80;\n", "    listen 80;\n    return 503;\n", 1)), want: "answered-by-nginx",
			cause: "return 503", says: "return 503", not: "wsprovision apply",
			edit: "sed -i '/return 503/d' " + oursFile},
		{situation: "ours, and the backend's port in it is another's", verify: theSite, files: own(strings.Replace(mine,
			"127.0.0.1:3000", "127.0.0.1:3009", 1)), want: "backend-not-running", cause: "127.0.0.1:3009",
			proof: "the configuration has 127.0.0.1:3000", noMend: true},
		{situation: "a limit of requests under load", site: "limit_req_zone $server_name zone=one:1m rate=50r/s;\n" +
			serves(passes("limit_req zone=one burst=20 nodelay;", headers)), verify: theURL + " --count 120 " +
			"--concurrency 40", want: limited, cause: "limit_req", not: "systemctl restart & worker_connections",
			edit: sed("/limit_req zone/d")},
		{situation: "an outer block passes on without Host, and the default server answers", verify: edgeURL,
			before: "sed -i 's/listen 80;/listen 80 default_server;/' /etc/nginx/nginx.conf",
			hosts:  edgeHosts, site: well + strings.Replace(serves(location("/ws/", "http://127.0.0.1:80",
				http11+upgrade+connection)), "ws.example.com", "edge.example.com", 1), want: fallen, cause: "127.0.0.1",
			proof: "passed to 127.0.0.1:80", edit: sed("s/127.0.0.1:80;/& proxy_set_header Host ws.example.com;/")},
		{situation: "an outer block passes to a socket of nginx's, whose block has no headers", verify: edgeURL,
			hosts: edgeHosts, site: strings.Replace(serves(passes(http11)), "listen 80", "listen unix:/run/in.sock",
				1) +
				strings.Replace(edge, "http://127.0.0.1:3000", "http://unix:/run/in.sock", 1),
			after: "chmod 666 /run/in.sock", want: none, proof: "nginx itself listens on unix:/run/in.sock",
			not: "the backend unix:/run/in.sock itself"},
		{situation: "the server of the group has no port, and is nginx itself",
			site: "upstream b { server 127.0.0.1; }\n" +
				serves(location("/ws/", "http://b", headers)), want: "answered-by-nginx", cause: "itself",
			edit: sed("s/server 127.0.0.1;/server 127.0.0.1:3000;/")},
		{situation: "proxy_read_timeout is nought", site: serves(passes("proxy_read_timeout 0;", headers)),
			want: "proxy-read-timeout", cause: "proxy_read_timeout is 0s", says: "24h",
			edit: sed("s/proxy_read_timeout 0/proxy_read_timeout 24h/")},
		{situation: "nginx logs into a file of the server block, and the backend is down", backends: []backend{},
			site: serves("error_log /srv/ws.log;", passes(headers)), want: "backend-not-running",
			proof: "(111: Connection refused)", noMend: true},
		{situation: "nginx logs to syslog, and the backend is down", backends: []backend{},
			site: serves("error_log syslog:server=unix:/run/none;", passes(headers)), want: "backend-not-running",
			noMend: true},
		{situation: "proxy_set_header in an if",
			site: serves("if ($http_upgrade) { proxy_set_header Connection upgrade; }",
				passes(http11+upgrade)), want: "nginx-config-invalid", cause: "not allowed here",
			edit: sed("4d") + " && " + insert(connection)},
		{situation: "an if of the location passes on, and the fields are beside it",
			site: serves("location /ws/ { " + headers +
				" if ($http_upgrade) { proxy_pass http://127.0.0.1:3000; } return 404; }"), want: "answered-by-nginx",
			cause: "return 404", says: "return 404", edit: sed("s/return 404;//")},
		{situation: "ip_hash, and one server of two is down", site: group("ip_hash; server 127.0.0.1:3001; "+
			"server 127.0.0.1:3000;") + serves(location("/ws/", "http://b", headers))},
		{situation: "a group with a backup server only", site: group("server 127.0.0.1:3000 backup;") +
			serves(location("/ws/", "http://b", headers)), want: "nginx-config-invalid", cause: "no servers",
			edit: sed("s/ backup//")},
		{situation: "the site listens on the one address, and others have the port", site: strings.Replace(well,
			"listen 80", "listen 127.0.0.1:80", 1)},
		{situation: "another program has the port of IPv6 alone", site: strings.Replace(well, "listen 80",
			"listen 8080", 1), hosts: "::1 ws.example.com\n127.0.0.1 localhost\n",
			backends: []backend{{at: "127.0.0.1:3000", serves: echo}, {at: "[::1]:8080", serves: answering(404)}},
			verify:   "--url ws://ws.example.com:8080/ws/ --timeout 3s", want: "listener-missing",
			cause: "[::1]:8080", not: "bind fails", noMend: true},
	}
	return of("Beside others", rows)
}
