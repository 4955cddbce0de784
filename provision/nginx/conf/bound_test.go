package conf

import (
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
			for _, at := range tree.Bindings().Bound() {
				got = append(got, at.String())
			}
			if diff := cmp.Diff(strings.Fields(test.want), got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}
