package config

import (
	"strings"
	"testing"
)

// TestHostileTogether: values that are right by themselves and not beside each other, all at once, with key and line.
func TestHostileTogether(t *testing.T) {
	tls := "tls: {certificate: /c, key: /k"
	for _, tc := range []struct{ name, site, location, want string }{
		{"redirect on its own port", "listen: 80, " + tls + ", redirect: true}", "",
			"sites[0].listen (line 1): the site itself has TLS on port 80"},
		{"challenges on its own port", "acme_webroot: /w, listen: [443, 80], " + tls + "}", "",
			"sites[0].listen[1] (line 1): the site itself has TLS on port 80"},
		{"PROXY lines of everybody", "listen: 80 proxy_protocol", "", "write trusted_proxies"},
		{"a header of nobody", "real_ip_header: X-Real-IP", "", "sites[0].real_ip_header (line 1): is believed of"},
		{"no PROXY line", "trusted_proxies: 10.0.0.1, real_ip_header: proxy_protocol", "",
			`no listen of the site has it: write listen: "80 proxy_protocol"`},
		{"a proxy twice", "trusted_proxies: [10.0.0.1, 10.0.0.1/32]", "",
			"trusted_proxies[1] (line 1): 10.0.0.1 stands"},
		{"root and backend", "", "root: /srv", "backend (line 3): is for a backend, and root serves files"},
		{"root and WebSockets", "", "-root: /srv, websocket: true", "websocket (line 3): files are no WebSocket"},
		{"root and only", "", "-root: /srv, websocket: only", "websocket (line 3): files are no WebSocket"},
		{"root and timeouts", "", "-root: /srv, read_timeout: 1s", "read_timeout (line 3): is for a backend"},
		{"nothing", "", "-websocket: false", "backend (line 3): is missing: where the requests go"},
		{"regex stripped", "", "path: ^/a, match: regex, strip_prefix: true", "a regular expression has no prefix"},
		{"half a name stripped", "", "path: /a, strip_prefix: true", "write path: /a/"},
		{"nothing to strip", "", "strip_prefix: true", "there is nothing to strip"},
		{"exact file stripped", "", "-path: /a, match: exact, root: /srv, strip_prefix: true", "has no file left"},
		{"a regex for a prefix", "", "path: ^/a", "must start with /"},
		{"a prefix for a regex", "", "path: '(', match: regex", "is no regular expression"},
		{"heartbeat and timeout", "", "heartbeat: 5s, send_timeout: 1s",
			"send_timeout (line 3): follows from heartbeat"},
		{"heartbeat of plain HTTP", "", "heartbeat: 5s, websocket: false", "heartbeat (line 3): is for WebSockets"},
		{"origins of plain HTTP", "", "allowed_origins: any, websocket: false",
			"allowed_origins (line 3): is for WebS"},
		{"any and another", "", "allowed_origins: [any, 'https://a']", "any is everybody"},
		{"an origin twice", "", "allowed_origins: ['https://a', 'https://A:443']",
			"[1] (line 3): https://a stands twice"},
		{"burst of no rate", "", "limits: {burst: 5, connections_per_client: 1}", "write requests_per_second too"},
		{"no limit", "", "limits: {}", "bounds nothing"},
		{"a header twice", "", "request_headers: {X-A: a, x-a: b}", "x-a (line 3): stands twice, first in line 3"},
		{"the handshake's", "", "request_headers: {Upgrade: h2c}", "Upgrade (line 3): is set by nginx"},
		{"the handshake's key", "", "request_headers: {sec-websocket-key: a}", "is set by nginx"},
		{"a variable", "", "request_headers: {X-A: a$host}", "nginx would read a variable"},
		{"a line end", "", "request_headers: {X-A: \"a\\r\\nX-B: c\"}", "only printable ASCII"},
		{"no name", "", "request_headers: {'X A': b}", "is no header's name"},
		{"no Host", "", "request_headers: {Host: ''}", "every request has a Host"},
		{"a number", "", "request_headers: {X-A: 5}", "is not text"},
		{"many headers", "", "request_headers: {" + manyHeaders(21) + "}", "has 21 headers: at most 20"},
		{"the challenge's path", "acme_webroot: /w", "path: /.well-known/acme-challenge/",
			"where acme_webroot is served"},
		{"a challenge of its own", "acme_webroot: /w", "path: /.well-known/acme-challenge/token, match: exact",
			"where acme_webroot is served"},
		{"below the challenge's path", "acme_webroot: /w", "path: /.well-known/acme-challenge/a/",
			"where acme_webroot is served"},
	} {
		location := "path: /, backend: 'b:1', " + tc.location
		switch {
		case strings.HasPrefix(tc.location, "-path"):
			location = tc.location[1:]
		case strings.HasPrefix(tc.location, "-"):
			location = "path: /, " + tc.location[1:]
		case strings.HasPrefix(tc.location, "path"):
			location = "backend: 'b:1', " + tc.location
		}
		text := "sites: [{name: a, server_name: a.b, " + tc.site + ",\n locations: [\n{" + location + "}]}]\n"
		text = strings.ReplaceAll(text, ", ,", ",")
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v\nwant %s\n%s", tc.name, err, tc.want, text)
		}
	}
}

func manyHeaders(n int) string {
	var all []string
	for i := range n {
		all = append(all, "X-"+strings.Repeat("A", i+1)+": a")
	}
	return strings.Join(all, ", ")
}

// TestHostileSites: sites that are right by themselves and not beside each other on a socket.
func TestHostileSites(t *testing.T) {
	site := func(name, more string) string {
		return "- {name: " + name + ", server_name: " + name + ".b, " + more +
			", locations: [{path: /, backend: 'b:1'}]}\n"
	}
	const tls = "tls: {certificate: /c, key: /k"
	for _, tc := range []struct{ name, one, two, want string }{
		{"http2 and not", tls + ", http2: true}", tls + "}", "without http2, and an earlier one with it"},
		{"PROXY and not", "listen: 80 proxy_protocol, trusted_proxies: 10.0.0.1", "listen: 80",
			"without proxy_protocol, and an earlier one with it"},
		{"a redirect beside TLS", tls + ", redirect: true}", "listen: 80, " + tls + "}",
			"with TLS, and an earlier one without"},
		{"two defaults", "default_server: true", "default_server: true", "the default server of 80 is said by"},
		{"default and reject", "default_server: true", "default_server: reject", "the default server of 80 is said by"},
		{"redirects' defaults", "default_server: true, " + tls + ", redirect: true}",
			"default_server: true, listen: 80",
			"the default server of 80 is said by"},
	} {
		if _, err := load("sites:\n" + site("one", tc.one) + site("two", tc.two)); err == nil ||
			!strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v\nwant %s", tc.name, err, tc.want)
		}
	}
	const same = "sites:\n- {name: a, server_name: x.b, tls: {certificate: /c, key: /k, redirect: true}, " +
		"locations: [{path: /, backend: 'b:1'}]}\n- {name: b, server_name: x.b, locations: [{path: /, backend: " +
		"'b:1'}]}\n"
	if _, err := load(same); err == nil || !strings.Contains(err.Error(), "the name x.b on 80 is taken already by") {
		t.Errorf("a name that another site redirects: %v", err)
	}
	both := "sites:\n" + site("one", "default_server: reject") + site("two", "default_server: reject")
	if _, err := load(both); err != nil {
		t.Errorf("both reject: %v", err)
	}
}

func TestFlagsForTLS(t *testing.T) {
	base := map[string]string{"server-name": "a.b", "backend": "c:1"}
	for _, tc := range []struct{ flags, want string }{
		{"redirect=true", "flag --redirect: needs TLS: give --tls-certificate and --tls-key too"},
		{"tls-key=/k", "needs --tls-certificate too"}, {"tls-certificate=/c", "needs --tls-key too"},
		{"tls-certificate=c tls-key=/k", `flag --tls-certificate: "c" must be an absolute path`},
		{"tls-certificate=/c tls-key=/k redirect=true listen=80", "the site itself has TLS on port 80"},
		{"allowed-origins=any,https://a", "any is everybody"},
	} {
		flags := map[string]string{}
		for _, f := range strings.Fields(tc.flags) {
			name, value, _ := strings.Cut(f, "=")
			flags[name] = value
		}
		for name, value := range base {
			flags[name] = value
		}
		if _, err := Load(Input{Flags: flags}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v\nwant %s", tc.flags, err, tc.want)
		}
	}
}
