package provision

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// The plan says who answers for unknown names: for certain where nginx.conf is there, with a condition where it is not.
func TestDefaultServerIsTold(t *testing.T) {
	const certain, condition = "websocket is the default server on 80", "where the nginx.conf that comes names no default_server"
	explicit := strings.Replace(confOfEPEL, "listen 80;", "listen 80 default_server;", 1)
	alone := func(t testing.TB) *fakeHost {
		h := withNginx(t)
		h.must(os.Remove(h.path(confDir + "/other.conf")))
		return h
	}
	for _, tt := range []struct {
		name string
		host func(testing.TB) *fakeHost
		conf string
		want string
	}{
		{"bare", newFakeHost, "", condition},
		{"without a default_server", alone, confOfEPEL, certain},
		{"without, and another comes first", withNginx, confOfEPEL, ""},
		{"with one", alone, explicit, ""},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := tt.host(t)
			if tt.conf != "" {
				h.write(nginxConf, tt.conf)
			}
			notes := step(t, h.plan(basic(t)), StepValidate).Notes
			for _, text := range []string{certain, condition} {
				says := slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, text) })
				if says != (text == tt.want) {
					t.Errorf("the plan says %q: %v, want %v\n%q", text, says, !says, notes)
				}
			}
		})
	}
}
