package config

import "wsprovision/provision/site"

// probeField is how the proof of apply and verify open a WebSocket in a location.
func probeField() field[Location] {
	return section(Key{Path: "probe", Doc: "How apply's proof and verify open a WebSocket here, as a client of the " +
		"application does. What nginx itself wants, an Origin of allowed_origins and a PROXY line, is sent without " +
		"it. Where a password or a certificate is wanted and not given here, the proof ends at that refusal, and " +
		"says so; the site is never opened for it."},
		append(probeFields(), secretFields()...), func(l *Location) **site.Probe { return &l.Probe })
}

func probeFields() []field[site.Probe] {
	return []field[site.Probe]{
		one(Key{Path: "path", Default: "the location's", Example: "/?EIO=4&transport=websocket",
			Doc: "What is asked for, with its query. The path has to come to this location. It is shown in reports: " +
				"a secret is better kept in credentials_file."},
			probePaths, func(p *site.Probe) *string { return &p.Path }),
		one(Key{Path: "subprotocol", Example: "binary",
			Doc: "The subprotocol that is offered (Sec-WebSocket-Protocol)."},
			words, func(p *site.Probe) *string { return &p.Subprotocol }),
		one(Key{Path: "origin", Default: "the first of allowed_origins", Example: "https://app.example.com",
			Doc: "The page that the handshake seems to come from, for an application that looks at it."},
			oneOrigin, func(p *site.Probe) *string { return &p.Origin }),
		probeHeaders(),
		one(Key{Path: "send", Example: `"{\"protocol\":\"json\",\"version\":1}\u001e"`,
			Doc: "A text message that is sent first, for an application that waits for one."},
			messages, func(p *site.Probe) *string { return &p.Send }),
		section(Key{Path: "expect", Doc: "What the application has to answer. Without it a 101 is enough."},
			expectFields(), func(p *site.Probe) **site.Expect { return &p.Expect }),
	}
}

func probeHeaders() field[site.Probe] {
	key := Key{Path: "headers", Example: `{X-Tenant: blue}`,
		Doc: "Headers that are sent with the handshake. Their values are not shown; secret ones are better kept in " +
			"credentials_file, which root alone can read."}
	key.about = about{Type: "mapping of header names to values", Wrong: "Connection: close",
		Bounds: "At most 20. Names of up to 40 letters, digits and -; values of printable ASCII, from 1 to 4000 " +
			"characters. Not Host, Origin, and those of the connection and of the handshake.",
		Schema: headersSchema(`^[ -~]+$`)}
	return headers(key, probeHeaderProblem, func(p *site.Probe) *[]site.Header { return &p.Headers })
}

// secretFields name files: what is in them stands nowhere else.
func secretFields() []field[site.Probe] {
	return []field[site.Probe]{
		one(Key{Path: "credentials_file", Example: "/etc/wsprovision/probe-credentials",
			Doc: "The file with what a client logs in with: one line user:password, as basic_auth_file wants it, or " +
				"lines Name: value, with a blank behind the colon, which are sent as headers (Authorization: " +
				"Bearer …). The file is root's and for root alone (mode 0600)."},
			pemFiles, func(p *site.Probe) *string { return &p.CredentialsFile }),
		one(Key{Path: "certificate", Example: "/etc/wsprovision/probe.pem",
			With: "key: /etc/wsprovision/probe.key",
			Doc:  "The PEM file of the client's certificate that tls.client_ca wants."},
			pemFiles, func(p *site.Probe) *string { return &p.Certificate }),
		one(Key{Path: "key", Example: "/etc/wsprovision/probe.key",
			With: "certificate: /etc/wsprovision/probe.pem",
			Doc:  "The PEM file of its private key. The file is root's and for root alone (mode 0600)."},
			pemFiles, func(p *site.Probe) *string { return &p.Key }),
	}
}

func expectFields() []field[site.Expect] {
	return []field[site.Expect]{
		one(Key{Path: "status", Default: "101", Example: "403",
			Doc: "The status, for an application that refuses who has not logged in. With another one than 101 the " +
				"proof ends there."},
			counts(101, 499), func(e *site.Expect) *int { return &e.Status }),
		one(Key{Path: "subprotocol", Default: "any", Example: "binary",
			Doc: "The subprotocol that it has to choose. The probe's subprotocol is that one."},
			words, func(e *site.Expect) *string { return &e.Subprotocol }),
		one(Key{Path: "message", Example: `'^0\{"sid":"'`,
			Doc: "What its first message has to match, text or binary; it has to come within 30 seconds, for verify " +
				"within --timeout."},
			patterns, func(e *site.Expect) *string { return &e.Message }),
	}
}
