package provision

import (
	"strings"
	"testing"

	"wsprovision/provision/config"
)

// withMirror is a host that has its packages from a mirror.
func withMirror(t testing.TB) *fakeHost {
	h := bareForMirror(t)
	if r := h.apply(mirrored(t)); r.Result != Changed {
		t.Fatalf("EPEL from a mirror: %s\n%s", r.Result, summarize(r))
	}
	return h
}

// TestMirrorDrift: an edit of the repository or of its key is dealt with like one of a server block.
func TestMirrorDrift(t *testing.T) {
	other, _ := armoredKey(t, 2)
	for name, edit := range map[string]func(h *fakeHost) (path string){
		repositoryPath: func(h *fakeHost) string {
			h.write(repositoryPath, h.content(repositoryPath)+"proxy=http://proxy.example.com\n")
			return repositoryPath
		},
		keyPath: func(h *fakeHost) string { h.write(keyPath, other); return keyPath },
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
			if r.Result != Changed || h.content(path) != ours || h.reloads > 0 {
				t.Errorf("%s, %d reloads\n%s", r.Result, h.reloads, summarize(r))
			}
			h.unchanged(c)
		})
		bubble(t, "keep "+name, func(t *testing.T) {
			h, c, _, path := drifting(t, config.DriftKeep)
			edited := h.content(path)
			r := h.apply(c)
			if w := strings.Join(step(t, r, StepRepository).Warnings, "; "); r.Result != Unchanged || !strings.Contains(w, path+" was edited") || h.content(path) != edited {
				t.Errorf("%s, warns %q\n%s", r.Result, w, summarize(r))
			}
		})
		bubble(t, "fail "+name, func(t *testing.T) {
			h, c, _, path := drifting(t, config.DriftFail)
			h.fails(c, StepRepository, path+" was edited since the agent wrote it")
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
			if r.Result != Changed || h.exists(repositoryPath) || h.exists(keyPath) || h.reloads+h.count("yum") > 0 {
				t.Errorf("%s, %d reloads, ran %q\n%s", r.Result, h.reloads, h.ran, summarize(r))
			}
			h.unchanged(c)
		})
		bubble(t, source+", edited", func(t *testing.T) {
			h := withMirror(t)
			h.write(repositoryPath, h.content(repositoryPath)+"# by hand\n")
			r := h.apply(c)
			if w := strings.Join(step(t, r, StepRepository).Warnings, "; "); !strings.Contains(w, repositoryPath) || !h.exists(repositoryPath) || !h.exists(keyPath) {
				t.Errorf("warns %q\n%s", w, summarize(r))
			}
		})
	}
}
