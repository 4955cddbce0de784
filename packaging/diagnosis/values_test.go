//go:build diagnosis

package diagnosis

import (
	"net/http"
	"strings"
)

// What the values of fields become, which location takes the path, and which server the name.
func valueRows() []row {
	const missing, nowhere, fallen = "upgrade-header-missing", "path-not-found", "shadowed-default-server"
	one := func(h http.HandlerFunc) []backend { return []backend{{at: "127.0.0.1:3000", serves: h}} }
	by := func(connection string) string { return serves(passes(http11+upgrade, connection)) }
	variable := "proxy_set_header Connection $connection_upgrade;"
	fixed := sed(`s/Connection $connection_upgrade/Connection "upgrade"/`)
	well := serves(passes(headers))
	const default80 = "sed -i 's/listen 80;/listen 80 default_server;/' /etc/nginx/nginx.conf"
	rows := []row{
		{situation: "the map has no default, and knows websocket", site: "map $http_upgrade $connection_upgrade { " +
			"websocket upgrade; }\n" + by(variable)},
		{situation: "the map has no default, and knows WebSocket alone by a regular expression",
			site: "map $http_upgrade $connection_upgrade { \"~WebSocket\" upgrade; }\n" + by(variable), want: missing,
			cause: "Connection", proof: "map of $connection_upgrade", edit: fixed},
		{situation: "the map is of the backend's answer, which is not there yet",
			site: "map $upstream_http_upgrade $connection_upgrade { default upgrade; '' close; }\n" + by(variable),
			want: none, proof: "what Connection becomes by proxy_set_header Connection $connection_upgrade; & was " +
				"not found out"},
		{situation: "a map of a map", site: "map $http_upgrade $is { default 0; websocket 1; }\nmap $is " +
			"$connection_upgrade { 0 close; 1 upgrade; }\n" + by(variable)},
		{situation: "a map of a map, one of which is wrong", site: "map $http_upgrade $is { default 0; socket 1; }\n" +
			"map $is $connection_upgrade { 0 close; 1 upgrade; }\n" + by(variable), want: missing, cause: "Connection",
			edit: fixed},
		{situation: "the map gives another variable", site: "map $http_upgrade $connection_upgrade { default " +
			"$http_connection; '' close; }\n" + by(variable)},
		{situation: "geo decides, and has the client's net",
			site: "geo $connection_upgrade { default close; 127.0.0.0/8 " +
				"upgrade; }\n" + by(variable)},
		{situation: "geo decides, and has not the client's net", site: "geo $connection_upgrade { default close; " +
			"10.0.0.0/8 upgrade; }\n" + by(variable), want: missing, cause: "Connection", edit: fixed},
		{situation: "quotes around names and values", site: serves(passes(`proxy_http_version "1.1";`,
			`"proxy_set_header" "Upgrade" "$http_upgrade";`, `proxy_set_header 'Connection' 'upgrade';`))},
		{situation: "Connection has a capital", site: by(`proxy_set_header Connection "Upgrade";`)},
		{situation: "Connection is misspelt", site: by(`proxy_set_header Connection "upgraded";`), want: missing,
			cause: "Connection", says: "replace", edit: sed(`s/"upgraded"/"upgrade"/`)},
		{situation: "the field's name is misspelt", site: by(`proxy_set_header Conection "upgrade";`), want: missing,
			cause: "Connection", says: "add", edit: insert(connection)},
		{situation: "the field's name has a colon", site: by(`proxy_set_header Connection: "upgrade";`), want: missing,
			cause: "Connection", says: "add", edit: insert(connection)},
		{situation: "the headers are in the group", site: group("server 127.0.0.1:3000;") + serves(location("/ws/",
			"http://b", http11)), want: missing, edit: insert(upgrade + connection)},
		{situation: "the headers are in location /, the WebSocket in another", site: serves("location / { proxy_pass "+
			"http://127.0.0.1:3000; "+headers+" }", passes(http11)), want: missing, says: siteFile + ":6",
			edit: sed("s/proxy_http_version 1.1; *$/& " + upgrade + connection + "/")},
		{situation: "a split of clients decides over the backend", site: "split_clients $remote_port $b { 50% " +
			"127.0.0.1:3000; * 127.0.0.1:3001; }\n" + serves(location("/ws/", "http://$b", http11)),
			backends: []backend{{at: "127.0.0.1:3000", serves: echo}, {at: "127.0.0.1:3001", serves: echo}},
			want:     missing, edit: insert(upgrade + connection)},
		{situation: "the location has a regular expression with small letters, and the path capitals", site: serves(
			strings.Replace(passes(headers), "location /ws/", "location ~ ^/ws/", 1)),
			verify: "--url ws://ws.example.com/WS/ --timeout 3s", want: nowhere, cause: "/WS/", noMend: true},
		{situation: "the regular expression takes any letters", site: serves(strings.Replace(passes(headers),
			"location /ws/", "location ~* ^/ws/", 1)), verify: "--url ws://ws.example.com/WS/ --timeout 3s"},
		{situation: "the location asks for more than the path has", site: serves(strings.Replace(passes(headers),
			"location /ws/", "location /ws/chat/", 1)), want: nowhere, noMend: true},
		{situation: "the path goes on behind an exact location", site: serves(strings.Replace(passes(headers),
			"location /ws/", "location = /ws", 1)), verify: "--url ws://ws.example.com/ws/1 --timeout 3s",
			want:   nowhere,
			noMend: true},
		{situation: "the file of static things takes the path by its end", site: serves("root /srv;",
			`location ~* \.(js|css|io)$ { expires 1d; }`, location("/", "http://127.0.0.1:3000", headers)),
			verify: "--url ws://ws.example.com/socket.io --timeout 3s", want: nowhere,
			cause: `location ~* \.(js|css|io)$`,
			edit:  sed("s/|io)/)/")},
		{situation: "an empty location takes the path", site: serves("root /srv;", "location /ws/ { }"), want: nowhere,
			cause: "location /ws/", edit: sed("s,location /ws/ { },location /ws/ { proxy_pass http://127.0.0.1:3000; " +
				headers + "},")},
		{situation: "an alias has the path", site: serves("location /ws/ { alias /srv/; }"), want: nowhere,
			cause: "location /ws/", edit: sed("s,alias /srv/;,proxy_pass http://127.0.0.1:3000; " + headers + ",")},
		{situation: "the backend has the site's path below another name", backends: one(only("/app/ws/")),
			site: well, want: nowhere, cause: "/ws/ (404)", noMend: true},
		{situation: "a name that ends with a dot", site: well, hosts: theHosts + "127.0.0.1 ws.example.com.\n",
			verify: "--url ws://ws.example.com./ws/ --timeout 3s"},
		{situation: "capitals in the URL's name", site: well, verify: "--url ws://WS.EXAMPLE.COM/ws/ --timeout 3s"},
		{situation: "server_name is localhost, and another block is the default", before: default80,
			site: strings.Replace(well, "ws.example.com", "localhost", 1), want: fallen,
			edit: sed("s/server_name localhost/server_name ws.example.com/")},
		{situation: "server_name _ without default_server", before: default80, site: strings.Replace(well,
			"ws.example.com", "_", 1), want: fallen, edit: sed("s/server_name _/server_name ws.example.com/")},
		{situation: "no server_name at all", before: default80, site: strings.Replace(well,
			"server_name ws.example.com;", "", 1), want: fallen,
			edit: sed("s/listen 80;/& server_name ws.example.com;/")},
		{situation: "www. is missing in server_name", site: well, before: default80, hosts: theHosts +
			"127.0.0.1 www.ws.example.com\n", verify: "--url ws://www.ws.example.com/ws/ --timeout 3s", want: fallen,
			edit: sed("s/server_name/server_name www.ws.example.com/")},
		{situation: "a kernel without IPv6, and a group of both families", noIPv6: true,
			before: "sed -i '/\\[::\\]:80/d' /etc/nginx/nginx.conf", site: group("server [::1]:3000; "+
				"server 127.0.0.1:3000;") + serves(location("/ws/", "http://b", headers)), want: "address-family-off",
			edit: sed(`s/server .::1.:3000; //`)},
	}
	return of("Values, locations and names, further", rows)
}
