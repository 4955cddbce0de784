package nginxtest

import (
	"testing"

	"wsprovision/provision/nginx/render"
	"wsprovision/provision/site"
)

// Example is a site with one WebSocket location, on a port of every address.
func Example(listen int) site.Site {
	return site.Site{
		Name:        "websocket",
		ServerNames: []string{"ws.example.com"},
		Listen:      []site.Listen{{Port: listen}},
		Locations: []site.Location{{Path: "/ws/", Backends: []site.Backend{{Host: "127.0.0.1", Port: 3000}},
			WebSocket: true}},
	}
}

// Rendered is the one file of a site that shares nothing.
func Rendered(t *testing.T, s site.Site) string {
	t.Helper()
	content, err := render.Alone(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
