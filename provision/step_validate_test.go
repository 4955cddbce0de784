package provision

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
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

// What nginx reads of an include that is not understood is not known, so that nothing is said of it, and nothing changed; what
// the agent has brought can be taken back all the same.
func TestHostileIncludeIsNotGuessed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := withNginx(t)
		odd := strings.Replace(confOfEPEL, "include /etc/nginx/conf.d/*.conf;", "include /etc/nginx/conf.d/*.conf;\n    include \"/etc/nginx/[[=a=]].d/*\";", 1)
		h.write(nginxConf, odd)
		h.fails(basic(t), StepValidate, "[[=a=]].d/*", "not understood", nginxConf+":", "name them by")
		h.write(nginxConf, strings.Replace(odd, "[[=a=]]", "[[:alpha:]]", 1))
		h.must(h.apply(basic(t)).Err())
		h.write(nginxConf, odd)
		r, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context())
		h.must(err)
		h.must(r.Err())
	})
}
