package config

import (
	"bytes"
	"strings"
	"testing"
)

const probed = `sites:
- name: a
  server_name: a.b
  locations:
  - {path: /, backend: "c:1"}
  - {path: /ws/, backend: "c:2", PROBE}
  - {path: '\.(js|css)$', match: regex, root: /srv}
`

func withProbe(probe string) string { return strings.Replace(probed, "PROBE", probe, 1) }

// TestProbeIsNotRendered: whatever the proof sends, nginx is asked for nothing because of it.
func TestProbeIsNotRendered(t *testing.T) {
	with := rendered(t, withProbe(`probe: {path: "/ws/x?token=$a", headers: {X-A: "$b"}, credentials_file: /c,
      subprotocol: s, send: "x", expect: {message: "^x", subprotocol: s}}`))
	if without := rendered(t, withProbe("websocket: true")); with == nil || !bytes.Equal(with, without) {
		t.Errorf("%s\nwant\n%s", with, without)
	}
}

func TestHostileProbe(t *testing.T) {
	long := strings.Repeat("x", 1001)
	for _, tt := range []struct{ probe, want string }{
		{"probe: 1", "must be a mapping"},
		{"probe: {}", ""},
		{"probe: {paht: /ws/}", "did you mean path?"},
		{"probe: {path: /}", "/ comes to the location /: write one that comes to /ws/"},
		{"probe: {path: /ws/a.js}", "comes to the location"},
		{"probe: {path: '/ws/?a=1&b=%20'}", ""},
		{"probe: {path: '/ws/?a=1 HTTP/1.1'}", "what a query may not have"},
		{"probe: {path: \"/ws/?a\\r\\nX: y\"}", "what a query may not have"},
		{"probe: {path: '/ws/#a'}", "holds '#'"},
		{"probe: {path: /ws/../}", "resolves"},
		{"probe: {path: '/ws/?" + long + "'}", "more than 1000"},
		{"probe: {subprotocol: 'a, b'}", "holds ','"},
		{"probe: {subprotocol: \"a\\r\\nb\"}", "white space"},
		{"probe: {origin: any}", "is no origin that a page has"},
		{"probe: {origin: \"https://a\\r\\nX: y\"}", "is no origin"},
		{"probe: {headers: {Upgrade: h2c}}", "is set by nginx"},
		{"probe: {headers: {Sec-WebSocket-Key: x}}", "is set by nginx"},
		{"probe: {headers: {Host: x}}", "is the site's server_name"},
		{"probe: {headers: {Origin: x}}", "has a key of its own"},
		{"probe: {headers: {X: \"s3cret\\r\\nY: z\"}}", "not printable ASCII"},
		{"probe: {headers: {X: 'a', x: 'b'}}", "stands twice"},
		{"probe: {headers: {Authorization: x}, credentials_file: /c}", "in that file alone"},
		{"probe: {credentials_file: c}", "absolute"},
		{"probe: {certificate: /c, key: /k}", "is for tls.client_ca"},
		{"probe: {certificate: /c}", "belong together"},
		{"probe: {send: ''}", "is empty"},
		{"probe: {expect: {status: 100}}", "from 101 to 499"},
		{"probe: {expect: {status: 103}}", "no last answer"},
		{"probe: {expect: {status: 502}}", "from 101 to 499"},
		{"probe: {expect: {status: 403, message: x}}", "opens no WebSocket"},
		{"probe: {send: x, expect: {status: 403}}", "opens no WebSocket"},
		{"probe: {expect: {message: '('}}", "is no regular expression"},
		{"probe: {expect: {message: '" + long + "'}}", "more than 1000"},
		{"probe: {subprotocol: a, expect: {subprotocol: b}}", "chooses of what is offered"},
		{"websocket: false, probe: {path: /ws/}", "is for WebSockets"},
	} {
		_, err := load(withProbe(tt.probe))
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.probe, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%.80s: %v, want %q", tt.probe, err, tt.want)
		case err != nil && strings.Contains(err.Error(), "s3cret"):
			t.Errorf("%.80s: the error shows the value of a header: %v", tt.probe, err)
		}
	}
}

// TestProbeHeadersAreHidden: the effective configuration shows that a header is sent, and not what is in it.
func TestProbeHeadersAreHidden(t *testing.T) {
	content := withProbe(`probe: {headers: {Authorization: "Bearer s3cret", X-Blue: s3cret}}`)
	read := func(string) ([]byte, error) { return []byte(content), nil }
	shown, err := Explain(Input{File: "/x", ReadFile: read})
	if err != nil || strings.Contains(string(shown), "s3cret") || !strings.Contains(string(shown), "X-Blue: …") {
		t.Errorf("%v\n%s", err, shown)
	}
}
