//go:build diagnosis

package diagnosis

import "strings"

func configRows() []row {
	const invalid = "nginx-config-invalid"
	well := serves(passes(headers))
	rows := []row{
		{situation: "a map inside server", site: serves(strings.TrimSuffix(mapped, "\n"), passes(headers)),
			want:  invalid,
			cause: "map", says: siteFile, edit: sed("/^    map/,/^}/d")},
		{situation: "a brace is missing", site: strings.TrimSuffix(well, "}\n"), want: invalid, cause: "brace",
			says: siteFile, edit: "echo '}' >>" + siteFile},
		{situation: "a semicolon is missing", site: strings.Replace(well, "listen 80;", "listen 80", 1), want: invalid,
			cause: siteFile, says: siteFile, edit: sed("s/listen 80$/&;/")},
		{situation: "a directive is misspelt", site: strings.Replace(well, "proxy_http_version", "proxy_http_verison",
			1),
			want: invalid, cause: "misspelt", says: siteFile, edit: sed("s/verison/version/")},
		{situation: "typographic quotes", site: serves(passes(http11+upgrade,
			"proxy_set_header Connection “upgrade”;")), want: "upgrade-header-missing", cause: "Connection",
			says: "replace", edit: sed("s/Connection .*/Connection \"upgrade\";/")},
		{situation: "proxy_set_header in the wrong place", site: headers + "\n" + serves(passes())},
		{situation: "the file does not end in .conf", site: "", files: map[string]string{"/etc/nginx/conf.d/ws": well},
			want: "shadowed-default-server", noMend: true},
		{situation: "the site is in sites-enabled, which EPEL's nginx.conf does not read", site: "",
			files: map[string]string{"/etc/nginx/sites-enabled/ws.conf": well}, want: "shadowed-default-server",
			noMend: true},
		{situation: "the names are too long for the hash", site: strings.Replace(well, "ws.example.com",
			strings.Repeat("a", 60)+".example.com ws.example.com", 1), want: invalid,
			says: "server_names_hash_bucket_size",
			edit: "sed -i 's/^http {/& server_names_hash_bucket_size 128;/' /etc/nginx/nginx.conf"},
	}
	return of("nginx's configuration", rows)
}
