//go:build diagnosis

package diagnosis

import "strings"

// What nginx -t refuses, in the ways that people come to.
func mistakeRows() []row {
	const invalid = "nginx-config-invalid"
	well := serves(passes(headers))
	alter := func(old, by string) string { return strings.Replace(well, old, by, 1) }
	rows := []row{
		{situation: "two default servers", site: alter("listen 80", "listen 80 default_server"),
			files: map[string]string{"/etc/nginx/conf.d/zz.conf": "server { listen 80 default_server; return 404; }\n"},
			want:  invalid, cause: "duplicate default server", says: "zz.conf",
			edit: "sed -i 's/ default_server//' /etc/nginx/conf.d/zz.conf"},
		{situation: "a value is missing", site: alter(`Connection "upgrade"`, "Connection"), want: invalid,
			cause: "invalid number of arguments", says: siteFile, edit: sed("s/Connection;/Connection \"upgrade\";/")},
		{situation: "a path behind proxy_pass in a regular expression",
			site: alter("location /ws/ {\n        proxy_pass http://127.0.0.1:3000", "location ~ ^/ws/ {\n"+
				"        proxy_pass http://127.0.0.1:3000/"), want: invalid, cause: "regular expression",
			says: siteFile,
			edit: sed("s,3000/;,3000;,")},
		{situation: "http:// is missing", site: alter("http://127.0.0.1:3000", "127.0.0.1:3000"), want: invalid,
			cause: "invalid URL prefix", says: siteFile, edit: sed("s,proxy_pass ,&http://,")},
		{situation: "ws:// in proxy_pass", site: alter("http://127.0.0.1:3000", "ws://127.0.0.1:3000"), want: invalid,
			cause: "invalid URL prefix & http://", says: siteFile, edit: sed("s,ws://,http://,")},
		{situation: "two groups with one name", site: group("server 127.0.0.1:3000;") +
			group("server 127.0.0.1:3000;") +
			well, want: invalid, cause: "duplicate upstream", says: siteFile, edit: sed("1,3d")},
		{situation: "a location outside of a server", site: passes(headers) + "\n" + well, want: invalid,
			cause: "not allowed here", says: siteFile, edit: sed("1,4d")},
		{situation: "a server inside a server", site: strings.Replace(well, "listen 80;", "listen 80;\n server { }", 1),
			want: invalid, cause: "not allowed here", says: siteFile, edit: sed("/server { }/d")},
		{situation: "a group inside a server", site: alter("listen 80;", "listen 80;\n upstream b { server "+
			"127.0.0.1:3000; }"), want: invalid, cause: "not allowed here", says: siteFile, edit: sed("/upstream b/d")},
		{situation: "a byte order mark", site: "\ufeff" + well, want: invalid, cause: "byte order mark", says: siteFile,
			not: "misspelt", edit: sed(`1s/^\xef\xbb\xbf//`)},
		{situation: "a blank that is none", site: alter("proxy_http_version 1.1", "proxy_http_version\u00a01.1"),
			want: invalid, cause: "no-break space", says: siteFile, not: "misspelt", edit: sed(`s/\xc2\xa0/ /g`)},
		{situation: "lines as Windows ends them", site: strings.ReplaceAll(well, "\n", "\r\n")},
		{situation: "limit_req with a zone that nobody has", site: serves("limit_req zone=one;", passes(headers)),
			want: invalid, cause: "zone", edit: sed("/limit_req/d")},
		{situation: "a module that is not loaded", site: serves("more_set_headers 'Server: none';", passes(headers)),
			want: invalid, cause: "not loaded", says: siteFile, edit: sed("/more_set_headers/d")},
		{situation: "a directive twice", site: serves(passes(headers, "proxy_http_version 1.1;")), want: invalid,
			cause: "duplicate", says: siteFile, edit: sed("0,/proxy_http_version 1.1;/s///")},
		{situation: "an include that is not there", site: serves("include /etc/nginx/none.inc;", passes(headers)),
			want: invalid, cause: "/etc/nginx/none.inc", edit: sed("/none.inc/d")},
		{situation: "a comment takes the end of the line", site: alter(connection, `# `+connection),
			want:  "upgrade-header-missing",
			cause: "Connection", edit: insert(connection)},
		{situation: "an address that is none of this host's", site: alter("listen 80", "listen 192.0.2.9:80"),
			want: "shadowed-default-server", says: "listen 80;", not: "put a server block",
			edit: sed("s/listen 192.0.2.9:80/listen 80/")},
		{situation: "the mistake came after nginx was started, and the headers are missing",
			site:  serves(passes(http11)),
			after: "sleep 2.2; echo '}' >>" + siteFile, want: invalid,
			noMend: true},
	}
	return of("What nginx -t refuses", rows)
}
