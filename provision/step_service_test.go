package provision

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

func moved(t testing.TB) config.Config {
	return parse(t, strings.Replace(oneSite, "/ws/", "/socket/", 1))
}

func TestReloadOnlyOnChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := provisioned(t)
		master := h.web.master
		h.web.draining = true
		r := h.apply(moved(t))
		if r.Result != engine.Changed || h.reloads != 1 || h.starts != 0 || h.web.master != master {
			t.Errorf("%s, %d reloads, %d starts, master %d; want one reload of master %d\n%s", r.Result, h.reloads,
				h.starts, h.web.master, master, summarize(r))
		}
		if got := strings.Join(h.served(), " "); !strings.Contains(got, "/socket/") {
			t.Errorf("nginx serves %q", got)
		}
		h.unchanged(moved(t))
		r = h.apply(moved(t))
		if notes := strings.Join(step(t, r, stepnames.Service).Notes, "; "); !strings.Contains(notes, "1 old worker") {
			t.Errorf("the service step says %q, want that an old worker drains", notes)
		}
	})
}

func TestOwedReloadIsRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := provisioned(t)
		dead := false
		h.hook = func(point string) error {
			if dead = dead || point == "before systemd: reload nginx.service"; dead {
				return errKilled
			}
			return nil
		}
		h.apply(moved(t))
		h.hook = nil
		if !h.exists(state.OwedPath) {
			t.Fatalf("the run died before its reload and no mark is left")
		}
		r := h.apply(moved(t))
		if step(t, r, stepnames.Site).Status != engine.Unchanged ||
			step(t, r, stepnames.Service).Status != engine.Changed ||
			h.reloads != 1 {
			t.Errorf("%d reloads; want the owed one although every file looks unchanged\n%s", h.reloads, summarize(r))
		}
		h.unchanged(moved(t))
	})
}

const beforeReload = "before systemd: reload nginx.service"

// TestRolledBackTo: the way back of a refused reload goes to what nginx serves and over nobody's edit, also where an
// earlier run died before its reload.
func TestRolledBackTo(t *testing.T) {
	third := strings.Replace(oneSite, "/ws/", "/third/", 1)
	for _, tt := range []struct {
		name      string
		meanwhile func(h *fakeHost)
		apply     string
		want      string // in the file afterwards
		says      string
	}{
		{"nothing meanwhile", func(*fakeHost) {}, third, "/ws/", "reload was not taken"},
		{"nginx was restarted", func(h *fakeHost) {
			h.stopNginx()
			h.startNginx()
		}, third, "/socket/", "reload was not taken"},
		{"nginx was restarted, the same again", func(h *fakeHost) {
			h.stopNginx()
			h.startNginx()
		}, strings.Replace(oneSite, "/ws/", "/socket/", 1), "/socket/", "reload was not taken"},
		{"the file was edited", func(h *fakeHost) { h.write(site, h.content(site)+"# by hand\n") },
			strings.Replace(oneSite, "/ws/", "/socket/", 1) + "on_drift: keep\n", "# by hand", site +
				" was edited since"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := provisioned(t)
			h.at(beforeReload, true)
			h.apply(moved(t))
			h.hook = nil
			tt.meanwhile(h)
			master := h.web.master
			h.web.deaf = true
			r := h.apply(parse(t, tt.apply))
			if s := step(t, r, stepnames.Service); s.Status != engine.Failed || !strings.Contains(s.Error, tt.says) ||
				h.web.master != master {
				t.Errorf("service %s %q, want it failed, saying %q", s.Status, s.Error, tt.says)
			}
			if !strings.Contains(h.content(site), tt.want) {
				t.Errorf("the file does not hold %q:\n%s", tt.want, h.content(site))
			}
		})
	}
}

// TestPutBackWithoutALedger: where the ledger cannot be written any more, the old file is put back all the same, and is
// the agent's.
func TestPutBackWithoutALedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := provisioned(t)
		before, served := h.content(site), h.served()
		h.web.taken, h.web.late = []int{8008}, true
		h.hook = func(point string) error {
			if h.reloads > 0 && point == "before stage "+state.LedgerPath {
				return errors.New("no space left on device")
			}
			return nil
		}
		c := parse(t, strings.Replace(oneSite, "80\n", "8008\n", 1)+"on_drift: fail\n")
		r := h.apply(c)
		s := step(t, r, stepnames.Service)
		for _, want := range []string{"no space left", "the previous configuration was put back, was proved"} {
			if !strings.Contains(s.Error, want) {
				t.Errorf("service %s %q does not say %q", s.Status, s.Error, want)
			}
		}
		if d := cmp.Diff(served, h.served()); h.content(site) != before || d != "" {
			t.Errorf("the old file is not back, or not served (-before +after):\n%s", d)
		}
		h.hook, h.web.taken = nil, nil
		if r := h.apply(c); r.Result != engine.Changed {
			t.Errorf("the next apply: %s\n%s", r.Result, summarize(r))
		}
	})
}

// A refused reload is rolled back, and fails again as often as it is tried.
func TestRefusedReload(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(h *fakeHost)
		words string
	}{
		{"a port that is taken meanwhile", func(h *fakeHost) {
			h.web.taken, h.web.late = []int{8008}, true
		}, "failed (98"},
		{"a master that does not hear", func(h *fakeHost) { h.web.deaf = true }, "reload was not taken"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := provisioned(t)
			before, served := h.files(), h.served()
			tt.spoil(h)
			c := parse(t, strings.Replace(oneSite, "80\n", "8008\n", 1))
			for try := range 3 {
				r := h.apply(c)
				s := step(t, r, stepnames.Service)
				if r.Result != engine.Failed || s.Status != engine.Failed || !strings.Contains(s.Error, tt.words) {
					t.Errorf("try %d: %s, service %s %q; want failed because of %q", try, r.Result, s.Status, s.Error,
						tt.words)
				}
				if d := cmp.Diff(before, h.files()); d != "" {
					t.Errorf("try %d: the old files are not back (-before +after):\n%s", try, d)
				}
				if d := cmp.Diff(served, h.served()); d != "" {
					t.Errorf("try %d: nginx serves something else (-before +after):\n%s", try, d)
				}
			}
			h.web.taken, h.web.deaf = nil, false
			if r := h.apply(c); r.Result != engine.Changed {
				t.Errorf("with the reason gone: %s\n%s", r.Result, summarize(r))
			}
			h.unchanged(c)
		})
	}
}

// A first start that fails takes our file away again, so that what was there before may start.
func TestRefusedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		h.web.cannotRun = "mkdir() \"/var/lib/nginx/tmp\" failed (28: No space left on device)"
		for try := range 2 {
			r := h.apply(basic(t))
			s := step(t, r, stepnames.Service)
			if s.Status != engine.Failed || !strings.Contains(s.Error, "No space left") {
				t.Errorf("try %d: service %s %q, want failed with nginx's own words", try, s.Status, s.Error)
			}
			if h.exists(site) {
				t.Errorf("try %d: the site is still there", try)
			}
		}
		h.web.cannotRun = ""
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Errorf("with the reason gone: %s\n%s", r.Result, summarize(r))
		}
		h.unchanged(basic(t))
	})
}

func TestDrift(t *testing.T) {
	edit := func(h *fakeHost) string {
		edited := h.content(site) + "# by hand\n"
		h.write(site, edited)
		return edited
	}
	bubble(t, "replace", func(t *testing.T) {
		h := provisioned(t)
		ours := h.content(site)
		edit(h)
		c := parse(t, oneSite+"on_drift: replace\n")
		if diff := step(t, h.plan(c), stepnames.Site).Changes[0].Diff; !strings.Contains(diff, "-# by hand") {
			t.Errorf("plan does not show the edit as a diff:\n%s", diff)
		}
		r := h.apply(c)
		if s := step(t, r, stepnames.Site); s.Status != engine.Changed || len(s.Warnings) != 1 ||
			h.content(site) != ours ||
			h.reloads != 1 {
			t.Errorf("%d reloads\n%s", h.reloads, summarize(r))
		}
		h.unchanged(c)
	})
	bubble(t, "keep", func(t *testing.T) {
		h := provisioned(t)
		edited := edit(h)
		c := parse(t, oneSite+"on_drift: keep\n")
		r := h.apply(c)
		if w := step(t, r, stepnames.Site).Warnings; r.Result != engine.Unchanged || len(w) != 1 ||
			h.content(site) != edited {
			t.Errorf("%s, warnings %q\n%s", r.Result, w, summarize(r))
		}
		if w := strings.Join(step(t, h.plan(c), stepnames.Site).Warnings, "\n"); !strings.Contains(w, "+# by hand") {
			t.Errorf("plan does not show the edit as a diff: %q", w)
		}
	})
	bubble(t, "fail", func(t *testing.T) {
		h := provisioned(t)
		edit(h)
		h.fails(basic(t), stepnames.Site, "was edited since the agent wrote it", "# by hand", "on_drift: keep",
			"on_drift: replace", "configuration")
	})
	bubble(t, "back to the version before, by hand", func(t *testing.T) {
		h := provisioned(t)
		before := h.content(site)
		if r := h.apply(moved(t)); r.Result != engine.Changed {
			t.Fatalf("%s\n%s", r.Result, summarize(r))
		}
		h.write(site, before)
		h.fails(parse(t, strings.Replace(oneSite, "/ws/", "/socket/", 1)+"on_drift: fail\n"), stepnames.Site,
			"was edited since the agent wrote it")
	})
	bubble(t, "mode and label", func(t *testing.T) {
		h := provisioned(t)
		h.must(os.Chmod(h.path(site), 0o600))
		h.must(h.host(Listener{}).SELinux.Contexts().SetFileLabel(site, "system_u:object_r:admin_home_t:s0"))
		r := h.apply(basic(t))
		s := step(t, r, stepnames.Site)
		if s.Status != engine.Changed || !strings.Contains(s.Changes[0].From, "0600") ||
			!strings.Contains(s.Changes[0].From, "admin_home_t") {
			t.Errorf("changes %v\n%s", s.Changes, summarize(r))
		}
		h.unchanged(basic(t))
	})
}

func TestSiteThatIsNoLongerAskedFor(t *testing.T) {
	bubble(t, "is removed", func(t *testing.T) {
		h := withTwoSites(t)
		r := h.apply(basic(t))
		if r.Result != engine.Changed || h.exists(host.ConfDir+"/chat.conf") || h.reloads != 1 {
			t.Errorf("%s, %d reloads\n%s", r.Result, h.reloads, summarize(r))
		}
		h.unchanged(basic(t))
	})
	bubble(t, "but was edited", func(t *testing.T) {
		h := withTwoSites(t)
		h.write(host.ConfDir+"/chat.conf", h.content(host.ConfDir+"/chat.conf")+"# by hand\n")
		r := h.apply(basic(t))
		if w := step(t, r, stepnames.Site).Warnings; len(w) != 1 || !h.exists(host.ConfDir+"/chat.conf") ||
			h.reloads != 0 {
			t.Errorf("warnings %q, %d reloads; want it named and left\n%s", w, h.reloads, summarize(r))
		}
	})
	bubble(t, "and comes back", func(t *testing.T) {
		h := withTwoSites(t)
		h.apply(basic(t))
		c := parse(t, oneSite+secondSite)
		if r := h.apply(c); r.Result != engine.Changed {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
		h.unchanged(c)
	})
}

// A file that an administrator had in the place of ours is theirs again where ours did not get there, or was put back.
func TestTheirFileInOurPlace(t *testing.T) {
	const theirs = "server {\n    listen 80;\n    server_name theirs.example.com;\n}\n"
	renamed := strings.Replace(oneSite, "name: websocket", "name: other-name", 1)
	for name, spoil := range map[string]func(h *fakeHost){
		"a run dies before it renames": func(h *fakeHost) { h.at("before install "+site, true) },
		"a run dies before it stages":  func(h *fakeHost) { h.at("before stage "+site, true) },
		"a reload is refused":          func(h *fakeHost) { h.web.deaf = true },
	} {
		bubble(t, name, func(t *testing.T) {
			h := withNginx(t)
			h.adopting = true
			h.write(site, theirs)
			spoil(h)
			if r := h.apply(basic(t)); r.Result != engine.Failed {
				t.Fatalf("%s\n%s", r.Result, summarize(r))
			}
			h.hook, h.web.deaf = nil, false
			if r := h.apply(parse(t, renamed)); r.Result != engine.Changed || h.content(site) != theirs {
				t.Errorf("%s, and theirs is now %q\n%s", r.Result, h.content(site), summarize(r))
			}
			h.unchanged(parse(t, renamed))
		})
	}
}

// TestTheirFileBack: what an administrator had in the place of ours is whose it was again, with its mode.
func TestTheirFileBack(t *testing.T) {
	theirs := host.Owner{UID: 1234, GID: 4321}
	for name, way := range map[string]func(h *fakeHost) *engine.Report{
		"a revert": func(h *fakeHost) *engine.Report {
			if r := h.apply(basic(t)); r.Result != engine.Changed {
				t.Errorf("%s\n%s", r.Result, summarize(r))
			}
			return h.run(basic(t), revert(false))
		},
		"a refused reload": func(h *fakeHost) *engine.Report {
			h.web.deaf = true
			return h.apply(basic(t))
		},
		"a revert after a killed run": func(h *fakeHost) *engine.Report {
			h.at(beforeReload, true)
			h.apply(basic(t))
			h.hook = nil
			return h.run(basic(t), revert(false))
		},
	} {
		bubble(t, name, func(t *testing.T) {
			h := withNginx(t)
			h.adopting = true
			h.write(site, "# theirs\n")
			h.must(os.Chmod(h.path(site), 0o640))
			if err := os.Chown(h.path(site), theirs.UID, theirs.GID); err != nil {
				hosttest.Unable(t, "chown: %v", err)
			}
			r := way(h)
			got, err := h.host(Listener{}).Files.Read(site)
			if err != nil || string(got.Content) != "# theirs\n" || got.Owner != theirs || got.Mode != 0o640 {
				t.Errorf("%q, mode %04o, %+v, %v; want theirs, 0640, %+v\n%s", got.Content, got.Mode, got.Owner, err,
					theirs, summarize(r))
			}
		})
	}
	bubble(t, "ours is root's", func(t *testing.T) {
		h := withNginx(t)
		h.adopting = true
		h.write(site, "# theirs\n")
		if err := os.Chown(h.path(site), theirs.UID, theirs.GID); err != nil {
			hosttest.Unable(t, "chown: %v", err)
		}
		h.apply(basic(t))
		if got, err := h.host(Listener{}).Files.Read(site); err != nil || got.Owner != (host.Owner{}) {
			t.Errorf("%+v, %v", got.Owner, err)
		}
		h.unchanged(basic(t))
	})
}

// Nothing of other people's is touched on the way.
func TestNeighboursStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := withNginx(t)
		before := h.snapshot()
		h.apply(basic(t))
		after := h.snapshot()
		for name, text := range before {
			if strings.HasPrefix(name, "/etc/nginx/") && after[name] != text && name != host.ConfDir {
				t.Errorf("%s: %s, was %s", name, after[name], text)
			}
		}
	})
}
