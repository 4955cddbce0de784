package provision

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/packages"
	"wsprovision/provision/proxy"
	"wsprovision/provision/state"
	"wsprovision/provision/status"
	"wsprovision/provision/stepnames"
)

// from100 is a state in which 1.0.0 left a host; testdata/1.0.0 has its files.
type from100 struct {
	name string
	host func(testing.TB) *fakeHost
	kill string // the point of the seam at which the run was killed
	// status is the host's before our first run.
	status status.State
	// owes: nginx has not taken what is on the disk.
	owes bool
}

func all100() []from100 {
	applied := func(t testing.TB) *fakeHost { return provisioned(t) }
	return []from100{
		{name: "applied", host: newFakeHost, status: status.Complete},
		{name: "two-sites", host: withNginx, status: status.Complete},
		{name: "shutdown-timeout", host: withModules, status: status.Complete},
		{name: "over-theirs", host: theirFile, status: status.Complete},
		{name: "over-theirs-announced", host: theirFile, kill: "before install " + site, status: status.Broken},
		{name: "changed-announced", host: applied, kill: "before stage " + site, status: status.Broken},
		{name: "reload-owed", host: applied, kill: beforeReload, status: status.Broken, owes: true},
		{name: "failed", host: takenPort, status: status.Broken},
		{name: "yum-killed", host: newFakeHost, kill: "after run yum", status: status.Broken},
		{name: "deferred", host: bareOffline, status: status.Waiting},
		{name: "mirror", host: bareForMirror, status: status.Complete},
		{name: "long-name", host: newFakeHost, status: status.Complete},
	}
}

func withModules(t testing.TB) *fakeHost {
	h := withNginx(t)
	h.write(host.NginxConf, "include /usr/share/nginx/modules/*.conf;\n"+h.content(host.NginxConf))
	h.mkdir("/usr/share/nginx/modules")
	return h
}

// written100 are the files that 1.0.0 may have written.
var written100 = []string{
	state.LedgerPath, state.HistoryPath, state.DeferredPath, state.OwedPath, host.RelabelPath, packages.RepositoryPath,
	packages.KeyPath, proxy.ShutdownPath, namesPath,
	site, host.ConfDir + "/" + "chat" + ".conf",
}

// leave is the host as 1.0.0 left it: what our own run does to it, with 1.0.0's files in the place of ours.
func (s from100) leave(t testing.TB) (*fakeHost, config.Config) {
	dir := filepath.Join("testdata/1.0.0", s.name)
	text, err := os.ReadFile(filepath.Join(dir, "wsprovision.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	h, c := s.host(t), parse(t, string(text))
	dead := false
	h.hook = func(point string) error {
		if dead = dead || s.kill != "" && strings.HasPrefix(point, s.kill); dead {
			return errKilled
		}
		return nil
	}
	h.apply(c)
	h.hook = nil
	if s.kill != "" && !dead {
		t.Fatalf("no point %q in %q", s.kill, h.points)
	}
	for _, path := range written100 {
		h.must(os.RemoveAll(h.path(path)))
		if text, err := os.ReadFile(dir + path); err == nil {
			h.write(path, string(text))
		}
	}
	if h.web.master != 0 && !s.owes && !h.take() {
		t.Fatalf("nginx does not take what 1.0.0 wrote: %s", h.content("/var/log/nginx/error.log"))
	}
	h.lastResult = ""
	return h, c
}

// TestUpgradeFrom100: from every state in which 1.0.0 left a host, status and plan tell of it, apply goes on, and
// revert brings back the host that was there before 1.0.0.
func TestUpgradeFrom100(t *testing.T) {
	for _, s := range all100() {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, c := s.leave(t)
				before := h.snapshot()
				if got := h.status(t); got.State != s.status || got.Report == nil && s.kill == "" {
					t.Errorf("status: %s (%s), report %+v; want %s", got.State, got.Why, got.Report, s.status)
				}
				for _, e := range h.ledger().Entries {
					if e.Kind == "" || e.Name == "" || e.Left == "" {
						t.Errorf("an entry without a part: %+v", e)
					}
				}
				s.owed(t, h)
				s.saysWhy(t, h.plan(c))
				h.untouched(before)
				s.goesOn(t)
				s.reverts(t)
			})
		})
	}
}

// owed reads the way back that 1.0.0 noted, whole.
func (s from100) owed(t *testing.T, h *fakeHost) {
	t.Helper()
	due, way, err := state.Owed{Files: h.host(Listener{}).Files}.Due()
	if noted := h.exists(state.OwedPath); due != noted || err != nil || len(way) > 0 != noted {
		t.Fatalf("a reload is owed: %v, %+v, %v; want %v", due, way, err, noted)
	}
	for _, p := range way {
		if p.Path != site || p.Master == "" || !p.Absent && (len(p.Content) == 0 || p.Mode != proxy.SiteMode) {
			t.Errorf("the way back: %+v", p)
		}
	}
}

// saysWhy requires of a plan that would write 1.0.0's file of a site anew the reason, once for all sites.
func (s from100) saysWhy(t *testing.T, r *engine.Report) {
	t.Helper()
	got := step(t, r, stepnames.Site)
	notes, diffs := strings.Join(got.Notes, "\n"), ""
	for _, c := range got.Changes {
		diffs += c.Diff
	}
	for _, form := range managed.ChangedForms {
		line := func(begin, text string) bool {
			return regexp.MustCompile(`(?m)^` + begin + ` *` + regexp.QuoteMeta(text)).MatchString(diffs)
		}
		goes := line("-", form.Had)
		if form.Gains != "" {
			goes = line("[- ]", form.Had) && line(`\+`, form.Gains)
		}
		if said := strings.Count(notes, form.Why); goes && said != 1 || !goes && said != 0 {
			t.Errorf("%d times it is said why %q goes (it goes: %v):\n%s\n%s", said, form.Had, goes, notes, diffs)
		}
	}
	if s.name == "two-sites" && !strings.Contains(notes, "and of 1 more files") {
		t.Errorf("the other site is not counted: %q", notes)
	}
}

// goesOn applies a configuration that can be had, and a second time.
func (s from100) goesOn(t *testing.T) {
	t.Helper()
	h, c := s.leave(t)
	if s.name == "failed" {
		c = basic(t)
	}
	if s.status == status.Waiting {
		h.boot()
		if r, err := h.firstBoot(1); err != nil || r == nil || r.Result != engine.Changed {
			t.Fatalf("first boot: %+v, %v", r, err)
		}
	} else if r := h.apply(c); r.Result == engine.Failed || h.reloads > 1 || h.starts > 1 {
		t.Errorf("apply: %s, %d reloads, %d starts\n%s", r.Result, h.reloads, h.starts, summarize(r))
	}
	h.unchanged(c)
	if got := h.status(t); got.State != status.Complete {
		t.Errorf("then the status is %s (%s)", got.State, got.Why)
	}
	if l := h.ledger(); l.Version != state.LedgerVersion1 {
		t.Errorf("the ledger has version %d: nothing in it is new, and 1.0.0 should read it", l.Version)
	}
}

// reverts compares with a host that our own agent has changed and reverted.
func (s from100) reverts(t *testing.T) {
	t.Helper()
	h, c := s.leave(t)
	ours := s.host(t)
	if ours.apply(c); s.name == "failed" {
		ours.apply(basic(t))
	}
	for _, one := range []*fakeHost{h, ours} {
		if s.status == status.Waiting {
			one.boot()
		}
		if r := one.run(c, revert(true)); r.Result != engine.Changed {
			t.Errorf("revert: %s\n%s", r.Result, summarize(r))
		}
	}
	want, got := ours.state(), h.state()
	if s.kill == "" {
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("reverted (-what our own did +what 1.0.0 did):\n%s", d)
		}
	}
	if l := h.ledger(); len(l.Entries) > 0 {
		t.Errorf("the ledger still has %+v", l.Entries)
	}
	theirs := ""
	if strings.HasPrefix(s.name, "over-theirs") {
		theirs = "# theirs\n"
	}
	if now := h.content(site); now != theirs {
		t.Errorf("%s has %q, and had %q before 1.0.0", site, now, theirs)
	}
}
