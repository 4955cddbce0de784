package provision

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/proxy"
	"wsprovision/provision/stepnames"
)

// The plan says who answers for unknown names: for certain where nginx.conf is there, with a condition where it is not.
func TestDefaultServerIsTold(t *testing.T) {
	const certain, condition = "websocket is the default server on 80",
		"where the nginx.conf that comes names no default_server"
	explicit := strings.Replace(confOfEPEL, "listen 80;", "listen 80 default_server;", 1)
	alone := func(t testing.TB) *fakeHost {
		h := withNginx(t)
		h.must(os.Remove(h.path(host.ConfDir + "/other.conf")))
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
				h.write(host.NginxConf, tt.conf)
			}
			notes := step(t, h.plan(basic(t)), stepnames.Validate).Notes
			for _, text := range []string{certain, condition} {
				says := slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, text) })
				if says != (text == tt.want) {
					t.Errorf("the plan says %q: %v, want %v\n%q", text, says, !says, notes)
				}
			}
		})
	}
}

// What nginx reads of an include that is not understood is not known, so that nothing is said of it, and nothing
// changed; what the agent has brought can be taken back all the same.
func TestHostileIncludeIsNotGuessed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := withNginx(t)
		const include = "include /etc/nginx/conf.d/*.conf;"
		odd := strings.Replace(confOfEPEL, include, include+"\n    include \"/etc/nginx/[[=a=]].d/*\";", 1)
		h.write(host.NginxConf, odd)
		h.fails(basic(t), stepnames.Validate, "[[=a=]].d/*", "not understood", host.NginxConf+":", "name them by")
		h.write(host.NginxConf, strings.Replace(odd, "[[=a=]]", "[[:alpha:]]", 1))
		h.must(h.apply(basic(t)).Err())
		h.write(host.NginxConf, odd)
		r, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context())
		h.must(err)
		h.must(r.Err())
	})
}

// What keeps nginx from binding its sockets is known before anything changes; nginx -t passes all of these.
func TestHostileNeighboursSockets(t *testing.T) {
	const aa = host.ConfDir + "/aa.conf"
	for _, tt := range []struct {
		name, file, content string
		words               []string
	}{
		{"a backlog of its own", aa, "server {\n    listen 127.0.0.1:80 backlog=511;\n    server_name a;\n}\n",
			[]string{"0.0.0.0:80", "127.0.0.1:80", aa + ":2", host.ConfDir + "/", "without options of its own"}},
		{"stream", host.NginxConf, confOfEPEL + "stream { server { listen 80; return x; } }\n",
			[]string{"for http in " + host.ConfDir + "/other.conf:2", "for stream", host.NginxConf + ":18",
				"another port"}},
		{"proxy_protocol", aa, "server {\n    listen 80 proxy_protocol;\n    server_name a;\n}\n",
			[]string{"proxy_protocol", aa + ":2", site}},
		{"HTTP/2 in plain text", aa, "server {\n    listen 80 http2;\n    server_name a;\n}\n",
			[]string{"http2 without ssl", aa + ":2", site}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := withNginx(t)
			h.write(tt.file, tt.content)
			h.fails(basic(t), stepnames.Validate, tt.words...)
		})
	}
}

// In a chroot a name may not resolve yet, and IPv6 be the installer's: those two are told. Anything else that nginx -t
// says is as wrong there as on a host that runs.
func TestOfflineRefusesABrokenConfiguration(t *testing.T) {
	for name, spoil := range map[string]func(h *fakeHost){
		"an unknown directive": func(h *fakeHost) { h.write(host.ConfDir+"/other.conf", "bogus on;\n") },
		"a missing brace":      func(h *fakeHost) { h.write(host.ConfDir+"/other.conf", "server {\n") },
	} {
		bubble(t, name, func(t *testing.T) {
			h := bareOffline(t)
			h.install(packages.EPELRelease)
			h.install(packages.Nginx)
			spoil(h)
			h.fails(basic(t), stepnames.Validate, "other.conf")
		})
	}
}

// A name that nginx does not find keeps it from its start: on a host that runs that is an error, which the first boot
// waits for; in a chroot it may come with the network, and is told.
func TestNameOfSomebodysThatDoesNotResolve(t *testing.T) {
	for _, offline := range []bool{false, true} {
		bubble(t, fmt.Sprintf("offline: %v", offline), func(t *testing.T) {
			h := withNginx(t)
			if offline {
				h.stopNginx()
				h.goOffline()
			}
			h.web.nameless = "app.example.com"
			s := step(t, h.plan(basic(t)), stepnames.Validate)
			warned := strings.Contains(strings.Join(s.Warnings, " "), "nginx does not start before the name resolves")
			if warned != offline || errors.Is(s.Err, proxy.ErrUnresolved) == offline {
				t.Errorf("%s %q, warnings %q", s.Status, s.Error, s.Warnings)
			}
		})
	}
}

// nginx -t leaves files behind that only root can make: a plan without root does not run it, and says so.
func TestPlanWithoutRootRunsNoNginx(t *testing.T) {
	for _, euid := range []int{0, 1000} {
		bubble(t, fmt.Sprint(euid), func(t *testing.T) {
			h := withNginx(t)
			h.euid = euid
			s := step(t, h.plan(basic(t)), stepnames.Validate)
			ran := slices.ContainsFunc(h.ran, func(argv string) bool {
				return strings.HasPrefix(argv,
					"/usr/sbin/nginx -t")
			})
			warned := slices.Contains(s.Warnings, "nginx -t was not run: it needs root")
			if ran != (euid == 0) || warned != (euid != 0) {
				t.Errorf("nginx -t was run: %v; warnings %q", ran, s.Warnings)
			}
		})
	}
}
