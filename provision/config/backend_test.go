package config

import (
	"strings"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
)

// TestHostileBackends: what nginx refuses of several servers, or what would say nothing, is told with its line, and all
// of it at once.
func TestHostileBackends(t *testing.T) {
	for _, test := range []struct{ name, keys, want string }{
		{"twice", `backend: ["a:1", "b:1", "a:1 weight=2"]`, "backend[2] (line 1): the backend a:1 is taken already"},
		{"twice, a socket", `backend: ["unix:/run/a", "unix:/run/a backup"]`,
			"backend[1] (line 1): the backend unix:/run/a is"},
		{"backup with ip_hash", `backend: ["a:1", "b:1 backup"], balance: ip_hash`,
			"nginx has no backup with balance ip_hash"},
		{"backup with hash", `backend: ["a:1", "b:1 backup"], balance: hash $arg_x`,
			"nginx has no backup with balance hash"},
		{"backups alone", `backend: ["a:1 backup", "b:1 backup"]`, "every backend is a backup"},
		{"one backup", `backend: a:1 backup`, "every backend is a backup"},
		{"no list", `backend: []`, "is empty: give it at least one backend"},
		{"a mapping", `backend: {host: a}`, "must be a list"},
		{"loop in a list", `backend: ["a:1", "localhost:80"]`,
			"backend[1] (line 1): localhost:80 is where this site listens"},
		{"mixed", `backend: ["https://a:1", "b:1"]`, "backend[1] (line 1): is spoken to without TLS"},
		{"mixed with a socket", `backend: ["unix:/run/a", "https://a:1"]`,
			"backend[0] (line 1): is spoken to without TLS"},
		{"an address in a certificate", `backend: "https://10.0.0.1:1"`,
			"write backend_tls.name, the name in the certificate"},
		{"two names", `backend: ["https://a:1", "https://b:1"]`,
			"backend[1] (line 1): is b, and the first backend is a"},
		{"an address as a name", `backend: "https://a:1", backend_tls: {name: 10.0.0.1}`, "write a name that it has"},
		{"TLS for nothing", `backend: a:1, backend_tls: {name: b}`, "backend_tls (line 1): is for https:// backends"},
		{"ca unused", `backend: "https://a:1", backend_tls: {ca: /ca.pem, verify: false}`,
			"is not used with verify: false"},
		{"resolver and a list", `backend: ["a:1", "b:1"], resolver: 10.0.0.2`,
			"is for one backend, and there are several"},
		{"resolver and balance", `backend: a:1, resolver: 10.0.0.2, balance: least_conn`,
			"balance (line 1): nginx has it only"},
		{"resolver and round_robin", `backend: a:1, resolver: 10.0.0.2, balance: round_robin`,
			"balance (line 1): nginx has it"},
		{"resolver and keepalive", `backend: a:1, resolver: 10.0.0.2, keepalive: 3`,
			"keepalive (line 1): nginx has it only"},
		{"resolver and weight", `backend: a:1 weight=2, resolver: 10.0.0.2`, "has weight=2, and nginx has it only"},
		{"resolver and an address", `backend: 10.0.0.1:1, resolver: 10.0.0.2`,
			"there is no name to look up in 10.0.0.1:1"},
		{"resolver and a socket", `backend: unix:/run/a, resolver: 10.0.0.2`,
			"there is no name to look up in unix:/run/a"},
		{"resolver and strip_prefix", `backend: a:1, resolver: 10.0.0.2, strip_prefix: true`,
			"passes the whole path on"},
		{"resolver twice", `backend: a:1, resolver: [10.0.0.2, 10.0.0.2]`, "10.0.0.2 stands twice"},
		{"resolver by name", `backend: a:1, resolver: dns.example.com`, "is no address of a DNS server"},
		{"resolver injected", `backend: a:1, resolver: "10.0.0.2 valid=1s"`, "is no address of a DNS server"},
		{"resolver of a zone", `backend: a:1, resolver: "fe80::1%eth0"`, "is no address of a DNS server"},
		{"resolver nowhere", `backend: a:1, resolver: 0.0.0.0`, "is no address to connect to"},
		{"hash without a key", `backend: a:1, balance: hash`, "hash needs a key"},
		{"hash injected", `backend: a:1, balance: "hash $arg_x; return 1"`, "is none of round_robin"},
		{"hash of an unknown variable", `backend: a:1, balance: hash $nosuch`, "is none of round_robin"},
		{"hash of a brace", `backend: a:1, balance: "hash ${arg_x}"`, "is none of round_robin"},
		{"two methods", `backend: a:1, balance: ip_hash least_conn`, "is none of round_robin"},
		{"keepalive 0", `backend: a:1, keepalive: 0`, "a whole number from 1 to 10000"},
		{"root", `root: /srv/x, websocket: false, balance: ip_hash, keepalive: 2, resolver: 10.0.0.2`,
			"balance (line 1): is for a backend"},
	} {
		_, err := load("sites: [{name: a, server_name: a.b, locations: [{path: /x/, " + test.keys + "}]}]\n")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got  %v\nwant %s", test.name, err, test.want)
		}
	}
	_, err := load("sites: [{name: a, server_name: a.b, locations: [{path: /x/, backend: ['a:1 backup', 'a:0'], " +
		"balance: ip_hash, resolver: 10.0.0.2, keepalive: 0}]}]\n")
	for _, want := range []string{"no backup with balance", "a:0", "for one backend", "from 1 to 10000",
		"has backup, and"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("not said with the others: %s\n%v", want, err)
		}
	}
}

// TestBackendsAreKept: what is accepted is written and read again as the same, and rendered as nginx has it.
func TestBackendsAreKept(t *testing.T) {
	for _, test := range []struct{ keys, want string }{
		{`backend: a.b:1`, "server a.b:1 max_fails=0;"},
		{`backend: [127.0.0.1:1]`, "server 127.0.0.1:1;"},
		{`backend: ["a:1", "b:1"]`, "server a:1;\n    server b:1;"},
		{`backend: a:1 max_fails=3`, "server a:1 max_fails=3;"},
		{`backend: ["a:1 weight=3", "unix:/run/a.sock backup max_fails=0"], balance: least_conn, keepalive: 4`,
			"least_conn;\n    server a:1 weight=3;\n    server unix:/run/a.sock max_fails=0 backup;\n    keepalive 4;"},
		{`backend: ["a:1", "b:1"], balance: "hash $cookie_sid$arg_room consistent"`,
			"hash $cookie_sid$arg_room consistent;"},
		{`backend: "https://a.b:1"`, "proxy_ssl_trusted_certificate /etc/pki/tls/certs/ca-bundle.crt;"},
		{`backend: "https://a.b:1"`, "proxy_ssl_name a.b;"},
		{`backend: ["https://10.0.0.1:1", "https://10.0.0.2:1"], backend_tls: {name: app, ca: /ca.pem}`,
			"proxy_ssl_name app;"},
		{`backend: "https://10.0.0.1:1", backend_tls: {verify: false}`, "proxy_ssl_protocols TLSv1.2 TLSv1.3;"},
		{`backend: a.b:1, resolver: [10.0.0.2, "::1"]`, "resolver 10.0.0.2 [::1] ipv6=off;"},
	} {
		c, err := load("sites: [{name: a, server_name: a.b, locations: [{path: /x/, " + test.keys + "}]}]\n")
		if err != nil {
			t.Errorf("%s: %v", test.keys, err)
			continue
		}
		content, err := c.Marshal()
		if err != nil {
			t.Errorf("%s: written and read again: %v", test.keys, err)
		}
		again, err := load(string(content))
		one, _ := nginxtest.Alone(c.Sites[0])
		two, _ := nginxtest.Alone(again.Sites[0])
		if err != nil || string(one) != string(two) || !strings.Contains(string(one), test.want) {
			t.Errorf("%s: %v\n%s\nand again\n%s", test.keys, err, one, two)
		}
	}
}

// TestBackendsByFlags: --backend has several, in the order of the line.
func TestBackendsByFlags(t *testing.T) {
	c, err := load("", func(in *Input) {
		in.Flags = map[string]string{"server-name": "a.b", "backend": "unix:/run/a.sock weight=2,https://b:2"}
	})
	if err == nil || !strings.Contains(err.Error(), "flag --backend: is spoken to without TLS") {
		t.Errorf("%v %v", c, err)
	}
	c, err = load("", func(in *Input) {
		in.Flags = map[string]string{"server-name": "a.b", "backend": "unix:/run/a.sock weight=2,b:2"}
	})
	if err != nil || c.Sites[0].Locations[0].BackendFlag() != "unix:/run/a.sock weight=2,b:2" {
		t.Errorf("%v %v", c.Sites, err)
	}
}
