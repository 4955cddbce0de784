package provision

import (
	"strings"
	"testing"
	"testing/synctest"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/stepnames"
)

const (
	enabled     = "/etc/nginx/sites-enabled"
	enabledSite = enabled + "/websocket.conf"
)

// includes has nginx.conf include these in http in place of conf.d.
func (h *fakeHost) includes(lines string) {
	h.mkdir(enabled)
	const standard = "include /etc/nginx/conf.d/*.conf;"
	if !strings.Contains(h.content(host.NginxConf), standard) {
		h.t.Fatalf("%s does not include conf.d", host.NginxConf)
	}
	h.write(host.NginxConf, strings.Replace(h.content(host.NginxConf), standard, lines, 1))
}

// TestOtherFolder: where http does not include conf.d, a site goes to the first folder that it includes by pattern, and
// everything follows it there: plan, the second run, drift, the sizes for long names, and a revert.
func TestOtherFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := withNginx(t)
		h.includes("include " + enabled + "/*;")
		before := h.snapshot()
		r := h.plan(basic(t))
		notes := strings.Join(step(t, r, stepnames.Validate).Notes, "\n")
		if text := summarize(r); !strings.Contains(text, enabledSite) ||
			!strings.Contains(notes, "go to "+enabled+", the first") {
			t.Errorf("plan: %s", text)
		}
		h.untouched(before)
		if r := h.apply(basic(t)); r.Result != engine.Changed || !h.exists(enabledSite) || h.exists(site) {
			t.Errorf("apply: %s", summarize(r))
		}
		if r := h.apply(basic(t)); r.Result != engine.Unchanged {
			t.Errorf("again: %s", summarize(r))
		}
		long := strings.Replace(oneSite, "ws.example.com", strings.Repeat("a", 60)+".example.com", 1)
		if r := h.apply(parse(t, long)); r.Result != engine.Changed || !h.exists(enabled+"/"+host.NamesFile) {
			t.Errorf("a long name: %s", summarize(r))
		}
		h.write(enabledSite, h.content(enabledSite)+"# by hand\n")
		h.fails(basic(t), stepnames.Site, enabledSite, "on_drift")
		if r := h.apply(parse(t, oneSite+"on_drift: replace\n")); r.Result != engine.Changed {
			t.Errorf("drift replaced: %s", summarize(r))
		}
		if r := h.run(basic(t), revert(false)); r.Result != engine.Changed || h.exists(enabledSite) ||
			h.exists(enabled+"/"+host.NamesFile) {
			t.Errorf("revert: %s", summarize(r))
		}
	})
}

// TestFolderChanges: a site follows an nginx.conf that was changed to another folder, and a revert takes it from there.
func TestFolderChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := withNginx(t)
		h.apply(basic(t))
		h.includes("include sites-enabled/*.conf;")
		if r := h.apply(basic(t)); r.Result != engine.Changed || !h.exists(enabledSite) || h.exists(site) {
			t.Errorf("moved: %s", summarize(r))
		}
		if r := h.apply(basic(t)); r.Result != engine.Unchanged {
			t.Errorf("again: %s", summarize(r))
		}
		h.run(basic(t), revert(false))
		if h.exists(enabledSite) || h.exists(site) {
			t.Error("the revert leaves the site's file")
		}
	})
}

// TestFolderGone: nginx goes on with the site that it has read, and a run that has nothing to write says that the next
// reload would leave it out.
func TestFolderGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := provisioned(t)
		h.includes("")
		before := h.snapshot()
		h.fails(basic(t), stepnames.Validate, `add the line "include /etc/nginx/conf.d/*.conf;"`)
		h.untouched(before)
		h.write(host.NginxConf, strings.Replace(h.content(host.NginxConf), "http {", "http {\ninclude "+site+";", 1))
		if r := h.apply(basic(t)); r.Result != engine.Unchanged {
			t.Errorf("included by its name: %s", summarize(r))
		}
	})
}

// TestNoFolder: where http includes no folder, nothing is changed, and the line is told that would.
func TestNoFolder(t *testing.T) {
	for name, lines := range map[string]string{
		"none": "", "by name": "include /etc/nginx/http.conf;", "of other names": "include sites-enabled/*.vhost;",
		"not there": "include gone/*.conf;",
	} {
		bubble(t, name, func(t *testing.T) {
			h := withNginx(t)
			h.includes(lines)
			h.write("/etc/nginx/http.conf", "")
			before := h.snapshot()
			h.fails(basic(t), stepnames.Validate, `add the line "include /etc/nginx/conf.d/*.conf;"`, host.NginxConf)
			h.untouched(before)
		})
	}
}
