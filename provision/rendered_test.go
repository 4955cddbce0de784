package provision

import (
	"os"
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/stepnames"
)

const inet6 = "/proc/net/if_inet6"

// TestIPv6ByDefault: a site without listen has IPv6 where the host has it, and an explicit one is left as it is.
func TestIPv6ByDefault(t *testing.T) {
	for name, tt := range map[string]struct {
		has    string
		listen string
		want   bool
	}{
		"with IPv6":          {"00000000000000000000000000000001 01 80 10 80 lo\n", "", true},
		"without":            {"", "", false},
		"IPv4 is asked for":  {"00000000000000000000000000000001 01 80 10 80 lo\n", "listen: 80, ", false},
		"with nothing in it": {"\n", "", false},
	} {
		bubble(t, name, func(t *testing.T) {
			h := withNginx(t)
			h.must(os.Remove(h.path(inet6)))
			if tt.has != "" {
				h.write(inet6, tt.has)
			}
			c := parse(t, "sites: [{name: websocket, server_name: ws.example.com, "+tt.listen+
				"locations: [{path: /ws/, backend: '127.0.0.1:3000'}]}]\n")
			h.must(h.apply(c).Err())
			if got := strings.Contains(h.content(site), "listen [::]:80;"); got != tt.want {
				t.Errorf("%v, want %v:\n%s", got, tt.want, h.content(site))
			}
			h.unchanged(c)
		})
	}
	bubble(t, "the first boot decides", func(t *testing.T) {
		h := bareOffline(t)
		h.must(h.apply(parse(t, "sites: [{name: websocket, server_name: ws.example.com, locations: [{path: /ws/, "+
			"backend: '127.0.0.1:3000'}]}]\n")).Err())
		if !strings.Contains(h.content(site), "listen [::]:80;") {
			t.Errorf("the installer leaves it out:\n%s", h.content(site))
		}
		h.boot()
		h.must(os.Remove(h.path(inet6)))
		r, err := h.firstBoot(1)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(h.content(site), "[::]") {
			t.Errorf("a host without it keeps it:\n%s", summarize(r))
		}
	})
}

// TestManySitesShare: from 17 sites on what is equal is in files of its own, which go with the sites.
func TestManySitesShare(t *testing.T) {
	const shared = "/etc/nginx/conf.d/_wsprovision_upgrade.conf"
	bubble(t, "", func(t *testing.T) {
		h := withNginx(t)
		many, few := manySites(t, 17), manySites(t, 3)
		h.must(h.apply(many).Err())
		if !strings.Contains(h.content(shared), "map $http_upgrade $wsprovision_upgrade {") {
			t.Errorf("%s: %s", shared, h.content(shared))
		}
		h.unchanged(many)
		r := h.apply(few)
		if r.Err() != nil || h.exists(shared) || strings.Contains(h.content(site0), "$wsprovision_upgrade;") {
			t.Errorf("%v: %s", r.Err(), summarize(r))
		}
		h.must(h.apply(many).Err())
		h.must(h.run(many, revert(false)).Err())
		if h.exists(shared) {
			t.Error("a revert leaves what the sites shared")
		}
	})
}

const site0 = "/etc/nginx/conf.d/site0000.conf"

// TestNotesOnKeys: what follows from keys is said by plan.
func TestNotesOnKeys(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := withNginx(t)
		r := h.plan(parse(t, "sites: [{name: websocket, server_name: ws.example.com, locations: [{path: /ws/, "+
			"backend: '127.0.0.1:3000', heartbeat: 30s, snippet: 'proxy_hide_header X;'}, "+
			"{path: /any, backend: '127.0.0.1:3000', allowed_origins: any}, "+
			"{path: /tls, backend: 'https://127.0.0.1:3443', backend_tls: {verify: false}, allowed_origins: any}]}]\n"))
		if w := strings.Join(step(t, r, stepnames.Validate).Warnings, "\n"); !strings.Contains(w,
			"websocket /tls: whoever answers for the backend is taken for it") {
			t.Errorf("plan does not warn of a backend that is not verified: %s", w)
		}
		got := strings.Join(step(t, r, stepnames.Validate).Notes, "\n")
		for _, want := range []string{"websocket /ws/: with a heartbeat of 30s a silent connection is closed after " +
			"1m30s",
			"websocket /ws/: what the snippet does is not checked",
			"pages of any site can open a WebSocket at websocket /ws/: allowed_origins"} {
			if !strings.Contains(got, want) {
				t.Errorf("plan does not say %q: %s", want, got)
			}
		}
		if r.Result == engine.Failed || strings.Contains(got, "/any") {
			t.Errorf("%s", summarize(r))
		}
	})
}
