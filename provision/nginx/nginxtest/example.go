package nginxtest

import (
	"slices"
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

// Alone is what is rendered for a site that shares nothing, for EPEL 7's nginx: its file, and what would be shared.
func Alone(s site.Site) ([]byte, error) {
	files, err := render.Installed{}.Render([]site.Site{s})
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, f := range slices.Backward(files) {
		all = append(all, f.Content...)
	}
	return all, nil
}

// Rendered is the one file of a site that shares nothing.
func Rendered(t *testing.T, s site.Site) string {
	t.Helper()
	content, err := Alone(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
