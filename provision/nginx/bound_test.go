package nginx

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBound(t *testing.T) {
	for _, test := range []struct {
		name, listens, want string
	}{
		{"each", "listen 80; listen 127.0.0.1:8080; listen [::1]:81;", "0.0.0.0:80 127.0.0.1:8080 [::1]:81"},
		{"none is port 80", "server_name a;", "0.0.0.0:80"},
		{"one at every address", "listen 127.0.0.1:80; listen *:80; listen 192.0.2.1:80; listen 127.0.0.1:81;",
			"0.0.0.0:80 127.0.0.1:81"},
		{"of its own family", "listen 127.0.0.1:80; listen [::]:80; listen [::1]:80;", "127.0.0.1:80 [::]:80"},
		{"names and unix sockets", "listen localhost:80; listen unix:/run/x; listen 81;", "0.0.0.0:81"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tree := load(t, "", map[string][]byte{conf: []byte("http { server { " + test.listens + " } }")})
			var got []string
			for _, at := range tree.Bound() {
				got = append(got, at.String())
			}
			if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// TestReloadThatExchanges: nginx binds what is new before it closes what is old, so that its own socket is in the way
// of another on the port, unless one at every address stays.
func TestReloadThatExchanges(t *testing.T) {
	needNginx(t, false)
	const every, one, six = "server { listen PORT; }", "server { listen 127.0.0.1:PORT; }",
		"server { listen [::]:PORT; }"
	for _, test := range []struct {
		name, before, after string
		refused             bool
	}{
		{"every address for one", every, one, true},
		{"one address for every", one, every, true},
		{"one, and every stays", every, every + one, false},
		{"one goes, and every stays", every + one, every, false},
		{"one address for another", one, "server { listen 127.0.0.2:PORT; }", false},
		{"every address of the other family", one, one + six, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			port := fmt.Sprint(freePort(t))
			h := newHost(t, map[string]string{"conf.d/a.conf": strings.ReplaceAll(test.before, "PORT", port)})
			h.start()
			before := h.mark()
			h.write("conf.d/a.conf", strings.ReplaceAll(test.after, "PORT", port))
			h.hup(before.Master)
			_, err := h.nginx().ProveReload(t.Context(), before)
			var not *NotReplacedError
			if errors.As(err, &not) != test.refused || test.refused != (err != nil) {
				t.Errorf("%v, want a refusal: %v", err, test.refused)
			}
			if test.refused && !strings.Contains(err.Error(), "still could not bind()") {
				t.Errorf("%v", err)
			}
		})
	}
}
