package provision

import (
	"strings"
	"testing"
)

// A power cut after rpm has synced its database leaves files that it never synced: rpm says that they are installed, and nothing is in
// them. The next run finds it and mends it, live and at the first boot, however often it fails before.
func TestPackagesAfterAPowerCut(t *testing.T) {
	for _, tt := range []struct{ name, lost string }{
		{"epel-release", epelPackage},
		{"nginx", nginxPackage},
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
				h.write("/proc/sys/kernel/random/boot_id", "one\n")
				dead := false
				h.hook = func(point string) error {
					if dead = dead || strings.HasPrefix(point, "after run yum ") && strings.Contains(point, tt.lost); dead {
						return errKilled
					}
					return nil
				}
				h.apply(basic(t))
				h.hook = nil
				for path := range brings(tt.lost) {
					h.write(path, "")
				}
				h.write("/proc/sys/kernel/random/boot_id", "two\n")
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
	if !strings.Contains(lost, "nginx") { // yum reinstall is not asked of the repositories here
		if r := h.apply(basic(t)); r.Result != Failed {
			t.Errorf("without a mirror: %s\n%s", r.Result, summarize(r))
		}
	}
	h.packages.yum = nil
	if offline {
		if r, err := h.firstBoot(1); err != nil || r.Result != Changed {
			t.Fatalf("first boot: %v\n%s", err, summarize(r))
		}
	} else if r := h.apply(basic(t)); r.Result != Changed {
		t.Fatalf("%s\n%s", r.Result, summarize(r))
	}
	for path := range brings(lost) {
		if h.content(path) == "" {
			t.Errorf("%s is still empty", path)
		}
	}
	if s := h.status(t); s.State != Complete {
		t.Errorf("status: %s, %s", s.State, s.Why)
	}
	h.unchanged(basic(t))
}
