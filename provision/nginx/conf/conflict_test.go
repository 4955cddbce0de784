package conf

import (
	"fmt"
	"strings"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/site"
)

func TestConflicts(t *testing.T) {
	const other = "/etc/nginx/conf.d/other.conf"
	const proxied = "! listen 0.0.0.0:80: proxy_protocol there holds for this site too: nginx then drops every " +
		"client that does not begin with it"
	const plain2 = "! listen 0.0.0.0:80: http2 without ssl there holds for this site too: nginx then takes HTTP/2 " +
		"only, and no WebSocket comes through in OTHER:1"
	const narrow = "listen 0.0.0.0:80: what comes to 192.0.2.1:80 is answered there and never reaches this site in " +
		"OTHER:1"
	siteOf := func() site.Site { return nginxtest.Example(80) }
	for _, test := range []struct {
		name, other string
		spoil       func(*site.Site)
		want        []string
	}{
		{"nothing", "server { server_name example.com; }", nil, nil},
		{"same name", "server {\n server_name a WS.example.com; }", nil, []string{"! server_name ws.example.com: on " +
			"0.0.0.0:80 there too; nginx would ignore ours, which comes later in OTHER:1"}},
		{"same name, leading dot", "server { server_name .example.com; }", func(s *site.Site) {
			s.ServerNames = []string{"example.com"}
		}, []string{"! server_name example.com: on 0.0.0.0:80 there too; nginx would ignore ours, which comes later " +
			"in OTHER:1"}},
		{"same name, other port", "server { listen 81; server_name ws.example.com; }", nil, nil},
		{"same name, other spelling of the address", "server { listen *:80; server_name ws.example.com; }", nil,
			[]string{"! server_name ws.example.com: on 0.0.0.0:80 there too; nginx would ignore ours, which comes " +
				"later in OTHER:1"}},
		{"upstream", "\nupstream WSPROVISION_websocket_0 { server 127.0.0.1:1; }", nil,
			[]string{"! upstream wsprovision_websocket_0: defined there too in OTHER:2"}},
		{"map", "map $x $Wsprovision_websocket_connection { default 1; }", nil,
			[]string{"! variable $wsprovision_websocket_connection: defined there too, by map in OTHER:1"}},
		{"geo", "geo $wsprovision_websocket_connection { default 1; }", nil,
			[]string{"! variable $wsprovision_websocket_connection: defined there too, by geo in OTHER:1"}},
		{"set", "server { listen 81; location / { set $wsprovision_websocket_connection 1; } }", nil,
			[]string{"! variable $wsprovision_websocket_connection: defined there too, by set in OTHER:1"}},
		{"specific address", "server { listen 192.0.2.1:80; server_name a; }", nil,
			[]string{"listen 0.0.0.0:80: what comes to 192.0.2.1:80 is answered there and never reaches this site " +
				"in OTHER:1"}},
		{"ssl there", "server { listen 80 ssl; server_name a; }", nil, []string{"! listen 0.0.0.0:80: one of the two " +
			"servers on it has ssl, and nginx then speaks TLS for both in OTHER:1"}},
		{"proxy_protocol", "server { listen 80 proxy_protocol; server_name a; }", nil,
			[]string{proxied + " in OTHER:1"}},
		{"proxy_protocol elsewhere", "server { listen 192.0.2.1:80 proxy_protocol; server_name a; }", nil,
			[]string{narrow}},
		{"http2 in plain text", "server { listen 80 http2; server_name a; }", nil, []string{plain2}},
		{"http2 by TLS", "server { listen 443 ssl http2; server_name a; }", func(s *site.Site) {
			s.Listen, s.TLS = []site.Listen{{Port: 443}}, &site.TLS{Certificate: "/c.pem", Key: "/k.pem"}
		}, nil},
		{"many of a kind", strings.Repeat("server { listen 80 proxy_protocol; server_name a; }\n", 9), nil, []string{
			proxied + " in OTHER:1", proxied + " in OTHER:2", proxied + " in OTHER:3", proxied + " in OTHER:4",
			proxied + " (one of many) in OTHER:5",
		}},
		{"ipv6 beside ipv4", "server { listen [::]:80; listen [::1]:80; server_name ws.example.com; }", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := siteOf()
			if test.spoil != nil {
				test.spoil(&s)
			}
			root := epelRoot(t, "1.20.1", map[string]string{other: test.other})
			var got []string
			for _, c := range load(t, root, map[string][]byte{ours: []byte(nginxtest.Rendered(t, s))}).Conflicts(ours) {
				text := strings.ReplaceAll(c.String(), other, "OTHER")
				if c.Fatal {
					text = "! " + text
				}
				got = append(got, text)
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", test.want) {
				t.Errorf("\nwant %q\ngot  %q", test.want, got)
			}
		})
	}
}

func TestConflictsOfPlace(t *testing.T) {
	for _, test := range []struct{ name, conf, want string }{
		{"not included", "http { }", "/etc/nginx/conf.d/websocket.conf is not included by any include"},
		{"outside http", "include conf.d/*.conf;", `included outside http (in "")`},
		{"in a server", "http { server { include conf.d/*.conf; } }", `included outside http (in "http server")`},
		{"twice", "http { include conf.d/*.conf;\ninclude conf.d/w*.conf; }",
			"is included twice, first in /etc/nginx/nginx.conf:1"},
	} {
		tree := load(t, t.TempDir(), map[string][]byte{conf: []byte(test.conf), ours: []byte("map a $b {}")})
		found := tree.Conflicts(ours)
		if len(found) != 1 || !found[0].Fatal || !strings.Contains(found[0].Message, test.want) {
			t.Errorf("%s: want %q, got %v", test.name, test.want, found)
		}
	}
}

func TestConflictOfDefaultServers(t *testing.T) {
	tree := load(t, epelRoot(t, "1.16", nil),
		map[string][]byte{ours: []byte("server { listen *:80 default_server; server_name x; }")})
	found := tree.Conflicts(ours)
	if len(found) != 1 || !found[0].Fatal ||
		found[0].String() != "default_server: a duplicate default server for 0.0.0.0:80 in /etc/nginx/nginx.conf:28" {
		t.Errorf("%v", found)
	}
}
