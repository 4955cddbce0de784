package provision

import (
	"context"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/packages"
	"wsprovision/provision/stepnames"
)

// A lock that another holds is waited for as long as the configuration says: 0s does not wait, and is no absent value.
func TestWaitForLocks(t *testing.T) {
	yum := func(h *fakeHost, _ *Run) {
		h.write("/proc/900/stat", procStat(900, "yum", 1, 400))
		h.write("/proc/900/cmdline", "yum\x00update\x00")
		h.write("/var/run/yum.pid", "900\n")
	}
	semanage := func(h *fakeHost, r *Run) {
		const lock = "/etc/selinux/targeted/semanage.trans.LOCK"
		h.install(packages.Semanage)
		h.install(packages.Nginx)
		r.SELinux.Change = func(context.Context, string, ...string) (string, string, int, error) {
			return "", "libsemanage.semanage_get_lock: Could not get direct transaction lock at " + lock +
				". (Resource temporarily unavailable).\n", 1, nil
		}
	}
	for _, tt := range []struct {
		name, wait string
		hold       func(*fakeHost, *Run)
		step, says string
		waited     time.Duration
	}{
		{"yum, not at all", "wait: {yum_lock: 0s}", yum, stepnames.Repository, "yum lock held by pid 900 (yum update)",
			0},
		{"yum", "wait: {yum_lock: 7s}", yum, stepnames.Repository, "yum lock held by pid 900 (yum update)",
			7 * time.Second},
		{"yum, by default", "", yum, stepnames.Repository, "yum lock held by pid 900 (yum update)", config.YumLockWait},
		{"semanage, not at all", "wait: {semanage_lock: 0s}", semanage, stepnames.SELinux,
			"semanage.trans.LOCK is held by",
			0},
		{"semanage", "wait: {semanage_lock: 7s}", semanage, stepnames.SELinux, "semanage.trans.LOCK is held by",
			7 * time.Second},
		{"semanage, by default", "", semanage, stepnames.SELinux, "semanage.trans.LOCK is held by",
			config.SemanageLockWait},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := newFakeHost(t)
			run := h.newRun(parse(t, oneSite+tt.wait+"\n"))
			tt.hold(h, run)
			start := time.Now()
			r, err := run.Apply(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s := step(t, r, tt.step); s.Status != engine.Failed || !strings.Contains(s.Error, tt.says) {
				t.Errorf("%s: %s %q, want failed: %q\n%s", tt.step, s.Status, s.Error, tt.says, summarize(r))
			}
			if waited := time.Since(start).Round(time.Second); waited != tt.waited {
				t.Errorf("waited %s, want %s", waited, tt.waited)
			}
		})
	}
}
