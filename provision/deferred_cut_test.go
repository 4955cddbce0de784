package provision

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/status"

	"github.com/google/go-cmp/cmp"
)

// TestFirstBootCutWhileItWaits has the power cut between two attempts, when no run is at work and the work is not done.
func TestFirstBootCutWhileItWaits(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := installed(t)
		h.boot()
		h.write("/proc/sys/kernel/random/boot_id", "one\n")
		h.web.backends = map[string]bool{"127.0.0.1:3000": false}
		func() {
			defer func() { _ = recover() }()
			_, err := h.firstBoot(2, func() { panic("power cut") })
			t.Fatalf("the first boot did not wait: %v", err)
		}()
		h.write("/proc/sys/kernel/random/boot_id", "two\n")
		h.boot()
		h.web.backends["127.0.0.1:3000"] = true
		r, err := h.firstBoot(1)
		if err != nil || r.Result != engine.Changed || !strings.Contains(r.Resumes, "the machine went down") {
			t.Errorf("%v, %s, resumes %q\n%s", err, r.Result, r.Resumes, summarize(r))
		}
	})
}

// TestCrashAcrossBoots stops the installation, or the first boot, at every point at which it is about to change the
// host or has just done so; then the machine boots, and boots once more. Where the record was made, nobody has to do
// anything.
func TestCrashAcrossBoots(t *testing.T) {
	var install, first int
	var want map[string]string
	synctest.Test(t, func(t *testing.T) {
		whole := bareOffline(t)
		whole.apply(fromOptions(t))
		install = len(whole.points)
		whole.boot()
		if _, err := whole.firstBoot(1); err != nil {
			t.Fatal(err)
		}
		first, want = len(whole.points), whole.state()
	})
	if install < 30 || first < 8 {
		t.Fatalf("%d and %d points, want at least 30 and 8", install, first)
	}
	for point := range install {
		bubble(t, fmt.Sprintf("install %d", point), func(t *testing.T) { cutInstall(t, point, want) })
	}
	for point := range first {
		bubble(t, fmt.Sprintf("first boot %d", point), func(t *testing.T) { cutFirstBoot(t, point, want) })
	}
}

func cutInstall(t *testing.T, point int, want map[string]string) {
	h := bareOffline(t)
	h.killAt(point)
	h.apply(fromOptions(t))
	h.hook = nil
	recorded := h.exists(state.DeferredPath) && h.exists(host.FirstBootLink)
	if !recorded && (h.exists(site) || h.content(rpmPackages) != "") {
		t.Fatal("the host was changed before the record was made")
	}
	h.boot()
	r, err := h.firstBoot(1)
	if !recorded {
		if s := h.status(t); s.State != status.None {
			t.Errorf("nothing was changed, and status says %s, %s", s.State, s.Why)
		}
		r, err = h.apply(fromOptions(t)), nil
	}
	h.judgeFinished(r, err, want)
}

func cutFirstBoot(t *testing.T, point int, want map[string]string) {
	h := bareOffline(t)
	h.apply(fromOptions(t))
	h.boot()
	h.killAt(point)
	_, _ = h.firstBoot(1)
	h.hook = nil
	h.boot()
	r, err := h.firstBoot(1)
	h.judgeFinished(r, err, want)
}

func (h *fakeHost) judgeFinished(r *engine.Report, err error, want map[string]string) {
	h.t.Helper()
	defer os.RemoveAll(h.root)
	if err != nil || r != nil && r.Result == engine.Failed {
		h.t.Fatalf("not finished: %v\n%s", err, summarize(r))
	}
	if d := cmp.Diff(want, h.state()); d != "" {
		h.t.Errorf("it ends elsewhere (-undisturbed +after the crash):\n%s", d)
	}
	if h.exists(state.DeferredPath) || h.exists(host.FirstBootLink) {
		h.t.Error("the deferred work is not struck off")
	}
	if s := h.status(h.t); s.State != status.Complete {
		h.t.Errorf("status: %s, %s", s.State, s.Why)
	}
	h.unchanged(fromOptions(h.t))
}

// fromOptions is a site that was asked for by options, which are written down beside it.
func fromOptions(t testing.TB) config.Config {
	t.Helper()
	c := basic(t)
	c.Record = &config.Record{Site: "websocket", Path: "/etc/wsprovision/sites.d/websocket.yaml",
		Content: []byte("# a comment\n" + oneSite)}
	return c
}

// TestFirstBootKeepsAnEdit has somebody edit, between %post and the first boot, what %post has written down.
func TestFirstBootKeepsAnEdit(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareOffline(t)
		c := fromOptions(t)
		if r := h.apply(c); h.content(c.Record.Path) != string(c.Record.Content) {
			t.Fatalf("%%post has written down %q:\n%s", h.content(c.Record.Path), summarize(r))
		}
		const edited = "# ours by now\n" + oneSite
		h.write(c.Record.Path, edited)
		h.boot()
		r, err := h.firstBoot(1)
		if err != nil || r.Result != engine.Changed || h.content(c.Record.Path) != edited {
			t.Errorf("%v, %s, the file has %q\n%s", err, r.Result, h.content(c.Record.Path), summarize(r))
		}
	})
}

func TestInterruptedIsTold(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		h.write("/proc/sys/kernel/random/boot_id", "one\n")
		h.killAt(20)
		h.apply(basic(t))
		h.hook = nil
		s := h.status(t)
		if s.State != status.Broken || !strings.Contains(s.Why, "interrupted: it was killed") {
			t.Errorf("status: %s, %s", s.State, s.Why)
		}
		h.write("/proc/sys/kernel/random/boot_id", "two\n")
		if r := h.apply(basic(t)); !strings.Contains(r.Resumes, "the machine went down") || r.Result != engine.Changed {
			t.Errorf("%s, resumes %q", r.Result, r.Resumes)
		}
		if r := h.apply(basic(t)); r.Resumes != "" {
			t.Errorf("once more: %q", r.Resumes)
		}
		if s := h.status(t); s.State != status.Complete {
			t.Errorf("status: %s, %s", s.State, s.Why)
		}
	})
}

// TestFirstBootLeavesAnothersFile: what somebody has put where the installation had not come to write is left, and
// holds nothing up.
func TestFirstBootLeavesAnothersFile(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareOffline(t)
		c := fromOptions(t)
		if r := h.apply(c); r.Result != engine.Deferred {
			t.Fatalf("the apply in the chroot: %s", summarize(r))
		}
		const theirs = "# another's\n" + oneSite
		h.must(os.Remove(h.path(c.Record.Path)))
		ledger := h.content(state.LedgerPath)
		h.write(state.LedgerPath, strings.ReplaceAll(ledger, c.Record.Path, c.Record.Path+".other"))
		h.write(c.Record.Path, theirs)
		h.boot()
		r, err := h.firstBoot(1)
		if err != nil || r.Result != engine.Changed || h.content(c.Record.Path) != theirs ||
			!strings.Contains(summarize(r), "is left as it is") {
			t.Errorf("%v, %s, the file has %q\n%s", err, r.Result, h.content(c.Record.Path), summarize(r))
		}
	})
}
