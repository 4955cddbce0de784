//go:build diagnosis

package diagnosis

import (
	"strings"

	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/site"
)

// rendered is the file that the agent writes for theSite.
func rendered() string {
	text, err := nginxtest.Alone(site.Site{Name: "websocket", ServerNames: []string{"ws.example.com"},
		Listen: []site.Listen{{Port: 80}}, Locations: []site.Location{{Path: "/ws/", WebSocket: true,
			Backends: []site.Backend{{Host: "127.0.0.1", Port: 3000}}}}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// What is asked of the agent's own configuration, whose mend is often an apply.
func ownRows() []row {
	mine := rendered()
	with := func(text string) map[string]string { return map[string]string{oursFile: text} }
	without := func(line string) map[string]string { return with(strings.Replace(mine, line, "", 1)) }
	rows := []row{
		{situation: "as the agent wrote it", files: with(mine)},
		{situation: "the backend is down", files: with(mine), backends: []backend{}, want: "backend-not-running",
			noMend: true},
		{situation: "Upgrade was taken out",
			files: without("        proxy_set_header Upgrade $wsprovision_websocket_upgrade;\n"),
			want:  "upgrade-header-missing"},
		{situation: "the site's file is gone", files: with(""), want: "not-included"},
		{situation: "nginx.conf does not include conf.d", files: with(mine),
			before: "sed -i '/conf.d/d' /etc/nginx/nginx.conf", want: "not-included", says: "include",
			edit: `sed -i 's,^http {,&\n include /etc/nginx/conf.d/*.conf;,' /etc/nginx/nginx.conf`},
		{situation: "another block has the name and comes first", files: merge(with(mine), "/etc/nginx/conf.d/aaa.conf",
			serves("return 404;")), want: "shadowed-server-name", says: "aaa.conf",
			edit: "sed -i 's/ws.example.com/other.example.com/' /etc/nginx/conf.d/aaa.conf"},
		{situation: "another block has the very address", files: merge(with(mine), "/etc/nginx/conf.d/aaa.conf",
			strings.Replace(serves("return 404;"), "listen 80", "listen 127.0.0.1:80", 1)),
			want: "shadowed-listen-address", says: "aaa.conf",
			edit: "sed -i 's/127.0.0.1:80/127.0.0.2:80/' /etc/nginx/conf.d/aaa.conf"},
		{situation: "the name was changed", files: with(strings.Replace(mine, "server_name ws", "server_name www", 1)),
			before: "sed -i 's/listen 80;/listen 80 default_server;/' /etc/nginx/nginx.conf",
			want:   "shadowed-default-server"},
		{situation: "certbot's lines are in the file, and it redirects to https", want: "redirected-by-nginx",
			files: with(strings.Replace(mine, "server_name ws.example.com;",
				"server_name ws.example.com;\n    if ($host = "+
					"ws.example.com) {\n        return 301 https://$host$request_uri;\n    } # managed by Certbot", 1)),
			says: "wss://", not: "wsprovision apply", noMend: true},
		{situation: "certbot's lines are in the file, and Upgrade was taken out", want: "upgrade-header-missing",
			files: with(strings.NewReplacer("        proxy_set_header Upgrade $wsprovision_websocket_upgrade;\n", "",
				"    listen 80;\n", "    listen 80;\n    ssl_session_timeout 1h; # managed by "+
					"Certbot\n").Replace(mine)),
			not: "wsprovision apply", says: "add proxy_set_header Upgrade",
			edit: "sed -i 's/proxy_http_version.*/& " + upgrade + "/' " + oursFile},
	}
	for i := range rows {
		rows[i].verify = theSite
	}
	const probe = "sites: [{name: websocket, server_name: ws.example.com, listen: [80], locations: [{path: /ws/, " +
		"backend: 127.0.0.1:3000, probe: {send: hello, expect: {message: '^welcome'}}}]}]\n"
	rows = append(rows, row{situation: "the application answers otherwise than its probe expects",
		files: merge(with(mine), "/etc/probe.yaml", probe), verify: "--config /etc/probe.yaml --timeout 3s",
		want: "not-as-expected", says: "mend probe.expect", edit: "sed -i s/welcome/hello/ /etc/probe.yaml"})
	return of("The agent's own file", rows)
}
