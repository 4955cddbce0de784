package config

import (
	"strings"
	"testing"
)

// The backend of plain HTTP goes to the file's own plain location on /, or makes one beside what there is.
func TestHTTPBackendOverAFile(t *testing.T) {
	const site = "sites:\n- name: websocket\n  server_name: a.b\n  listen: 80\n  locations:\n" +
		"  - {path: /ws/, backend: '127.0.0.1:1'}\n"
	for name, tt := range map[string]struct {
		more string // locations
		want string // path=backend of each
	}{
		"its own plain one": {"  - {path: /, backend: '127.0.0.1:2', websocket: false, read_timeout: 7s}\n",
			"/ws/=127.0.0.1:1 /=127.0.0.1:9"},
		"none on /": {"", "/ws/=127.0.0.1:1 /=127.0.0.1:9"},
		"a plain one besides": {"  - {path: /x/, backend: '127.0.0.1:2', websocket: false}\n",
			"/ws/=127.0.0.1:1 /x/=127.0.0.1:2 /=127.0.0.1:9"},
	} {
		c, err := load(site+tt.more, func(in *Input) { in.Flags = map[string]string{"http-backend": "127.0.0.1:9"} })
		if err != nil || len(c.Sites) != 1 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, l := range c.Sites[0].Locations {
			got = append(got, l.Path+"="+l.BackendText())
			if l.Path == "/" && (l.WebSocket || strings.Contains(tt.more, "7s") != (l.ReadTimeout.Seconds() == 7)) {
				t.Errorf("%s: %+v", name, l)
			}
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%s: %s, want %s", name, text, tt.want)
		}
	}
}

// What is to be a list, a mapping or a word, and is not, is refused, and not taken for an empty one.
func TestOfAnotherShape(t *testing.T) {
	for _, text := range []string{"sites: foo", "sites: 7", "sites: {a: b}", "sites: [foo]", "sites: [[]]",
		"sites: true", "epel: foo", "epel: [a]", "wait: 3s", "selinux: []", "nginx: x", "on_drift: [keep]",
		"sites: [{name: [a], server_name: a.b, listen: 80, locations: []}]",
		"sites: [{name: a, server_name: a.b, listen: {}, locations: [{path: /, backend: 'a:1'}]}]",
		"sites: [{name: a, server_name: a.b, listen: 80, locations: foo}]",
		"sites: [{name: a, server_name: a.b, listen: 80, locations: [foo]}]"} {
		if c, err := load(text + "\n"); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%s: %+v, %v", text, c.Sites, err)
		}
	}
}
