package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/site"
)

// With more than sixteen sites the files share their maps, and none holds them by itself.
func TestOwnFileIsAsAnApplyWritesIt(t *testing.T) {
	var c config.Config
	for i := range 17 {
		c.Sites = append(c.Sites, config.Site{Name: fmt.Sprintf("s%d", i),
			ServerNames: []string{fmt.Sprintf("s%d.example.com", i)}, Listen: []site.Listen{{Port: 80}},
			Locations: []site.Location{{Path: "/", WebSocket: true,
				Backends: []site.Backend{{Host: "127.0.0.1", Port: 3000 + i}}}}})
	}
	root := t.TempDir()
	h := &host.Host{Root: root, Files: &host.Files{Root: root}}
	h.Nginx.Read = func(context.Context, string, ...string) (string, string, int, error) {
		return "", "", 0, errors.New("no nginx here")
	}
	many := OwnFile(t.Context(), h, c, &c.Sites[0])
	c.Sites = c.Sites[:1]
	one := OwnFile(t.Context(), h, c, &c.Sites[0])
	if len(many.Content) == 0 || strings.Contains(string(many.Content), "\nmap ") ||
		!strings.Contains(string(one.Content), "map ") {
		t.Errorf("of seventeen:\n%s\nof one:\n%s", many.Content, one.Content)
	}
}
