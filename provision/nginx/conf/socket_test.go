package conf

import (
	"strings"
	"testing"

	"wsprovision/provision/nginx/nginxtest"
	"wsprovision/provision/site"
)

// TestSockets: what other servers on a site's socket mean for it, and it for them.
func TestSockets(t *testing.T) {
	const stock = "server { listen 80; server_name _; root /usr/share/nginx/html; }"
	tls := func(profile string) func(*site.Site) {
		return func(s *site.Site) {
			s.TLS, s.Listen = &site.TLS{Certificate: "/c.pem", Key: "/k.pem"}, []site.Listen{{Port: 443}}
			if profile == "client" {
				s.TLS.ClientCA = "/ca.pem"
			} else {
				s.TLS.Profile = "modern"
			}
		}
	}
	proxied := func(s *site.Site) {
		s.Listen[0].ProxyProtocol = true
		s.TrustedProxies, s.RealIPHeader = []string{"10.0.0.1"}, "proxy_protocol"
	}
	for _, test := range []struct {
		name, before, behind string
		change               func(*site.Site)
		want                 []string // "! " before what is fatal
	}{
		{"alone", "", "", nil, nil},
		{"EPEL's page behind", "", stock, nil,
			[]string{"EPEL's stock page answered requests for names that no server has"}},
		{"somebody's block behind", "", "server { listen 80; server_name x; }", nil,
			[]string{"a server block answered requests"}},
		{"on another socket", "", "server { listen 81; }", nil, nil},
		{"somebody's before", "server { listen 80; server_name x; }", stock, nil, nil},
		{"somebody's default", "", "server { listen 80 default_server; server_name x; }", nil, nil},
		{"PROXY lines for EPEL's page", "", stock, proxied,
			[]string{"EPEL's stock page answered", "EPEL's stock page is there without proxy_protocol"}},
		{"PROXY lines for somebody", "server { listen 80; server_name x; }", "", proxied,
			[]string{"! a server block is there without proxy_protocol"}},
		{"PROXY lines for all", "server { listen 80 proxy_protocol; server_name x; }", "", proxied, nil},
		{"clients of two", "server { listen 443 ssl; ssl_verify_client on; ssl_protocols TLSv1.2 TLSv1.3; }", "",
			tls("client"),
			[]string{"! the default server of the socket verifies clients too"}},
		{"clients of two, by http", "ssl_verify_client optional; ssl_protocols TLSv1.3 TLSv1.2;\nserver { listen 443 " +
			"ssl; }", "",
			tls("client"), []string{"! the default server of the socket verifies clients too"}},
		{"clients of one", "server { listen 443 ssl; ssl_verify_client off; ssl_protocols TLSv1.3 TLSv1.2; }", "",
			tls("client"), nil},
		{"other protocols", "server { listen 443 ssl; ssl_protocols TLSv1 TLSv1.3; }", "", tls("modern"),
			[]string{"its ssl_protocols are TLSv1 TLSv1.3, where the site websocket asks for TLSv1.3"}},
		{"no protocols", "server { listen 443 ssl; }", "", tls("modern"), []string{"it says nothing of " +
			"ssl_protocols"}},
		{"the same protocols", "server { listen 443 ssl; ssl_protocols TLSv1.3; }", "", tls("modern"), nil},
	} {
		s := nginxtest.Example(80)
		if test.change != nil {
			test.change(&s)
		}
		tree, err := Load("", "/nginx.conf", map[string][]byte{
			"/nginx.conf": []byte("http {\n" + test.before + "\ninclude /site.conf;\n" + test.behind + "\n}"),
			"/site.conf":  []byte(nginxtest.Rendered(t, s))})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range tree.Sockets(s, "/site.conf", func(file string) bool { return file == "/site.conf" }) {
			mark := ""
			if c.Fatal {
				mark = "! "
			}
			got = append(got, mark+c.Message)
		}
		same := len(got) == len(test.want)
		for i := range min(len(got), len(test.want)) {
			_, fatal := strings.CutPrefix(test.want[i], "! ")
			same = same && strings.HasPrefix(got[i], "! ") == fatal &&
				strings.Contains(got[i], strings.TrimPrefix(test.want[i], "! "))
		}
		if !same {
			t.Errorf("%s: %q\nwant %q", test.name, got, test.want)
		}
	}
}
