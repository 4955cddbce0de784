package provision

import (
	"strings"
	"testing"
	"testing/synctest"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/proxy"
	"wsprovision/provision/stepnames"
)

// TestShutdownTimeout: old workers keep to the configuration that they were started with, so that a plan speaks of that
// one.
func TestShutdownTimeout(t *testing.T) {
	with := func(d string) func(testing.TB) config.Config {
		return func(t testing.TB) config.Config {
			return parse(t, strings.Replace(oneSite, "/ws/", "/socket/", 1)+"worker_shutdown_timeout: "+d+"\n")
		}
	}
	for _, tt := range []struct {
		name   string
		before func(testing.TB) config.Config
		after  func(testing.TB) config.Config
		now    string // of the present workers
		later  string
	}{
		{"nobody asks for it", basic, func(t testing.TB) config.Config { return moved(t) }, "", ""},
		{"it comes", basic, with("20s"), "", "after 20s"},
		{"it stays", with("20s"), func(t testing.TB) config.Config { return with("30s")(t) }, "after 20s", "after 30s"},
		{"it goes", with("20s"), basic, "after 20s", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newFakeHost(t)
				h.write(host.NginxConf, "include /usr/share/nginx/modules/*.conf;\n"+confOfEPEL)
				h.mkdir("/usr/share/nginx/modules")
				if r := h.apply(tt.before(t)); r.Result != engine.Changed {
					t.Fatalf("%s\n%s", r.Result, summarize(r))
				}
				notes := step(t, h.plan(tt.after(t)), stepnames.Validate).Notes
				for word, want := range map[string]string{"on the present workers": tt.now,
					"after every later reload": tt.later} {
					got := ""
					for _, n := range notes {
						if strings.Contains(n, word) {
							got = n
						}
					}
					if (want == "") != (got == "") || !strings.Contains(got, want) {
						t.Errorf("of connections %s the plan says %q, want %q", word, got, want)
					}
				}
				if r := h.apply(tt.after(t)); r.Result != engine.Changed ||
					h.exists(proxy.ShutdownPath) != (tt.later != "") {
					t.Errorf("%s, %s there: %v\n%s", r.Result, proxy.ShutdownPath, h.exists(proxy.ShutdownPath),
						summarize(r))
				}
			})
		})
	}
}
