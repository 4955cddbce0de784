package provision

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/state"
	"wsprovision/provision/status"
	"wsprovision/provision/stepnames"
)

const replacing = oneSite + "on_drift: replace\n"

// copiesOf are the copies that are kept, by number.
func (h *fakeHost) copiesOf(path string) map[int]string {
	all := map[int]string{}
	numbers, err := (&host.Files{Root: h.root}).Copies(path)
	h.must(err)
	for _, n := range numbers {
		all[n] = h.content(host.CopyPath(path, n))
	}
	return all
}

// TestHostileEdit: what somebody has written into a file of ours, an edit of certbot's among them, is never lost
// without a copy.
func TestHostileEdit(t *testing.T) {
	bubble(t, "refused, all of them at once, nothing touched", func(t *testing.T) {
		h := withTwoSites(t)
		second := host.ConfDir + "/chat.conf"
		for _, path := range []string{site, second} {
			h.write(path, h.content(path)+"# managed by Certbot\n")
		}
		h.fails(parse(t, oneSite+secondSite), stepnames.Site, site, second, "+# managed by Certbot", "on_drift: keep",
			"on_drift: replace", "configuration")
	})
	bubble(t, "replaced, the copy named in the report", func(t *testing.T) {
		h := provisioned(t)
		edited := h.content(site) + "# managed by Certbot\n"
		h.write(site, edited)
		h.must(os.Chmod(h.path(site), 0o640))
		c := parse(t, replacing)
		want := "/var/lib/wsprovision/replaced/etc-nginx-conf.d-websocket.conf.1"
		for _, r := range []*engine.Report{h.plan(c), h.apply(c)} {
			if w := strings.Join(step(t, r, stepnames.Site).Warnings, "\n"); !strings.Contains(w, site+" was edited") ||
				!strings.Contains(w, want) {
				t.Errorf("%s warns %q, which does not name %s", r.Command, w, want)
			}
		}
		if got := h.content(want); got != edited {
			t.Errorf("the copy holds\n%s", got)
		}
		for path, mode := range map[string]os.FileMode{want: 0o600, filepath.Dir(want): 0o700} {
			if fi, err := os.Stat(h.path(path)); err != nil || fi.Mode().Perm() != mode {
				t.Errorf("%s: %v, %v, want mode %o", path, fi.Mode(), err, mode)
			}
		}
		h.unchanged(c)
		h.run(c, revert(false))
		if got := h.content(want); got != edited {
			t.Errorf("a revert has taken the copy")
		}
	})
	bubble(t, "the last five of each", func(t *testing.T) {
		h := provisioned(t)
		ours, c := h.content(site), parse(t, replacing)
		h.write(host.ConfDir+"/chat.conf", "")
		for n := range 7 {
			h.write(site, fmt.Sprintf("%s# %d\n", ours, n))
			h.must(h.apply(c).Err())
		}
		got := h.copiesOf(site)
		for n := 3; n <= 7; n++ {
			if !strings.HasSuffix(got[n], fmt.Sprintf("# %d\n", n-1)) {
				t.Errorf("copy %d holds\n%s", n, got[n])
			}
		}
		if len(got) != 5 {
			t.Errorf("%d copies, want 5", len(got))
		}
	})
	bubble(t, "repository and key", func(t *testing.T) {
		h := withMirror(t)
		key, _ := armoredKey(t, 2)
		edits := map[string]string{packages.RepositoryPath: h.content(packages.RepositoryPath) +
			"proxy=http://proxy.example.com\n",
			packages.KeyPath: key}
		for path, edit := range edits {
			h.write(path, edit)
		}
		c := mirrored(t)
		h.fails(c, stepnames.Repository, packages.RepositoryPath+" was edited", packages.KeyPath+" was edited")
		c.OnDrift = config.DriftReplace
		r := h.apply(c)
		w := strings.Join(step(t, r, stepnames.Repository).Warnings, "\n")
		for path, edit := range edits {
			got := h.copiesOf(path)[1]
			if r.Result == engine.Failed || got != edit || !strings.Contains(w, host.CopyPath(path, 1)) {
				t.Errorf("the copy of %s holds\n%s\nwarnings %q\n%s", path, got, w, summarize(r))
			}
		}
	})
	bubble(t, "written while the run is under way", func(t *testing.T) {
		h := provisioned(t)
		h.hook = func(point string) error {
			if strings.Contains(point, "reload-owed") {
				h.hook = nil
				h.write(site, "# just now\n")
			}
			return nil
		}
		r := h.apply(moved(t))
		if s := step(t, r, stepnames.Site); s.Status != engine.Failed || h.content(site) != "# just now\n" ||
			!strings.Contains(s.Error, site) {
			t.Errorf("%s\nthe site holds\n%s", summarize(r), h.content(site))
		}
	})
	bubble(t, "at the first boot", func(t *testing.T) {
		h := installed(t)
		h.boot()
		edited := h.content(site) + "# by hand\n"
		h.write(site, edited)
		r, err := h.firstBoot(1)
		if err != nil || r.Result != engine.Failed || h.content(site) != edited || !h.exists(state.DeferredPath) {
			t.Errorf("%v\n%s", err, summarize(r))
		}
		if s := h.status(t); s.State != status.Broken || !strings.Contains(s.Why, site) {
			t.Errorf("status: %s, %s", s.State, s.Why)
		}
	})
	bubble(t, "at the first boot, of the repository: no patience", func(t *testing.T) {
		h := bareForMirror(t)
		h.goOffline()
		h.must(h.apply(mirrored(t)).Err())
		h.boot()
		h.write(packages.RepositoryPath, "# by hand\n")
		if r, err := h.firstBoot(1); err != nil || r.Result != engine.Failed ||
			h.content(packages.RepositoryPath) != "# by hand\n" {
			t.Errorf("%v\n%s", err, summarize(r))
		}
	})
}

// A host that 1.0.0 has made is told once that the default has changed, in the words of what its configuration says.
func TestDefaultThatChanged(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"as the file of 1.0.0 has it": {replacing, "on_drift is replace"},
		"by flags":                    {oneSite, "on_drift is fail"},
		"keep":                        {oneSite + "on_drift: keep\n", ""},
	} {
		bubble(t, name, func(t *testing.T) {
			h := provisioned(t)
			c := parse(t, tt.text)
			said := func(r *engine.Report) bool {
				return strings.Contains(strings.Join(step(t, r, stepnames.Platform).Notes, "\n"), "on_drift is")
			}
			if said(h.plan(c)) {
				t.Errorf("a host of this version is told: %q", step(t, h.plan(c), stepnames.Platform).Notes)
			}
			h.write(state.HistoryPath, strings.Replace(h.content(state.HistoryPath), `"defaults": 3`, `"unknown": 2`,
				1))
			for range 2 {
				before := h.snapshot()
				notes := strings.Join(step(t, h.plan(c), stepnames.Platform).Notes, "\n")
				if got := strings.Count(notes, tt.want); tt.want != "" && got != 1 ||
					said(h.plan(c)) != (tt.want != "") {
					t.Errorf("plan says %q", notes)
				}
				h.untouched(before)
			}
			if r := h.apply(c); r.Result != engine.Unchanged || said(r) != (tt.want != "") {
				t.Errorf("apply: %s", summarize(r))
			}
			if said(h.plan(c)) {
				t.Error("it is said again")
			}
			h.unchanged(c)
		})
	}
}
