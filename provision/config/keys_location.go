package config

import "time"

// locationFields are the keys of a location. Adding one takes its entry here, its field in provision/site, its
// directives in provision/nginx, and a line of packaging/wsprovision.yaml; `go test ./provision/config -update` writes
// the manual and the schema anew, and the tests there fail where one of them lacks it.
func locationFields() []field[Location] {
	return []field[Location]{
		one(Key{Path: "path", Flag: "path", Required: true, Example: "/ws/",
			Doc: "The prefix of the requests that this location is for. It stands once in a site."},
			locationPaths, func(l *Location) *string { return &l.Path }),
		one(Key{Path: "backend", Flag: "backend", Required: true, Example: `"[::1]:3000"`,
			Doc: "Where the requests go, with their path unchanged. The port gets the SELinux label http_port_t."},
			backends, func(l *Location) *Backend { return &l.Backend }),
		one(Key{Path: "websocket", Default: "true", Example: "false",
			Doc: "false is plain HTTP. Of what a client asks for with Upgrade, only websocket, in any case of " +
				"letters, is " +
				"passed on; every other protocol (h2c) would be a tunnel past the path, and the connection to " +
				"the backend " +
				"is closed after such a request."},
			truths, func(l *Location) *bool { return &l.WebSocket }),
		one(Key{Path: "read_timeout", Default: "24h, for plain HTTP 60s", Example: "1h",
			Doc: "How long the backend may be silent."},
			timeouts, func(l *Location) *time.Duration { return &l.ReadTimeout }),
		one(Key{Path: "send_timeout", Default: "24h, for plain HTTP 60s", Example: "1h",
			Doc: "How long the backend may take nothing."},
			timeouts, func(l *Location) *time.Duration { return &l.SendTimeout }),
		one(Key{Path: "connect_timeout", Default: "60s", Example: "5s",
			Doc: "How long a connection to the backend may take to come about."},
			timeouts, func(l *Location) *time.Duration { return &l.ConnectTimeout }),
	}
}

// fillLocation gives the timeouts that suit the kind: a WebSocket may be silent for a day, a plain response not.
func fillLocation(l *Location) {
	silence := plainTimeout
	if l.WebSocket {
		silence = webSocketTimeout
	}
	for at, standard := range map[*time.Duration]time.Duration{
		&l.ReadTimeout: silence, &l.SendTimeout: silence, &l.ConnectTimeout: connectTimeout} {
		if *at == 0 {
			*at = standard
		}
	}
}

func newLocation(path string, to Backend, webSocket bool) Location {
	l := Location{Path: path, Backend: to, WebSocket: webSocket}
	fillLocation(&l)
	return l
}
