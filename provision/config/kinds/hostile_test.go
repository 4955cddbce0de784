package kinds

import (
	"strings"
	"testing"
)

// TestHostileValues: what could mean something to nginx's syntax, or nothing at all, is refused with its remedy.
func TestHostileValues(t *testing.T) {
	testValues(t, network, []valueCase{
		{"10.1.2.3", "10.1.2.3"}, {"10.0.0.0/8", "10.0.0.0/8"}, {"2001:DB8::/32", "2001:db8::/32"}, {"::1", "::1"},
		{"10.1.2.3/32", "10.1.2.3"}, {"0.0.0.0/0", "0.0.0.0/0"},
		{"10.0.0.1/8", "! write 10.0.0.0/8, or 10.0.0.1"}, {"10.0.0.0/33", "! how many bits"},
		{"10.0.0.0/", "! how many bits"}, {"10.0.0.0/08", "! how many bits"}, {"all", "! is no address"},
		{"localhost", "! is no address"}, {"10.0.0.0/8;", "! how many bits"}, {"fe80::1%eth0", "! is no address"},
		{"::ffff:10.0.0.1", "! write 10.0.0.1"}, {"::ffff:10.0.0.0/104", "! IPv4 address"}, {"", "! is empty"},
		{"unix:", "! is no address"}, {"10.1", "! is no address"}, {"010.0.0.1", "! is no address"},
	})
	testValues(t, proxy, []valueCase{
		{"10.0.0.0/8", "10.0.0.0/8"}, {"0.0.0.0/0", "! everybody"}, {"::/0", "! everybody"},
	})
	testValues(t, originValue, []valueCase{
		{"https://App.Example.com", "https://app.example.com"}, {"HTTPS://a", "https://a"},
		{"http://a:8080", "http://a:8080"},
		{"https://a:443", "https://a"}, {"http://a:80", "http://a"}, {"http://[::1]:8080", "http://[::1]:8080"},
		{"any", "any"}, {"null", "! anybody can make one"}, {"*", "! compared whole"},
		{"https://*.example.com", "! compared whole"},
		{"app.example.com", "! scheme and host"}, {"wss://a", "! scheme and host"}, {"file:///a", "! scheme and host"},
		{"https://a/", "! ends behind the host"}, {"https://a/x", "! ends behind the host"},
		{"https://a?", "! ends behind the host"}, {"https://a#", "! ends behind the host"},
		{"https://u:p@a", "! ends behind the host"}, {"https://a:0", "! the port"}, {"https://a:", "! the port"},
		{"https://a:99999", "! the port"}, {"https://a\"b", "! "}, {"https://a\nb", "! "}, {"https://é", "! punycode"},
		{"https://a b", "! "}, {"https://a;", "! "}, {"https://", "! scheme and host"}, {"", "! is empty"},
	})
	testValues(t, size, []valueCase{
		{"10m", "10m"}, {"10M", "10m"}, {"1", "1"}, {"unlimited", "0"}, {"999999999g", "999999999g"},
		{"0", "! write unlimited"}, {"10MB", "! is no size"}, {"1.5m", "! is no size"}, {"-1", "! is no size"},
		{"m", "! is no size"}, {"010", "! is no size"}, {"1000000000", "! is no size"}, {"1t", "! is no size"},
		{"1 m", "! is no size"}, {"1;", "! is no size"}, {"", "! is empty"}, {"0x10", "! is no size"},
	})
	testValues(t, reportAddress, []valueCase{
		{"https://a/b", "https://a/b"}, {"http://a:8080", "http://a:8080"},
		{"https://u:p@a/?t=1", "https://u:p@a/?t=1"},
		{"http://u:p@127.0.0.1:9/", "http://u:p@127.0.0.1:9/"}, {"http://u:p@[::1]/", "http://u:p@[::1]/"},
		{"http://u:p@localhost/", "http://u:p@localhost/"},
		{"http://u:p@a/", "! use https"}, {"http://a/?token=b", "! use https"},
		{"http://u@127.0.0.1.evil.example/", "! use https"},
		{"file:///etc/x", "! must start with http://"}, {"/etc/x", "! must start with"}, {"a/b", "! must start with"},
		{"https://", "! has no host"}, {"https:///x", "! has no host"}, {"https://a/#b", "! remove the #"},
		{"https://a:0/", "! the port"}, {"https://a/$basearch$x", "! only"}, {"https://a/ b", "! "},
		{"https://a/\nb", "! "}, {"https://a/\"", "! "}, {"", "! is empty"}, {"HTTPS://a/", "! must start with"},
	})
	testValues(t, textfile, []valueCase{
		{"/var/lib/node_exporter/w.prom", "/var/lib/node_exporter/w.prom"},
		{"/var/lib/w", "! must end in .prom"}, {"/var/lib/.prom", "! must end in .prom"}, {"w.prom", "! absolute"},
		{"/tmp/w.prom", "! is below /tmp"}, {"/var/tmp/a/w.prom", "! is below /var/tmp"},
		{"/root/w.prom", "! is below /root"}, {"/home/a/w.prom", "! is below /home"}, {"/a/../tmp/w.prom", "! without"},
		{"/a b.prom", "! white space"}, {"/a/w.prom\n", "! white space"}, {"", "! is empty"},
	})
	testValues(t, splay, []valueCase{
		{"0s", "0s"}, {"24h", "24h0m0s"}, {"24h1ms", "! from 0s to 24h"}, {"-1s", "! must be from"},
		{"75", "! 75 of what"}, {"1us", "! whole milliseconds"}, {"", "! is empty"},
	})
}

func TestHostileSnippets(t *testing.T) {
	testValues(t, snippet, []valueCase{
		{"a b;", "a b;"}, {"if ($a) { return 404; }", "if ($a) { return 404; }"}, {"a 'x;}';\n\n", "a 'x;}';"},
		{"a b; # }", "a b; # }"},
		{"}", "! would end the block"}, {"a;} server { listen 81;", "! would end the block"},
		{"a {", "! 1 } are missing"}, {"a { b; ", "! 1 } are missing"}, {"a", "! expecting"}, {"a 'b;", "! expecting"},
		{"include /etc/passwd;", "! include is not accepted"}, {"a { include x; }", "! include is not accepted"},
		{"'include' x;", "! include is not accepted"}, {"load_module x.so;", "! load_module is not accepted"},
		{"content_by_lua_block { }", "! Lua's"}, {"# nothing", "! holds no directive"}, {" ", "! holds no directive"},
		{"a\x00;", "! only printable"}, {"ä;", "! only printable"}, {"a;\r\n", "! only printable"},
		{strings.Repeat("a;", 9000), "! more than 16384"}, {"", "! is empty"},
	})
}

func TestHostileRegexes(t *testing.T) {
	for text, want := range map[string]string{
		`^/a$`: "", `\.(png|css)$`: "", `(?i)/x`: "", `/[^/"';{}]+`: "", `\x41`: "",
		"(": "is no regular expression", "a**": "is no regular expression", "(?<a>b)": "named group",
		"(?P<host>b)": "named group", `\pL`: "not read alike", `\x{41}`: "not read alike",
		`[[:alpha:]]`: "not read alike",
		"ä":           "only printable", "a\nb": "only printable", `(a)\1`: "is no regular expression",
		`\Qa\E`: "not read alike",
		"(?=a)": "is no regular expression", "a{1001}": "is no regular expression",
	} {
		err := RegexProblem(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
