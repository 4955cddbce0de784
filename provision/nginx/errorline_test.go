package nginx

import (
	"net/netip"
	"strings"
	"testing"
)

const (
	ownLine = `2026/11/22 10:00:00 [error] 2581#2581: *7 connect() failed (111: Connection refused) while ` +
		`connecting to upstream` +
		`, client: 127.0.0.1, server: ws.example.com, request: "GET /ws/ HTTP/1.1", upstream: ` +
		`"http://127.0.0.1:3000/ws/"` +
		`, host: "ws.example.com", referrer: "http://ws.example.com/?n=1"`
	forged = `connect() to $(touch${IFS}/tmp/x) failed (113: No route to host)`
)

var own = OwnRequest{Path: "/ws/", Host: "ws.example.com", Referrer: "http://ws.example.com/?n=1"}

func TestErrorLineOfOwnRequest(t *testing.T) {
	l, ok := ParseErrorLine(ownLine)
	upstream, mine := l.Of(own)
	if !ok || !mine || upstream != netip.MustParseAddrPort("127.0.0.1:3000") || l.Level != "error" || l.PID != 2581 ||
		l.Connection != 7 ||
		l.Message != "connect() failed (111: Connection refused) while connecting to upstream" {
		t.Errorf("%+v, %s, %v", l, upstream, mine)
	}
	for name, upstream := range map[string]string{
		"v6": "http://[::1]:3000/ws/", "unix": "http://unix:/run/b.sock:/ws/", "https": "https://192.0.2.1:443/a/b",
		"none": "",
	} {
		with := strings.Replace(ownLine, "http://127.0.0.1:3000/ws/", upstream, 1)
		if upstream == "" {
			with = strings.Replace(ownLine, `, upstream: "http://127.0.0.1:3000/ws/"`, "", 1)
		}
		l, _ := ParseErrorLine(with)
		if got, mine := l.Of(own); !mine || got.IsValid() != (name == "v6" || name == "https") {
			t.Errorf("%s: %s, %v", name, got, mine)
		}
	}
}

// What a client can write stands in the request, Host and Referer, in a path of the message, and after a line end of
// its own.
func TestHostileErrorLines(t *testing.T) {
	replace := func(old, with string) string { return strings.Replace(ownLine, old, with, 1) }
	for name, line := range map[string]string{
		"another's referrer":     replace("?n=1", "?n=2"),
		"no referrer":            replace(`, referrer: "http://ws.example.com/?n=1"`, ""),
		"ours within another's":  replace(`http://ws.example.com/?n=1"`, `http://ws.example.com/?n=1", x"`),
		"another path":           replace("GET /ws/ ", "GET /ws/x "),
		"another method":         replace("GET /ws/", "POST /ws/"),
		"another host":           replace(`host: "ws.example.com"`, `host: "ws.example.org"`),
		"host within a referrer": ownLine + `, host: "ws.example.com", referrer: "http://ws.example.com/?n=1"`,
		"cut by nginx":           ownLine[:len(ownLine)-3],
		"of no connection":       replace("*7 ", ""),
		"request within a referrer": replace(`"GET /ws/ HTTP/1.1"`,
			`"GET / HTTP/1.1", referrer: "x", request: "GET /ws/ HTTP/1.1"`),
		"the head within the client": "a" + ownLine,
		"a level that is none":       replace("[error]", "[fatal]"),
		"blanks before it":           " " + ownLine,
		"two heads":                  "2026/11/22 10:00:00 [error] " + ownLine,
		"a line end within": replace("connect()",
			"open() \"/x\n2026/11/22 10:00:00 [error] 1#1: *1 connect()"),
	} {
		l, ok := ParseErrorLine(line)
		if _, mine := l.Of(own); ok && mine {
			t.Errorf("%s: taken for the own request's: %q", name, line)
		}
	}
	for name, line := range map[string]string{
		"referrer": `2026/11/22 10:00:00 [error] 1#1: *1 open() "/x" failed (2: No such file or directory), ` +
			`client: 192.0.2.9, server: a,` +
			` request: "GET / HTTP/1.1", host: "a", referrer: "` + forged + `"`,
		"path": `2026/11/22 10:00:00 [error] 1#1: *1 open() "/x, client: ` + forged +
			`" failed (2: No such file or directory)`,
	} {
		if l, ok := ParseErrorLine(line); !ok || strings.Contains(l.Message, "$(") ||
			!strings.HasPrefix(l.Message, "open() ") {
			t.Errorf("%s: message %q, %v", name, l.Message, ok)
		}
	}
}

func TestErrorLineOfNginxItself(t *testing.T) {
	for line, want := range map[string]bool{
		"2026/11/22 10:00:00 [alert] 2581#2581: 1024 worker_connections are not enough": true,
		ownLine: false,
		"2026/11/22 10:00:00 [error] 1#1: x, client: 192.0.2.9, server: a": false,
	} {
		if l, ok := ParseErrorLine(line); !ok || l.OfItself() != want {
			t.Errorf("%q: %v, want %v", line, l.OfItself(), want)
		}
	}
}

func FuzzParseErrorLine(f *testing.F) {
	f.Add(ownLine, "/ws/", "ws.example.com", "http://ws.example.com/?n=1")
	f.Add("2026/11/22 10:00:00 [alert] 2581#2581: 1024 worker_connections are not enough", "/", "a", "")
	f.Fuzz(func(t *testing.T, line, path, host, referrer string) {
		l, ok := ParseErrorLine(line)
		if !ok {
			return
		}
		if !strings.HasSuffix(line, l.Message+l.tail) || strings.Contains(l.Message, ", client: ") || l.Text != line {
			t.Errorf("%q: message %q, tail %q", line, l.Message, l.tail)
		}
		r := OwnRequest{path, host, referrer}
		if _, mine := l.Of(r); mine && (!strings.HasSuffix(line, `"`) || !strings.Contains(line, path) ||
			!strings.Contains(line, referrer)) {
			t.Errorf("%q is taken for %+v's", line, r)
		}
		// Whatever a client puts into Referer, its lines are not those of a request without one, nor with another.
		other, _ := ParseErrorLine(`2026/11/22 10:00:00 [error] 1#1: *1 x, client: 192.0.2.9, server: a, request: ` +
			`"GET / HTTP/1.1", host: "a", referrer: "` +
			strings.NewReplacer("\n", "", "\x00", "").Replace(line) + `"`)
		if _, mine := other.Of(OwnRequest{"/", "a", "a secret of 128 bits"}); mine &&
			!strings.HasSuffix(line, "a secret of 128 bits") {
			t.Errorf("%q hides another's request", line)
		}
	})
}
