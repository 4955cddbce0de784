package provision

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/packages"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

// withMirror is a host that has its packages from a mirror.
func withMirror(t testing.TB) *fakeHost {
	h := bareForMirror(t)
	if r := h.apply(mirrored(t)); r.Result != engine.Changed {
		t.Fatalf("EPEL from a mirror: %s\n%s", r.Result, summarize(r))
	}
	return h
}

// TestMirrorDrift: an edit of the repository or of its key is dealt with like one of a server block.
func TestMirrorDrift(t *testing.T) {
	other, _ := armoredKey(t, 2)
	for name, edit := range map[string]func(h *fakeHost) (path string){
		packages.RepositoryPath: func(h *fakeHost) string {
			h.write(packages.RepositoryPath, h.content(packages.RepositoryPath)+"proxy=http://proxy.example.com\n")
			return packages.RepositoryPath
		},
		packages.KeyPath: func(h *fakeHost) string { h.write(packages.KeyPath, other); return packages.KeyPath },
	} {
		drifting := func(t *testing.T, onDrift string) (h *fakeHost, c config.Config, ours, path string) {
			h = withMirror(t)
			ours = h.content(name)
			c = mirrored(t)
			c.OnDrift = onDrift
			return h, c, ours, edit(h)
		}
		bubble(t, "replace "+name, func(t *testing.T) {
			h, c, ours, path := drifting(t, config.DriftReplace)
			r := h.apply(c)
			if r.Result != engine.Changed || h.content(path) != ours || h.reloads > 0 {
				t.Errorf("%s, %d reloads\n%s", r.Result, h.reloads, summarize(r))
			}
			h.unchanged(c)
		})
		bubble(t, "keep "+name, func(t *testing.T) {
			h, c, _, path := drifting(t, config.DriftKeep)
			edited := h.content(path)
			r := h.apply(c)
			if w := strings.Join(step(t, r, stepnames.Repository).Warnings, "; "); r.Result != engine.Unchanged ||
				!strings.Contains(w, path+" was edited") || h.content(path) != edited {
				t.Errorf("%s, warns %q\n%s", r.Result, w, summarize(r))
			}
		})
		bubble(t, "fail "+name, func(t *testing.T) {
			h, c, _, path := drifting(t, config.DriftFail)
			h.fails(c, stepnames.Repository, path+" was edited since the agent wrote it")
		})
	}
}

// TestMirrorThatIsNoLongerAskedFor: the repository and its key go, unless somebody has edited them.
func TestMirrorThatIsNoLongerAskedFor(t *testing.T) {
	for _, source := range []string{config.EPELNone, config.EPELRepository} {
		c := basic(t)
		c.EPEL.Source = source
		bubble(t, source, func(t *testing.T) {
			h := withMirror(t)
			r := h.apply(c)
			if r.Result != engine.Changed || h.exists(packages.RepositoryPath) || h.exists(packages.KeyPath) ||
				h.reloads+h.count("yum") > 0 {
				t.Errorf("%s, %d reloads, ran %q\n%s", r.Result, h.reloads, h.ran, summarize(r))
			}
			h.unchanged(c)
		})
		bubble(t, source+", edited", func(t *testing.T) {
			h := withMirror(t)
			h.write(packages.RepositoryPath, h.content(packages.RepositoryPath)+"# by hand\n")
			r := h.apply(c)
			if w := strings.Join(step(t, r, stepnames.Repository).Warnings, "; "); !strings.Contains(w,
				packages.RepositoryPath) ||
				!h.exists(packages.RepositoryPath) || !h.exists(packages.KeyPath) {
				t.Errorf("warns %q\n%s", w, summarize(r))
			}
		})
	}
}

// withSecret is a mirror whose URL holds a password.
func withSecret(t testing.TB, password string) config.Config {
	c := mirrored(t)
	c.EPEL.BaseURL = "https://me:" + password + "@mirror.example.com/epel/7"
	return c
}

// Credentials are in the repository's file and in nothing that anybody sees.
func TestHostileCredentials(t *testing.T) {
	h := bareForMirror(t)
	c := withSecret(t, "s3cret")
	c.Source = "/etc/wsprovision/wsprovision.yaml"
	h.write(c.Source, "epel: {baseurl: '"+c.EPEL.BaseURL+"'}\n")
	const warning = "wsprovision.yaml holds credentials of epel and can be read by others (mode 0644): chmod 600"
	shown := func(r *engine.Report) string {
		h.t.Helper()
		text, err := json.Marshal(r)
		h.must(err)
		if strings.Contains(string(text), "s3cret") || strings.Contains(h.content(state.HistoryPath), "s3cret") {
			t.Errorf("%s shows the password: %s", r.Command, text)
		}
		return string(text)
	}
	if text := shown(h.plan(c)); !strings.Contains(text, warning) || !strings.Contains(text, "…@mirror.example.com") {
		t.Errorf("plan: %s", text)
	}
	shown(h.apply(c))
	fi, err := os.Stat(h.path(packages.RepositoryPath))
	h.must(err)
	if got := fi.Mode().Perm(); got != 0o600 || !strings.Contains(h.content(packages.RepositoryPath), "s3cret") {
		t.Errorf("mode %o: %s", got, h.content(packages.RepositoryPath))
	}
	h.must(os.Chmod(h.path(c.Source), 0o600))
	h.write(packages.RepositoryPath, strings.Replace(h.content(packages.RepositoryPath), "s3cret", "s3cret2", 1)+
		"password=s3cret3\n")
	for _, onDrift := range []string{config.DriftReplace, config.DriftKeep, config.DriftFail} {
		c.OnDrift = onDrift
		if text := shown(h.plan(c)); strings.Contains(text, warning) || !strings.Contains(text, "password=…") {
			t.Errorf("%s: %s", onDrift, text)
		}
	}
	c.OnDrift = config.DriftReplace
	shown(h.apply(c))
	if text := shown(h.plan(withSecret(t, "s3cret9"))); !strings.Contains(text, "differ, which are not shown") {
		t.Errorf("another password: %s", text)
	}
	shown(h.run(c, revert(true)))
}

// However a password is written, a file that shows it is warned of.
func TestHostilePasswordsAsWritten(t *testing.T) {
	for _, password := range []string{"se!cret", "se%2fcret", "se%40cret", "?token=se!cret"} {
		h := bareForMirror(t)
		c := withSecret(t, password)
		if strings.HasPrefix(password, "?") {
			c.EPEL.BaseURL = "https://mirror.example.com/epel/7" + password
		}
		c.Source = "/etc/wsprovision/wsprovision.yaml"
		h.write(c.Source, "epel: {baseurl: '"+c.EPEL.BaseURL+"'}\n")
		warnings := strings.Join(step(t, h.plan(c), stepnames.Repository).Warnings, "; ")
		if !strings.Contains(warnings, "holds credentials") || strings.Contains(warnings, "cret") {
			t.Errorf("%s: %q", password, warnings)
		}
	}
}

// TestHostileKeyOfSomebody: a key that somebody else could exchange is not as wanted, whatever it holds now.
func TestHostileKeyOfSomebody(t *testing.T) {
	for name, spoil := range map[string]func(h *fakeHost){
		"mode": func(h *fakeHost) { h.must(os.Chmod(h.path(packages.KeyPath), 0o666)) },
		"lost ledger": func(h *fakeHost) {
			h.must(os.Chmod(h.path(packages.KeyPath), 0o666))
			h.must(os.Remove(h.path(state.LedgerPath)))
		},
		"label": func(h *fakeHost) {
			h.must(h.host(Listener{}).SELinux.Contexts().SetFileLabel(packages.KeyPath,
				"system_u:object_r:user_home_t:s0"))
		},
	} {
		bubble(t, name, func(t *testing.T) {
			h := withMirror(t)
			content, stat := h.content(packages.KeyPath), h.stat(packages.KeyPath)
			spoil(h)
			if r := h.plan(mirrored(t)); !strings.Contains(summarize(r), "file "+packages.KeyPath) {
				t.Errorf("plan: %s", summarize(r))
			}
			r := h.apply(mirrored(t))
			if r.Result != engine.Changed || h.stat(packages.KeyPath) != stat ||
				h.content(packages.KeyPath) != content {
				t.Errorf("it is %s, and was %s\n%s", h.stat(packages.KeyPath), stat, summarize(r))
			}
			h.unchanged(mirrored(t))
		})
	}
}

// Signatures do not say that a package is the newest one.
func TestHostileMirrorOverHTTP(t *testing.T) {
	for address, warned := range map[string]bool{
		"http://mirror.example.com/7": true, "https://mirror.example.com/7": false, "file:///srv/epel": false,
	} {
		h := bareForMirror(t)
		c := mirrored(t)
		c.EPEL.BaseURL = address
		warnings := strings.Join(step(t, h.plan(c), stepnames.Repository).Warnings, "; ")
		if strings.Contains(warnings, "metadata is not signed") != warned {
			t.Errorf("%s: %q", address, warnings)
		}
	}
}
