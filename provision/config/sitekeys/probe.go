package sitekeys

import (
	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// probeField is how the proof of apply and verify open a WebSocket in a location.
func probeField() reading.Field[site.Location] {
	return reading.Section(reading.Key{Path: "probe",
		Doc: "How apply's proof and verify open a WebSocket here, as a client of the application does. What nginx " +
			"itself wants, an Origin of allowed_origins and a PROXY line, is sent without it. Where a password or a " +
			"certificate is wanted and not given here, the proof ends at that refusal, and says so; the site is " +
			"never opened for it."},
		append(probeFields(), secretFields()...), func(l *site.Location) **site.Probe { return &l.Probe })
}

func probeFields() []reading.Field[site.Probe] {
	return []reading.Field[site.Probe]{
		reading.One(reading.Key{Path: "path", Default: "the location's", Example: "/?EIO=4&transport=websocket",
			Doc: "What is asked for, with its query. The path has to come to this location. It is shown in reports: " +
				"a secret is better kept in credentials_file."},
			kinds.ProbePaths, func(p *site.Probe) *string { return &p.Path }),
		reading.One(reading.Key{Path: "subprotocol", Example: "binary",
			Doc: "The subprotocol that is offered (Sec-WebSocket-Protocol)."},
			kinds.Words, func(p *site.Probe) *string { return &p.Subprotocol }),
		reading.One(reading.Key{Path: "origin", Default: "the first of allowed_origins",
			Example: "https://app.example.com",
			Doc:     "The page that the handshake seems to come from, for an application that looks at it."},
			kinds.OneOrigin, func(p *site.Probe) *string { return &p.Origin }),
		probeHeaders(),
		reading.One(reading.Key{Path: "send", Example: `"{\"protocol\":\"json\",\"version\":1}\u001e"`,
			Doc: "A text message that is sent first, for an application that waits for one."},
			kinds.Messages, func(p *site.Probe) *string { return &p.Send }),
		reading.Section(reading.Key{Path: "expect",
			Doc: "What the application has to answer. Without it a 101 is enough."},
			expectFields(), func(p *site.Probe) **site.Expect { return &p.Expect }),
	}
}

func probeHeaders() reading.Field[site.Probe] {
	key := reading.Key{Path: "headers", Example: `{X-Tenant: blue}`,
		Doc: "Headers that are sent with the handshake. Their values are not shown; secret ones are better kept in " +
			"credentials_file, which root alone can read."}
	key.About = kinds.About{Type: "mapping of header names to values", Wrong: "Connection: close",
		Bounds: "At most 20. Names of up to 40 letters, digits and -; values of printable ASCII, from 1 to 4000 " +
			"characters. Not Host, Origin, and those of the connection and of the handshake.",
		Schema: headersSchema(`^[ -~]+$`)}
	return headers(key, probeHeaderProblem, func(p *site.Probe) *[]site.Header { return &p.Headers })
}

// secretFields name files: what is in them stands nowhere else.
func secretFields() []reading.Field[site.Probe] {
	return []reading.Field[site.Probe]{
		reading.One(reading.Key{Path: "credentials_file", Example: "/etc/wsprovision/probe-credentials",
			Doc: "The file with what a client logs in with: one line user:password, as basic_auth_file wants it, or " +
				"lines Name: value, with a blank behind the colon, which are sent as headers (Authorization: " +
				"Bearer …). The file is root's and for root alone (mode 0600)."},
			kinds.PemFiles, func(p *site.Probe) *string { return &p.CredentialsFile }),
		reading.One(reading.Key{Path: "certificate", Example: "/etc/wsprovision/probe.pem",
			With: "key: /etc/wsprovision/probe.key",
			Doc:  "The PEM file of the client's certificate that tls.client_ca wants."},
			kinds.PemFiles, func(p *site.Probe) *string { return &p.Certificate }),
		reading.One(reading.Key{Path: "key", Example: "/etc/wsprovision/probe.key",
			With: "certificate: /etc/wsprovision/probe.pem",
			Doc:  "The PEM file of its private key. The file is root's and for root alone (mode 0600)."},
			kinds.PemFiles, func(p *site.Probe) *string { return &p.Key }),
	}
}

func expectFields() []reading.Field[site.Expect] {
	return []reading.Field[site.Expect]{
		reading.One(reading.Key{Path: "status", Default: "101", Example: "403",
			Doc: "The status, for an application that refuses who has not logged in. With another one than 101 the " +
				"proof ends there."},
			kinds.Counts(101, 499), func(e *site.Expect) *int { return &e.Status }),
		reading.One(reading.Key{Path: "subprotocol", Default: "any", Example: "binary",
			Doc: "The subprotocol that it has to choose. The probe's subprotocol is that one."},
			kinds.Words, func(e *site.Expect) *string { return &e.Subprotocol }),
		reading.One(reading.Key{Path: "message", Example: `'^0\{"sid":"'`,
			Doc: "What its first message has to match, text or binary; it has to come within 30 seconds, for verify " +
				"within --timeout."},
			kinds.Patterns, func(e *site.Expect) *string { return &e.Message }),
	}
}
