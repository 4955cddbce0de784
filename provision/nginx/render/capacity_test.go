package render

import (
	"strings"
	"testing"
)

// The backlog stands once for each socket, whatever many sites share it, and where nobody else has an option of the
// socket; a location whose backends need more ports than one address has connects from several.
func TestRenderCapacity(t *testing.T) {
	one := func(name string, sockets ...Listen) Site {
		return Site{Name: name, ServerNames: []string{name + ".example.com"}, Listen: sockets,
			Locations: []Location{{Path: "/", WebSocket: true, Backends: []Backend{{Host: "127.0.0.1", Port: 3000}}},
				{Path: "/plain/", Backends: []Backend{{Host: "127.0.0.1", Port: 3000}}}}}
	}
	in := Installed{Backlog: 20000, Settled: []string{"8443"}, Sources: func(Location) int { return 3 }}
	files, err := in.Render([]Site{one("a", Listen{Port: 80}, Listen{Address: "::", Port: 80}),
		one("b", Listen{Port: 80}, Listen{Port: 8443}, Listen{Address: "0.0.0.0", Port: 81})})
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, f := range files {
		text += string(f.Content)
	}
	for what, want := range map[string]int{"listen 80 backlog=20000;": 1, "listen [::]:80 backlog=20000;": 1,
		"listen 80;": 1, "listen 8443;": 1, "listen 81 backlog=20000;": 1, "backlog": 3, "proxy_bind $wsprovision_": 2,
		"33.33% 127.0.0.1;": 2, "33.33% 127.0.0.2;": 2, "*      127.0.0.3;": 2} {
		if got := strings.Count(text, what); got != want {
			t.Errorf("%q stands %d times, want %d:\n%s", what, got, want, text)
		}
	}
}
