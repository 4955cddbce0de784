//go:build diagnosis

package diagnosis

import "strings"

// Which server block, and by which address.
func nameRows() []row {
	const fallen, missing, noListener = "shadowed-default-server", "upgrade-header-missing", "listener-missing"
	well := serves(passes(headers))
	named := func(names string) string { return strings.Replace(well, "ws.example.com", names, 1) }
	at := func(listen string) string { return strings.Replace(well, "listen 80", "listen "+listen, 1) }
	const default80 = "sed -i 's/listen 80;/listen 80 default_server;/' /etc/nginx/nginx.conf"
	twice := withTLS(well)
	twice[siteFile] = strings.Replace(secure(well), "ws.example.com;", "ws.exampel.com;", 1)
	other := (*authority)(nil).sign("other.example.com", false, farOff)
	rejecting := withTLS(well)
	rejecting[siteFile] = twice[siteFile]
	rejecting["/etc/nginx/conf.d/zz.conf"] = "server { listen 443 ssl default_server; ssl_reject_handshake on; }\n"
	rows := []row{
		{situation: "a name by a regular expression", site: named(`~^(?<sub>\w+)\.example\.com$`)},
		{situation: "a regular expression that does not match", site: named(`~^(?<sub>\d+)\.example\.com$`),
			before: default80, want: fallen, edit: sed("s/\\\\d/\\\\w/")},
		{situation: "a name with a dot before it", site: named(".example.com")},
		{situation: "a wildcard at the end", site: named("ws.example.*")},
		{situation: "a wildcard does not take two labels less", site: named("*.ws.example.com"), before: default80,
			want: fallen, edit: sed("s/[*].ws/.ws/")},
		{situation: "capitals in the name", site: named("WS.Example.COM")},
		{situation: "the port in the name", site: named("ws.example.com:80"), before: default80, want: fallen,
			edit: sed("s/com:80/com/")},
		{situation: "http:// in the name", site: named("http://ws.example.com"), before: default80, want: fallen,
			edit: sed("s,http://ws,ws,")},
		{situation: "a comma between names", site: named("ws.example.com, www.example.com"), before: default80,
			want: fallen, edit: sed("s/com,/com/")},
		{situation: "an older file of the site comes first, with other headers", site: well,
			files: map[string]string{"/etc/nginx/conf.d/old.conf": serves(passes(http11))}, want: missing,
			proof: "old.conf", edit: "rm /etc/nginx/conf.d/old.conf"},
		{situation: "a block for the very address goes before all names", site: well,
			files: map[string]string{"/etc/nginx/conf.d/aaa.conf": "server { listen 127.0.0.1:80; return 404; }\n"},
			want:  fallen, edit: "rm /etc/nginx/conf.d/aaa.conf", says: "aaa.conf"},
		{situation: "IPv6 by its own block, which has no headers", hosts: "::1 ws.example.com\n",
			site: at("80") + strings.Replace(serves(passes(http11)), "listen 80", "listen [::]:80", 1), want: missing,
			edit: sed("s/proxy_http_version 1.1; *$/& " + upgrade + connection + "/")},
		{situation: "IPv6 falls to EPEL's default server, for the site listens on IPv4", hosts: "::1 ws.example.com\n",
			site: well, want: fallen, cause: "[::1]:80", says: "listen [::]:80;",
			edit: sed("s/listen 80;/& listen [::]:80;/")},
		{situation: "a listener for both families", site: at("[::]:8080 ipv6only=off"),
			verify: "--url ws://ws.example.com:8080/ws/"},
		{situation: "a listener by a name", site: at("localhost:8080"), verify: "--url ws://ws.example.com:8080/ws/"},
		{situation: "a listener by a name, and the URL has another address", site: at("localhost:8080"),
			before: "ip addr add 192.0.2.1/32 dev lo", hosts: "127.0.0.1 localhost\n192.0.2.1 ws.example.com\n",
			verify: "--url ws://ws.example.com:8080/ws/", want: noListener, cause: "192.0.2.1:8080", noMend: true,
			edit: sed("s/localhost:8080/8080/") + " && nginx -t && systemctl restart nginx"},
		{situation: "the address of a listener was widened, which a reload cannot do", site: at("127.0.0.1:8080"),
			before: "ip addr add 192.0.2.1/32 dev lo", hosts: "127.0.0.1 localhost\n192.0.2.1 ws.example.com\n",
			after:  "sleep 2.2; " + sed("s/127.0.0.1:8080/8080/") + "; systemctl reload nginx",
			verify: "--url ws://ws.example.com:8080/ws/", want: "nginx-older-configuration",
			says: "systemctl restart nginx", cause: "127.0.0.1:8080"},
		{situation: "a listener of the file system only", site: at("unix:/run/site.sock"), before: default80,
			want:  fallen,
			cause: "ws.example.com", edit: sed("s/listen /listen 80; &/")},
		{situation: "the port of the URL is another's than the site's", site: at("8080"), before: default80,
			want:  fallen,
			proof: "8080", noMend: true},
		{situation: "TLS: the name is nobody's, and the default server shows its certificate",
			files: merge(merge(merge(twice, "/etc/nginx/conf.d/aaa.conf", strings.NewReplacer(certFile, "/srv/o.pem",
				keyFile, "/srv/o.key", "ws.example.com", "other.example.com").Replace(secure(well))),
				"/srv/o.pem", other.pem), "/srv/o.key", other.keyPEM()), verify: secureURL, want: fallen,
			cause: "ws.example.com", not: "get a certificate", edit: sed("s/exampel/example/")},
		{situation: "TLS: the default server refuses names that are nobody's", files: rejecting,
			verify: secureURL, want: fallen, cause: "ws.example.com", proof: "ssl_reject_handshake",
			says: "ws.example.com", edit: sed("s/exampel/example/")},
		{situation: "TLS and HTTP/2", files: merge(withTLS(well), siteFile, strings.Replace(secure(well), "443 ssl",
			"443 ssl http2", 1)), verify: secureURL},
		{situation: "TLS on a port of its own", files: merge(withTLS(well), siteFile, strings.Replace(secure(well),
			"443",
			"8443", 1)), verify: "--url wss://ws.example.com:8443/ws/ --timeout 3s"},
		{situation: "wss:// to a port that is not open, and TLS is on another", files: merge(withTLS(well), siteFile,
			strings.Replace(secure(well), "443", "8443", 1)), verify: secureURL, want: "address-refuses",
			not: "systemctl restart", noMend: true},
		{situation: "proxy_protocol with TLS", files: merge(withTLS(well), siteFile, strings.Replace(secure(well),
			"443 ssl", "443 ssl proxy_protocol", 1)), verify: secureURL, want: "proxy-protocol-wanted",
			says: "proxy_protocol", edit: sed("s/ proxy_protocol//")},
	}
	return of("Names and listeners, further", rows)
}
