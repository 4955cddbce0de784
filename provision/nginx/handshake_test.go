package nginx

import "testing"

func TestInHandshake(t *testing.T) {
	for _, test := range []struct {
		name, http, value, want string
		unknown                 bool
	}{
		{name: "nothing", value: "", want: ""},
		{name: "the client's own", value: "$http_upgrade", want: "websocket"},
		{name: "in braces", value: "${http_Connection}", want: "Upgrade"},
		{name: "the tutorial's map", http: "map $http_upgrade $connection_upgrade { default upgrade; '' close; }",
			value: "$connection_upgrade", want: "upgrade"},
		{name: "a map that closes", http: "map $http_upgrade $c { default close; h2c upgrade; }", value: "$c",
			want: "close"},
		{name: "a map without default", http: "map $http_upgrade $c { h2c upgrade; }", value: "$c", want: ""},
		{name: "a regular expression", http: "map $http_upgrade $c { default close; ~*^WebSocket$ upgrade; }",
			value: "$c", want: "upgrade"},
		{name: "with case", http: "map $http_upgrade $c { default close; ~^WebSocket$ upgrade; }", value: "$c",
			want: "close"},
		{name: "a word goes first", http: "map $http_upgrade $c { ~web close; WEBSOCKET upgrade; }", value: "$C",
			want: "upgrade"},
		{name: "a map of a map", http: "map $http_upgrade $a { websocket 1; } map $a $b { 1 $http_upgrade; }",
			value: "$b", want: "websocket"},
		{name: "of two the later", http: "map $http_upgrade $a { default 1; } map $http_upgrade $a { default 2; }",
			value: "x$a", want: "x2"},
		{name: "1.0.0's", http: "map $http_upgrade $wsprovision_websocket_connection { default upgrade; '' close; }",
			value: "$wsprovision_websocket_connection", want: "upgrade"},
		{name: "a variable of nginx's", value: "$host", unknown: true},
		{name: "a map of such", http: "map $host $a { default 1; }", value: "$a", unknown: true},
		{name: "geo", http: "geo $a { default 1; }", value: "$a", unknown: true},
		{name: "names of hosts", http: "map $http_upgrade $a { hostnames; default 1; }", value: "$a", unknown: true},
		{name: "an expression of PCRE's own", http: "map $http_upgrade $a { ~(?!x) 1; }", value: "$a", unknown: true},
		{name: "maps in a ring", http: "map $b $a { default $b; } map $a $b { default $a; }", value: "$a",
			unknown: true},
	} {
		tree := load(t, t.TempDir(), map[string][]byte{conf: []byte("http { " + test.http + " }")})
		got, known := tree.InHandshake(test.value)
		if known == test.unknown || known && got != test.want {
			t.Errorf("%s: %q, %v, want %q, %v", test.name, got, known, test.want, !test.unknown)
		}
	}
	site := load(t, t.TempDir(), map[string][]byte{conf: []byte("http { include " + ours + "; }"),
		ours: []byte(rendered(t, example(80)))})
	for name, want := range map[string]string{"$wsprovision_websocket_upgrade": "websocket",
		"$wsprovision_websocket_connection": "upgrade"} {
		if got, known := site.InHandshake(name); got != want || !known {
			t.Errorf("%s of our own file: %q, %v, want %q", name, got, known, want)
		}
	}
}
