package kinds

import (
	"fmt"
	"strings"
	"testing"
)

// parsed is what became of a value: its text, or its problem.
func parsed[T any](parse func(Scalar) (T, error), s Scalar) string {
	v, err := parse(s)
	if err != nil {
		return "! " + err.Error()
	}
	return fmt.Sprint(v)
}

type valueCase struct{ in, want string } // want with "! " is part of the error

func testValues[T any](t *testing.T, parse func(Scalar) (T, error), cases []valueCase) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.in, func(t *testing.T) {
			got := parsed(parse, Scalar{Text: tc.in})
			problem, wrong := strings.CutPrefix(tc.want, "! ")
			if !wrong && got != tc.want || wrong && (!strings.HasPrefix(got, "! ") || !strings.Contains(got, problem)) {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestBackend(t *testing.T) {
	testValues(t, backend, []valueCase{
		{"127.0.0.1:3000", "127.0.0.1:3000"},
		{"[::1]:3000", "[::1]:3000"},
		{"[0:0:0:0:0:0:0:1]:3000", "[::1]:3000"},
		{"localhost:1", "localhost:1"},
		{"app-1.example.com:65535", "app-1.example.com:65535"},
		{"::1:3000", "! written in brackets: write [::1]:3000"},
		{"fe80::1:3000", "! write [fe80::1]:3000"},
		{"[fe80::1%eth0]:3000", "! only letters"},
		{"[::1]", "! the port is missing: write [::1]:3000"},
		{"[::1]3000", "! the port is missing"},
		{"[127.0.0.1]:3000", "! is no IPv6 address"},
		{"[]:3000", "! is no IPv6 address"},
		{"[::1:3000", `! is no`},
		{"]:3000", "! "},
		{"127.0.0.1", "! the port is missing: write 127.0.0.1:3000"},
		{"3000", "! the host is missing: write 127.0.0.1:3000"},
		{":3000", "! the host is missing: write 127.0.0.1:3000"},
		{"127.0.0.1:", "! the port must be a number from 1 to 65535"},
		{"a:0", "! the port must be"}, {"a:65536", "! the port must be"}, {"a:1a2b", "! the port must be"},
		{"a:+80", "! "}, {"a:-1", "! the port must be"}, {"a:080", "! the port must be"},
		{"a:0x50", "! the port must be"},
		{"a:99999999999999999999", "! the port must be"}, {"a:18446744073709551696", "! the port must be"},
		{"ws://127.0.0.1:3000", "! a URL is not accepted here: write 127.0.0.1:3000"},
		{"wss://a/x", "! write https://a:443"}, {"wss://a:8443", "! write https://a:8443"},
		{"http://[::1]", "! write [::1]:80"}, {"http://", "! host and port only"},
		{"unix:/run/a.sock", "unix:/run/a.sock"}, {"unix:/srv/app/a-1@b.sock", "unix:/srv/app/a-1@b.sock"},
		{"unix:", "! is absolute: write unix:/run/app/app.sock"}, {"unix:a.sock", "! is absolute"},
		{"unix:/", "! names a file"}, {"unix:/run//a", "! names a file"}, {"unix:/run/../etc/a", "! names a file"},
		{"unix:/run/a/", "! names a file"}, {"unix:/tmp/a.sock", "! PrivateTmp"}, {"unix:/var/tmp/x/a", "! PrivateTmp"},
		{"unix:/run/a;b", "! holds ';'"}, {"unix:/run/$a", "! holds '$'"}, {"unix:/run/a:b", "! holds ':'"},
		{"unix:/run/a,b", "! holds ','"}, {"unix:/run/{a}", "! holds '{'"}, {"unix:/run/a\nb", "! holds white space"},
		{"unix:/run/é", "! only ASCII"}, {"unix:/" + strings.Repeat("a", 106), "unix:/" + strings.Repeat("a", 106)},
		{"unix:/" + strings.Repeat("a", 107), "! at most 107 characters, and this one 108"},
		{"https://a.b:8443", "https://a.b:8443"}, {"https://[::1]:1", "https://[::1]:1"},
		{"https://a:1/", "https://a:1"},
		{"https://a", "! the port is missing: write https://a:443"}, {"https://[::1]", "! write https://[::1]:443"},
		{"https://", "! the port is missing"}, {"https://a:1/x", "! an address has no path"},
		{"https://u:p@a:1", "! "}, {"https://a:1;b", "! only letters"}, {"HTTPS://a:1", "! write https://a:1"},
		{"https://unix:/run/a", "! "}, {"https:///run/a:1", "! "},
		{"a:1 weight=3", "a:1"}, {"a:1 backup max_fails=0 weight=100", "a:1"}, {"unix:/run/a backup", "unix:/run/a"},
		{"a:1 weight=0", "! weight is a number from 1 to 100"}, {"a:1 weight=101", "! weight is"},
		{"a:1 weight=+1", "! weight is"}, {"a:1 weight=01", "! weight is"}, {"a:1 weight", "! weight is"},
		{"a:1 max_fails=-1", "! max_fails is a number from 0 to 100"}, {"a:1 max_fails=1e1", "! max_fails is"},
		{"a:1 backup=1", "! is no option of a backend"}, {"a:1 backup backup", "! backup stands twice"},
		{"a:1 weight=1 weight=2", "! weight stands twice"}, {"a:1 down", "! is no option"}, {"a:1 ", "! is no option"},
		{"a:1  backup", "! is no option"}, {"a:1 backup;", "! is no option"}, {"a:1 resolve", "! is no option"},
		{"127.0.0.1:3000/ws", "! an address has no path"},
		{"127.0.0.256:1", `! "127.0.0.256" is no IPv4 address`}, {"127.1:1", "! is no IPv4 address"},
		{"010.0.0.1:1", "! is no IPv4 address"},
		{"0.0.0.0:3000", "! is no address to connect to"}, {"[::]:3000", "! is no address to connect to"},
		{"224.0.0.1:1", "! is no address to connect to"},
		{"a;b:1", "! only letters"}, {"a b:1", "! only letters"}, {"$host:1", "! only letters"},
		{"a\nb:1", "! only letters"},
		{"app_server:3000", "app_server:3000"}, {"-a:1", "! a host name is made of"}, {"a..b:1", "! a host name is " +
			"made of"},
		{"a.:1", "! without the dot"},
		{"*.a.b:1", "! only letters"}, {"", "! is empty"},
		{"[::ffff:127.0.0.1]:3000", "! IPv4 address in IPv6's spelling: write 127.0.0.1"},
		{"[::ffff:0.0.0.0]:1", "! is no address to connect to"},
	})
}

func TestListen(t *testing.T) {
	testValues(t, listen, []valueCase{
		{"80", "80"}, {"127.0.0.1:8080", "127.0.0.1:8080"}, {"0.0.0.0:80", "0.0.0.0:80"}, {"[::]:80", "[::]:80"},
		{"[0::0]:443", "[::]:443"},
		{"0", "! the port must be"}, {"65536", "! the port must be"}, {"080", "! the port must be"},
		{"+80", "! the port must be"},
		{"8e1", "! the port must be"}, {"80.0", "! the port must be"}, {"127.0.0.1:0", "! the port must be"},
		{"127.0.0.1:080", "! the port must be"},
		{"127.0.0.1:http", "! the port must be"}, {"127.0.0.1", "! "},
		{"*:80", "! write the port alone for every IPv4 address: 80"},
		{"localhost:80", "! write a port, or an IP address"},
		{"80 default_server", "! no options"}, {"unix:/run/a", "! write a port"}, {"::80", "! write a port"},
		{"[fe80::1%lo]:80", "! write a port"},
		{"[::ffff:10.0.0.1]:80", "! IPv4 address in IPv6's spelling: write 10.0.0.1"},
		{"224.0.0.1:80", "! write a port"}, {"80;", "! write a port"}, {"", "! is empty"},
	})
}

func TestServerName(t *testing.T) {
	label := strings.Repeat("a", 63)
	testValues(t, serverName, []valueCase{
		{"ws.example.com", "ws.example.com"}, {"WS.Example.com", "WS.Example.com"}, {"localhost", "localhost"},
		{"192.0.2.1", "192.0.2.1"},
		{"*.example.com", "*.example.com"}, {"xn--bcher-kva.example", "xn--bcher-kva.example"},
		{label + ".com", label + ".com"},
		{label + "a.com", "! a host name is made of"}, {strings.Repeat(label+".", 4) + "com", "! at most 253"},
		{"_", "! names no host"}, {"~^ws", "! a regular expression"},
		{".example.com", "! list both example.com and *.example.com"},
		{"*", "! a wildcard stands for"}, {"*.com", "! a wildcard stands for"}, {"ws.*", "! a wildcard stands for"},
		{"*.*.a.b", "! a host name is made of"},
		{"my_host.example.com", "my_host.example.com"}, {"a-.b", "! a host name is made of"},
		{"a.example.com.", "! without the dot"},
		{"a..b", "! a host name"}, {"-a.b", "! a host name"},
		{"1.2.3.4.5", "! no IPv4 address"}, {"bücher.example", "! punycode"}, {"http://a.b", "! a name is not a URL"},
		{"a.b;", "! a host name"}, {"a b", "! a host name"}, {"a{", "! a host name"}, {`a"`, "! a host name"},
		{"$a", "! a host name"},
		{"a\\", "! a host name"}, {"a\n", "! a host name"}, {"a\x00", "! a host name"}, {"a:80", "! a host name"},
		{"", "! is empty"},
	})
}

func TestNamesAndPaths(t *testing.T) {
	testValues(t, siteName, []valueCase{
		{"a", "a"}, {"0-a_b", "0-a_b"}, {strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{strings.Repeat("a", 65), "! up to 64"},
		{"-a", "! no name"}, {"_", "! no name"}, {"A", "! no name"}, {"a.b", "! no name"}, {"../a", "! no name"},
		{"a/b", "! no name"}, {"é", "! no name"}, {"", "! is empty"},
	})
	testValues(t, LocationPath, []valueCase{
		{"/", "/"}, {"/ws/", "/ws/"}, {"/a.b/~c:d@e,f+g=h!i&j(k)*", "/a.b/~c:d@e,f+g=h!i&j(k)*"}, {"/...", "/..."},
		{"ws", "! must start with /"}, {"//", "! would match nothing"}, {"/a/../b", "! would match nothing"},
		{"/a/..", "! would match nothing"},
		{"/a/.", "! would match nothing"}, {"/%20", "! decoded path"}, {"/a b", "! white space"},
		{"/a;b", "! holds ';'"}, {"/a{", "! holds '{'"},
		{"/}", "! holds '}'"}, {"/$uri", "! holds '$'"}, {`/"`, `! holds '"'`}, {"/'", "! holds"}, {`/\`, "! holds"},
		{"/#", "! holds"}, {"/?a", "! holds"},
		{"/\n", "! white space"}, {"/\x00", "! holds"}, {"/é", "! only ASCII"},
		{"/" + strings.Repeat("a", 1000), "! more than 1000"}, {"", "! is empty"},
	})
	testValues(t, filePath, []valueCase{
		{"/etc/pki/a.pem", "/etc/pki/a.pem"}, {"a.pem", "! absolute"}, {"/", "! name a file"},
		{"/a/", "! name a file"}, {"/a/../b", "! name a file"},
		{"/a b", "! white space"}, {"/a;", "! holds"}, {"/$a", "! holds"}, {"/a\n", "! white space"},
		{"/" + strings.Repeat("a", 1000), "! more than 1000"}, {"", "! is empty"},
	})
}

// epel7 is the fingerprint of EPEL 7's key.
const epel7 = "91E97D7C4A5E96F17F3E888F6A2FAEA2352C64E5"

func TestEPELValues(t *testing.T) {
	testValues(t, urlOrPath, []valueCase{
		{"/a.rpm", "/a.rpm"}, {"https://a.b/c?d=e%20f", "https://a.b/c?d=e%20f"},
		{"http://[::1]:8080/a", "http://[::1]:8080/a"}, {"file:///a", "file:///a"},
		{"a.rpm", "! or be an absolute path"}, {"ftp://a/b", "! must start with"}, {"https:///a", "! has no host"},
		{"file://a/b", "! three slashes"},
		{"https://u:secret@a/b", "https://u:secret@a/b"},
		{"https://a/#b", "! remove the #"}, {"https://a/$basearch", "! holds '$'"}, {"https://a/\nb", "! "},
		{"https://a/'b", "! holds"}, {"https://a/;b", "! holds"}, {"https://a/ b", "! "},
		{"https://é/", "! only ASCII"},
		{"https://a/" + strings.Repeat("a", 1000), "! more than 1000"}, {"", "! is empty"},
	})
	testValues(t, baseURL, []valueCase{
		{"http://a/7/$basearch/", "http://a/7/$basearch/"}, {"http://a/$releasever", "http://a/$releasever"},
		{"http://a/$x", "! only $basearch"}, {"/srv", "! must start with"},
		{"http://a/b,c/", "! holds ','"}, {"HTTP://a/", "! must start with"},
		{"http://a:port/", "! no URL: invalid port"},
	})
	testValues(t, fingerprint, []valueCase{
		{" 91e9 7d7c4a5e96f17f3e 888f6a2faea2352c64e5 ", epel7}, {epel7[1:], "! 40 hex"},
		{"0x" + epel7, "! 40 hex"},
		{"G" + epel7[1:], "! 40 hex"}, {"  ", "! is empty"},
	})
}

// What is wrong with a URL is said without its user, password and query.
func TestHostileURLProblems(t *testing.T) {
	for _, value := range []string{
		"ftp://u:s3cret@a/", "https://u:s3cret@/", "file://u:s3cret@a/b", "https://u:s3cret@a/#x",
		"https://u:s3cret@a/;", "https://u:s3cret@a/$x",
		"https://a/?s3cret#x", "https://u:s3cret@a/%zz", "https://u:s3cret@a:x/",
		"https://u:s3cret@a/ b", "https://u:s3/cret@a/",
		"https://u:s3cret@a/" + strings.Repeat("a", 1000),
	} {
		for _, parse := range []func(Scalar) (string, error){urlOrPath, baseURL} {
			if _, err := parse(Scalar{Text: value}); err == nil || strings.Contains(err.Error(), "cret") {
				t.Errorf("%q: %v", value, err)
			}
		}
	}
}
