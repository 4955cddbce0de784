package handshake

import (
	"strings"
	"testing"
)

func TestParseURL(t *testing.T) {
	for _, tt := range []struct{ name, raw, address, host, path string }{
		{"plain", "ws://ws.example.com/ws/", "ws.example.com:80", "ws.example.com", "/ws/"},
		{"tls", "wss://ws.example.com/ws/", "ws.example.com:443", "ws.example.com", "/ws/"},
		{"no path", "ws://h", "h:80", "h", "/"},
		{"scheme in capitals", "WS://h/", "h:80", "h", "/"},
		{"port", "ws://h:8080/x", "h:8080", "h:8080", "/x"},
		{"default port left out of Host", "ws://h:80/x", "h:80", "h", "/x"},
		{"tls on 80", "wss://h:80/x", "h:80", "h:80", "/x"},
		{"query", "ws://h/ws?token=a%20b", "h:80", "h", "/ws?token=a%20b"},
		{"query alone", "ws://h?x=1", "h:80", "h", "/?x=1"},
		{"ipv4", "ws://127.0.0.1:3000", "127.0.0.1:3000", "127.0.0.1:3000", "/"},
		{"ipv6", "ws://[::1]/", "[::1]:80", "[::1]", "/"},
		{"ipv6 and port", "ws://[::1]:3000/", "[::1]:3000", "[::1]:3000", "/"},
		{"zone is for dialling only", "ws://[fe80::1%25eth0]:3000/", "[fe80::1%eth0]:3000", "[fe80::1]:3000", "/"},
		{"escapes kept", "ws://h/a%2Fb", "h:80", "h", "/a%2Fb"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseURL(tt.raw)
			if err != nil {
				t.Fatal(err)
			}
			if got.Address != tt.address || got.Host != tt.host || got.Path != tt.path {
				t.Errorf("got %q %q %q, want %q %q %q", got.Address, got.Host, got.Path, tt.address, tt.host, tt.path)
			}
			if want := strings.HasPrefix(tt.raw, "wss"); (got.TLS != nil) != want {
				t.Errorf("TLS is %v, want %v", got.TLS != nil, want)
			}
		})
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, tt := range []struct{ name, raw, want string }{
		{"empty", "", "must begin with ws:// or wss://"},
		{"no scheme", "h/ws/", "must begin with ws:// or wss://"},
		{"http", "http://h/", "a WebSocket's is ws"},
		{"https", "https://h/", "over TLS is wss"},
		{"no host", "ws:///ws/", "no host"},
		{"opaque", "ws:h", "no host"},
		{"port alone", "ws://:80/", "no host"},
		{"port 0", "ws://h:0/", "port 0: not between 1 and 65535"},
		{"port too high", "ws://h:65536/", "port 65536: not between 1 and 65535"},
		{"port 1a2b", "ws://h:1a2b/", `invalid port ":1a2b"`},
		{"port empty", "ws://h:/", "the port is empty"},
		{"user", "ws://u:p@h/", "send an Authorization header"},
		{"fragment", "ws://h/#a", "no fragment"},
		{"empty fragment", "ws://h/#", "no fragment"},
		{"line break", "ws://h/a\r\nX: y", "invalid control character"},
		{"space in path", "ws://h/a b?c d", "space"},
		{"international", "ws://bücher.example/", "xn--"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseURL(tt.raw)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, error %v, want %q", got, err, tt.want)
			}
		})
	}
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{
		"ws://h/", "wss://h:1/x?y", "ws://[::1%25lo]:9/", "ws://h/%zz", "ws://h\x00/", "WSS://H:443/#", "ws://a@b/",
		"ws://[/", "ws://%41/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		target, err := ParseURL(raw)
		if err != nil {
			return
		}
		if err := target.Validate(); err != nil {
			t.Fatalf("%q parses to a target that is not valid: %v", raw, err)
		}
		again, err := ParseURL(target.String())
		if err != nil {
			t.Fatalf("%q prints as %q: %v", raw, target, err)
		}
		if again.Host != target.Host || again.Path != target.Path || (again.TLS == nil) != (target.TLS == nil) {
			t.Fatalf("%q prints as %q, which reads as %+v, want %+v", raw, target, again, target)
		}
	})
}
