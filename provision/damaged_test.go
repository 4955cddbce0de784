package provision

import (
	"os"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/packages"
	"wsprovision/provision/status"
	"wsprovision/provision/stepnames"
)

// A power cut after rpm has synced its database leaves files that it never synced: rpm says that they are installed,
// and nothing is in them. The next run finds it and mends it, live and at the first boot, however often it fails
// before.
func TestPackagesAfterAPowerCut(t *testing.T) {
	for _, tt := range []struct{ name, lost string }{
		{"epel-release", packages.EPELRelease},
		{"nginx", packages.Nginx},
	} {
		for _, offline := range []bool{false, true} {
			name := tt.name + ", live"
			if offline {
				name = tt.name + ", in the installer"
			}
			bubble(t, name, func(t *testing.T) {
				h := newFakeHost(t)
				if offline {
					h = bareOffline(t)
				}
				h.cutAfter(tt.lost, tt.lost)
				if offline {
					h.boot()
				}
				h.mends(tt.lost, offline)
			})
		}
	}
}

func (h *fakeHost) mends(lost string, offline bool) {
	t := h.t
	h.packages.yum = func([]string) (string, string, int, bool) {
		return "", "Error: Cannot retrieve repository metadata\n", 1, true
	}
	if r := h.apply(basic(t)); r.Result != engine.Failed {
		t.Errorf("without a mirror: %s\n%s", r.Result, summarize(r))
	}
	h.packages.yum = nil
	if offline {
		if r, err := h.firstBoot(1); err != nil || r.Result != engine.Changed {
			t.Fatalf("first boot: %v\n%s", err, summarize(r))
		}
	} else if r := h.apply(basic(t)); r.Result != engine.Changed {
		t.Fatalf("%s\n%s", r.Result, summarize(r))
	}
	h.whole(lost)
	if s := h.status(t); s.State != status.Complete {
		t.Errorf("status: %s, %s", s.State, s.Why)
	}
	h.unchanged(basic(t))
}

// cutAfter has a first apply die after yum has brought a package, and the host come up without what the lost ones
// brought.
func (h *fakeHost) cutAfter(brought string, lost ...string) {
	h.t.Helper()
	h.write("/proc/sys/kernel/random/boot_id", "one\n")
	dead := false
	h.hook = func(point string) error {
		if dead = dead || strings.HasPrefix(point, "after run yum ") && strings.Contains(point, brought); dead {
			return errKilled
		}
		return nil
	}
	h.apply(basic(h.t))
	h.hook = nil
	for _, name := range lost {
		for path := range brings(name) {
			h.write(path, "")
		}
	}
	h.write("/proc/sys/kernel/random/boot_id", "two\n")
}

func (h *fakeHost) whole(names ...string) {
	h.t.Helper()
	for _, name := range names {
		for path := range brings(name) {
			if h.content(path) == "" {
				h.t.Errorf("%s is still empty", path)
			}
		}
	}
}

// A key that yum imports for a reinstallation is the agent's like any other, and goes with the packages.
func TestKeyOfAReinstallation(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		h.cutAfter(packages.Nginx, packages.Nginx)
		h.write(rpmKeys, "")
		h.apply(basic(t))
		h.whole(packages.Nginx)
		if h.content(rpmKeys) == "" {
			t.Fatal("no key was imported")
		}
		h.run(basic(t), revert(true))
		if keys := h.content(rpmKeys); keys != "" {
			t.Errorf("imported still:\n%s", keys)
		}
	})
}

// A damaged epel-release is erased before it is brought again: where that fails, nginx's reinstallation asks for it the
// next time.
func TestEPELDamagedWithNginx(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		h.cutAfter(packages.Nginx, packages.EPELRelease, packages.Nginx)
		h.mends(packages.EPELRelease, false)
		h.whole(packages.Nginx)
	})
}

// What a revert leaves installed is mended by the next apply like by any other run.
func TestRevertAfterAPowerCut(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		h.cutAfter(packages.Nginx, packages.Nginx)
		h.run(basic(t), revert(false))
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
		h.whole(packages.Nginx)
		h.unchanged(basic(t))
	})
}

// Only what came with an interrupted run may have been lost with it: what is missing of a package from long ago is
// somebody's doing.
func TestPackagesFromBeforeThePowerCut(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		h.write("/proc/sys/kernel/random/boot_id", "one\n")
		time.Sleep(14 * 24 * time.Hour)
		h.at(beforeReload, true)
		h.apply(moved(t))
		h.hook = nil
		h.must(os.Remove(h.path("/etc/yum.repos.d/epel.repo")))
		h.write("/proc/sys/kernel/random/boot_id", "two\n")
		h.web.deaf = false
		if r := h.apply(moved(t)); r.Result != engine.Changed ||
			step(t, r, stepnames.Repository).Status != engine.Unchanged {
			t.Errorf("%s\n%s", r.Result, summarize(r))
		}
		if h.exists("/etc/yum.repos.d/epel.repo") {
			t.Error("epel-release was brought again")
		}
	})
}
