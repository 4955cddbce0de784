package provision

import (
	"os"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/stepnames"
)

// What somebody has edited is theirs also after a reload that failed has brought it back.
func TestRolledBackToAnEdit(t *testing.T) {
	for _, tt := range []struct {
		name, apply string
		fails       func(h *fakeHost)
	}{
		{"the same again, no reload is taken", oneSite, func(h *fakeHost) { h.web.deaf = true }},
		{"another, a port is taken", strings.Replace(oneSite, "80\n", "8008\n", 1), func(h *fakeHost) {
			h.web.taken, h.web.late = []int{8008}, true
		}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := provisioned(t)
			edited := h.content(site) + "# by hand\n"
			h.write(site, edited)
			tt.fails(h)
			r := h.apply(parse(t, tt.apply+"on_drift: replace\n"))
			if s := step(t, r, stepnames.Service); s.Status != engine.Failed || h.content(site) != edited {
				t.Fatalf("service %s %q, the file holds\n%s", s.Status, s.Error, h.content(site))
			}
			h.web.deaf, h.web.taken = false, nil
			h.fails(parse(t, tt.apply+"on_drift: fail\n"), stepnames.Site, "was edited since the agent wrote it",
				"# by hand")
			r = h.run(basic(t), revert(false))
			if w := step(t, r, stepnames.Site).Warnings; h.content(site) != edited || len(w) != 1 {
				t.Errorf("reverted: warnings %q, the file holds\n%s", w, h.content(site))
			}
		})
	}
}

// What somebody has removed is not brought back by a revert, be it that a reload that failed has removed it once more.
func TestRevertOfARemovedFile(t *testing.T) {
	for _, refused := range []bool{false, true} {
		bubble(t, map[bool]string{false: "removed", true: "and again by a rollback"}[refused], func(t *testing.T) {
			h := withNginx(t)
			h.write(site, "# before the agent came\n")
			h.adopting = true
			h.must(h.apply(basic(t)).Err())
			h.must(os.Remove(h.path(site)))
			if refused {
				h.web.deaf = true
				h.apply(basic(t))
				h.web.deaf = false
			}
			r := h.run(basic(t), revert(false))
			if w := step(t, r, stepnames.Site).Warnings; h.exists(site) || len(w) != 1 ||
				!strings.Contains(w[0], "was removed since the agent wrote it") {
				t.Errorf("warnings %q\n%s", w, summarize(r))
			}
		})
	}
}

// A start that failed says what it put back, and leaves what another nginx may have taken since.
func TestRefusedStartSaysWhatIsBack(t *testing.T) {
	bubble(t, "of this run", func(t *testing.T) {
		h := newFakeHost(t)
		h.web.cannotRun = "no room"
		r := h.apply(basic(t))
		if s := step(t, r, stepnames.Service); !strings.Contains(s.Error, "put back ("+site+"); nginx does not run") {
			t.Errorf("%q", s.Error)
		}
	})
	bubble(t, "of an earlier run", func(t *testing.T) {
		h := provisioned(t)
		h.at("after install "+site, true)
		h.apply(moved(t))
		h.hook = nil
		h.stopNginx()
		if !h.startNginx() { // by hand; it takes the new file
			t.Fatal("nginx does not start")
		}
		h.stopNginx()
		h.web.cannotRun = "no room"
		for _, c := range []config.Config{moved(t), basic(t)} { // unchanged, and changed once more
			if r := h.apply(c); r.Result != engine.Failed || !strings.Contains(h.content(site), "/socket/") {
				t.Errorf("%s, the site holds\n%s\n%s", r.Result, h.content(site), summarize(r))
			}
		}
	})
}

// Where the configuration that was put back is broken by now, nobody reloads it, and it is told.
func TestRolledBackToABrokenConfiguration(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		before := h.content(site)
		h.hook = func(point string) error { // somebody else, after nginx -t
			if strings.HasPrefix(point, "before systemd: reload") && h.reloads == 0 {
				h.write(host.ConfDir+"/other.conf", "bogus on;\n")
			}
			return nil
		}
		r := h.apply(moved(t))
		s := step(t, r, stepnames.Service)
		if s.Status != engine.Failed || !strings.Contains(s.Error, "was put back, and nginx -t says of it: ") ||
			h.content(site) != before || h.reloads != 1 {
			t.Errorf("%s %q, %d reloads", s.Status, s.Error, h.reloads)
		}
	})
}
