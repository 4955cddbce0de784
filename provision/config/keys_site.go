package config

// siteFields are the keys of a site, in the order in which they are read and written.
func siteFields() []field[Site] {
	return []field[Site]{
		one(Key{Path: "name", Required: true, Example: "websocket",
			Doc: "The name of the site and of its file. No two sites have the same."},
			siteNames, func(s *Site) *string { return &s.Name }),
		many(Key{Path: "server_name", Flag: "server-name", Required: true,
			Example: `[ws.example.com, "*.ws.example.com"]`,
			Doc:     "The names that clients use. A name stands only once on a socket."},
			"name", serverNames, func(s *Site) *[]string { return &s.ServerNames }),
		section(Key{Path: "tls", Doc: "With it all of the site's sockets speak TLS."},
			tlsFields(), func(s *Site) **TLS { return &s.TLS }),
		many(Key{Path: "listen", Flag: "listen", Default: "80, with tls " +
			"443", Example: `[80, "[::]:80", "127.0.0.1:8080"]`,
			Doc: "What nginx listens on. A port alone is every IPv4 address, as in nginx."},
			"port", listens, func(s *Site) *[]Listen { return &s.Listen }),
		items(Key{Path: "locations", Required: true, Doc: "The paths, and where each goes."},
			"location", locationFields(), Location{WebSocket: true}, fillLocation,
			func(s *Site) *[]Location { return &s.Locations }),
	}
}

// standardListen is what a site listens on that does not say so.
func standardListen(s Site) []Listen {
	if s.TLS != nil {
		return []Listen{{Port: 443}}
	}
	return []Listen{{Port: 80}}
}
