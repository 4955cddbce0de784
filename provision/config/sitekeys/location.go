package sitekeys

import (
	"time"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// locationFields are the keys of a location. Adding one takes its entry here, its field in provision/site, its
// directives in provision/nginx, and a line of packaging/wsprovision.yaml; `go test ./provision/config -update` writes
// the manual and the schema anew, and the tests there fail where one of them lacks it.
func locationFields() []reading.Field[site.Location] {
	var all []reading.Field[site.Location]
	for _, some := range [][]reading.Field[site.Location]{pathFields(), backendFields(), webSocketFields(),
		timeoutFields(),
		proxyFields(),
		accessFields(), {probeField()}} {
		all = append(all, some...)
	}
	return all
}

func pathFields() []reading.Field[site.Location] {
	return []reading.Field[site.Location]{
		reading.One(reading.Key{Path: "path", Flag: "path", Required: true, Example: "/ws/",
			Doc: "The requests that this location is for, by the decoded path. It stands once in a site."},
			kinds.Paths, func(l *site.Location) *string { return &l.Path }),
		reading.One(reading.Key{Path: "match", Default: "prefix", Example: "exact",
			Doc: "How the path is compared. prefix: the request's path begins with it, and the longest wins. exact: " +
				"it is the whole path. regex: a regular expression, which goes before every prefix; the first that " +
				"matches wins."},
			kinds.Matches, func(l *site.Location) *site.Match { return &l.Match }),
		reading.One(reading.Key{Path: "strip_prefix", Default: "false", Example: "true", With: "path: /app/",
			Doc: "The backend gets what is behind the path: with /app/, / for /app/. A prefix has to end in /. With " +
				"root the files lie right below it."},
			kinds.Truths, func(l *site.Location) *bool { return &l.StripPrefix }),
		reading.One(reading.Key{Path: "root", Example: "/usr/share/app", With: "path: /static/",
			Doc: "The directory of static files that are served in place of a backend. The path is looked up below " +
				"it."},
			kinds.Directories, func(l *site.Location) *string { return &l.Root }),
	}
}

func webSocketFields() []reading.Field[site.Location] {
	return []reading.Field[site.Location]{
		reading.Via(reading.Key{Path: "websocket", Flag: "", Default: "true, with root false", Example: "only",
			Doc: "true: WebSockets, and plain HTTP beside them. false: plain HTTP. only: what asks for no WebSocket " +
				"gets 426. Of what a client asks for with Upgrade, only websocket, in any case of letters, is passed " +
				"on; every other protocol (h2c) would be a tunnel past the path, and the connection to the backend " +
				"is closed after such a request."},
			kinds.WebSockets, webSocketWord, setWebSocket),
		reading.One(reading.Key{Path: "heartbeat", Default: "none", Example: "30s",
			Doc: "How often the application or its clients send something on each WebSocket. read_timeout and " +
				"send_timeout are three times that, and the plan says so: a connection that is dead is closed after " +
				"it."},
			kinds.Heartbeats, func(l *site.Location) *time.Duration { return &l.Heartbeat }),
		reading.Many(reading.Key{Path: "allowed_origins", Flag: "allowed-origins",
			Default: "everybody, with a note in the plan",
			Example: "[https://app.example.com, \"http://localhost:8080\"]",
			Doc: "The sites whose pages may open a WebSocket here, against Cross-Site WebSocket Hijacking: a page of " +
				"any other gets 403, and so does one whose Origin is null. A client that sends no Origin is no " +
				"browser, and passes. any is everybody, without the note."},
			"origin", kinds.OriginKinds, func(l *site.Location) *[]string { return &l.AllowedOrigins }),
	}
}

func timeoutFields() []reading.Field[site.Location] {
	const standard = "24h, for plain HTTP 60s, with heartbeat three of it"
	return []reading.Field[site.Location]{
		reading.Via(reading.Key{Path: "read_timeout", Default: standard, Example: "1h",
			Doc: "How long the backend may be silent."},
			kinds.Timeouts, func(l site.Location) time.Duration { return unlessHeartbeat(l, l.ReadTimeout) },
			func(l *site.Location, d time.Duration) { l.ReadTimeout = d }),
		reading.Via(reading.Key{Path: "send_timeout", Default: standard, Example: "1h",
			Doc: "How long the backend may take " +
				"nothing."},
			kinds.Timeouts, func(l site.Location) time.Duration { return unlessHeartbeat(l, l.SendTimeout) },
			func(l *site.Location, d time.Duration) { l.SendTimeout = d }),
		reading.One(reading.Key{Path: "connect_timeout", Default: "60s", Example: "5s",
			Doc: "How long a connection to the backend may take to come about."},
			kinds.Timeouts, func(l *site.Location) *time.Duration { return &l.ConnectTimeout }),
	}
}

func proxyFields() []reading.Field[site.Location] {
	return []reading.Field[site.Location]{
		reading.One(reading.Key{Path: "buffering", Default: "nginx's: true", Example: "false",
			Doc: "Whether nginx gathers an answer before it passes it on. false is for long polling and " +
				"server-sent events."},
			kinds.Switches, func(l *site.Location) **bool { return &l.Buffering }),
		reading.One(reading.Key{Path: "max_body", Default: "nginx's: 1m", Example: "10m",
			Doc: "How large the body of a request may be. A larger one gets 413."},
			kinds.Sizes, func(l *site.Location) *string { return &l.MaxBody }),
		requestHeaders(reading.Key{Path: "request_headers", Example: `{X-Tenant: blue, Accept-Encoding: ""}`,
			Doc: "Headers that the backend gets, in place of the client's and of ours."},
			func(l *site.Location) *[]site.Header { return &l.RequestHeaders }),
	}
}

func accessFields() []reading.Field[site.Location] {
	return []reading.Field[site.Location]{
		reading.One(reading.Key{Path: "basic_auth_file", Example: "/etc/nginx/users",
			Doc: "The file of users and passwords, as htpasswd writes it, that clients need one of. Browsers send no " +
				"password with a WebSocket by themselves."},
			kinds.PemFiles, func(l *site.Location) *string { return &l.BasicAuthFile }),
		reading.Many(reading.Key{Path: "allow", Default: "everybody", Example: `[192.0.2.0/24, "2001:db8::1"]`,
			Doc: "The clients that may come. Everybody else gets 403."},
			"address", kinds.Networks, func(l *site.Location) *[]string { return &l.Allow }),
		reading.Many(reading.Key{Path: "deny", Default: "nobody", Example: "192.0.2.66",
			Doc: "The clients that get 403, also those that allow would let in."},
			"address", kinds.Networks, func(l *site.Location) *[]string { return &l.Deny }),
		reading.Section(reading.Key{Path: "limits",
			Doc: "Bounds for each client address, in this location. Above them it gets 429."},
			limitFields(), func(l *site.Location) **site.Limits { return &l.Limits }),
		reading.One(reading.Key{Path: "snippet", Example: `"proxy_hide_header Server;"`,
			Doc: "nginx's own directives, at the end of the location. What they do is not checked, and the plan says " +
				"so; nginx -t is asked before anything is changed."},
			kinds.Snippets, func(l *site.Location) *string { return &l.Snippet }),
	}
}

func limitFields() []reading.Field[site.Limits] {
	return []reading.Field[site.Limits]{
		reading.One(reading.Key{Path: "connections_per_client", Example: "20",
			Doc: "How many requests and WebSockets at the same " +
				"time."},
			kinds.Counts(1, 65535), func(l *site.Limits) *int { return &l.ConnectionsPerClient }),
		reading.One(reading.Key{Path: "requests_per_second", Example: "10", Doc: "How many requests and handshakes. " +
			"The proof and verify wait between theirs."},
			kinds.Counts(1, 100000), func(l *site.Limits) *int { return &l.RequestsPerSecond }),
		reading.One(reading.Key{Path: "burst", Default: "0", Example: "20", With: "requests_per_second: 10",
			Doc: "How many more are let through at once, with requests_per_second."},
			kinds.Counts(1, 100000), func(l *site.Limits) *int { return &l.Burst }),
	}
}
