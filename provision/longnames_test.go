package provision

import (
	"os"
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/proxy"
	"wsprovision/provision/stepnames"
)

const longName = "ec2-18-195-123-234.eu-central-1.compute.amazonaws.com"

// TestLongNames: a name that nginx's own buckets are too small for brings a file of its own, once for all sites, and
// only while nobody else sets their size.
func TestLongNames(t *testing.T) {
	long := strings.Replace(oneSite+secondSite, "ws.example.com", longName, 1)
	const line = "\n" + proxy.NamesBucket + " 128;\n"
	bubble(t, "a bare host", func(t *testing.T) {
		h := newFakeHost(t)
		c := parse(t, strings.Replace(long, "chat.example.com", "chat-"+longName, 1))
		if r := h.plan(c); len(step(t, r, stepnames.Site).Changes) != 3 {
			t.Errorf("the plan does not have the three files\n%s", summarize(r))
		}
		if r := h.apply(c); r.Result != engine.Changed || !strings.HasSuffix(h.content(namesPath), line) {
			t.Errorf("%q\n%s", h.content(namesPath), summarize(r))
		}
		h.unchanged(c)
		if r := h.apply(parse(t, oneSite+secondSite)); r.Result != engine.Changed || h.exists(namesPath) ||
			h.reloads != 1 {
			t.Errorf("no name is long any more, and %s is left: %v\n%s", namesPath, h.exists(namesPath),
				summarize(r))
		}
	})
	bubble(t, "a revert", func(t *testing.T) {
		h := newFakeHost(t)
		h.apply(parse(t, long))
		if r := h.run(basic(t), revert(false)); r.Result != engine.Changed || h.exists(namesPath) {
			t.Errorf("%s is left: %v\n%s", namesPath, h.exists(namesPath), summarize(r))
		}
	})
	bubble(t, "somebody sets it later", func(t *testing.T) {
		h := newFakeHost(t)
		c := parse(t, long)
		h.apply(c)
		h.write(host.NginxConf, strings.Replace(confOfEPEL, "    server {", "    "+proxy.NamesBucket+
			" 256;\n    server {", 1))
		if r := h.apply(c); r.Result != engine.Changed || h.exists(namesPath) {
			t.Errorf("%s is left: %v\n%s", namesPath, h.exists(namesPath), summarize(r))
		}
		h.unchanged(c)
		h.write(host.NginxConf, confOfEPEL)
		if r := h.apply(c); r.Result != engine.Changed || !h.exists(namesPath) {
			t.Errorf("%s is back: %v\n%s", namesPath, h.exists(namesPath), summarize(r))
		}
	})
	bubble(t, "in a site's file that is kept", func(t *testing.T) {
		h := newFakeHost(t)
		h.apply(parse(t, long))
		h.write(site, h.content(site)+proxy.NamesBucket+" 256;\n")
		h.must(os.Remove(h.path(namesPath)))
		if r := h.apply(parse(t, long+"on_drift: keep\n")); r.Result == engine.Failed || h.exists(namesPath) {
			t.Errorf("%s is there: %v\n%s", namesPath, h.exists(namesPath), summarize(r))
		}
		if r := h.apply(parse(t, long+"on_drift: replace\n")); r.Result != engine.Changed ||
			!h.exists(namesPath) ||
			strings.Contains(h.content(site), proxy.NamesBucket) {
			t.Errorf("%s is there: %v, the site holds\n%s\n%s", namesPath, h.exists(namesPath),
				h.content(site),
				summarize(r))
		}
	})
	bubble(t, "in a site's file that is left alone", func(t *testing.T) {
		for name, run := range map[string]func(h *fakeHost) *engine.Report{
			"revert": func(h *fakeHost) *engine.Report { return h.run(basic(t), revert(false)) },
			"revert, nginx stands": func(h *fakeHost) *engine.Report {
				h.stopNginx()
				return h.run(basic(t), revert(false))
			},
			"no longer asked for": func(h *fakeHost) *engine.Report {
				return h.apply(parse(t, strings.Replace(oneSite, "websocket", "other", 1)))
			},
			"kept": func(h *fakeHost) *engine.Report { return h.apply(parse(t, oneSite+"on_drift: keep\n")) },
		} {
			h := longProvisioned(t)
			h.write(site, h.content(site)+"# by hand\n")
			if r := run(h); step(t, r, stepnames.Site).Status == engine.Failed ||
				step(t, r, stepnames.Site).Status == engine.Skipped || !h.exists(site) || !h.exists(namesPath) {
				t.Errorf("%s: %s, %s is there: %v\n%s", name, r.Result, namesPath, h.exists(namesPath),
					summarize(r))
			}
		}
	})
	bubble(t, "a tree that cannot be read whole", func(t *testing.T) {
		h := newFakeHost(t)
		for _, p := range []string{packages.EPELRelease, packages.Nginx, packages.Semanage} {
			h.install(p)
		}
		h.write(host.ConfDir+"/lua.conf", "server {\n    content_by_lua_block { if a then b = '}' end }\n")
		if s := step(t, h.plan(longNamed(t)), stepnames.Site); len(s.Changes) != 1 {
			t.Errorf("%v, want the site alone", s.Changes)
		}
	})
	bubble(t, "with a site that goes", func(t *testing.T) {
		for name, then := range map[string]string{
			"one of two": oneSite,
			"renamed":    strings.Replace(oneSite, "websocket", "other", 1),
		} {
			h := newFakeHost(t)
			h.apply(parse(t, strings.Replace(oneSite, "ws.example.com", longName, 1)+
				strings.Replace(secondSite, "chat.example.com", longName+".example.com", 1)))
			if r := h.apply(parse(t, then)); r.Result != engine.Changed || h.exists(namesPath) {
				t.Errorf("%s: %s, %s is there: %v\n%s", name, r.Result, namesPath, h.exists(namesPath),
					summarize(r))
			}
			h.unchanged(parse(t, then))
		}
	})
	bubble(t, "beside names that nginx does not hash", func(t *testing.T) {
		h := withNginx(t)
		h.write(host.ConfDir+"/other.conf", "server {\n    listen 80;\n    server_name ~"+strings.Repeat("a", 120)+
			";\n}\nserver {\n    listen 8008;\n    server_name "+strings.Repeat("b", 46)+";\n}\n")
		h.hup()
		if r := h.apply(longNamed(t)); r.Result != engine.Changed ||
			!strings.HasSuffix(h.content(namesPath), line) {
			t.Fatalf("%s, %q\n%s", r.Result, h.content(namesPath), summarize(r))
		}
		h.unchanged(longNamed(t))
		if r := h.run(basic(t), revert(false)); r.Result != engine.Changed || h.exists(namesPath) {
			t.Errorf("%s, %s is there: %v\n%s", r.Result, namesPath, h.exists(namesPath), summarize(r))
		}
	})
}
