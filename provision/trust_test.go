package provision

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

// TestHostileState: a ledger that somebody else than root could have written brings nothing about, and a plan says so.
func TestHostileState(t *testing.T) {
	for name, harm := range map[string]func(h *fakeHost){
		"everybody's ledger":    func(h *fakeHost) { h.must(os.Chmod(h.path(state.LedgerPath), 0o666)) },
		"everybody's directory": func(h *fakeHost) { h.must(os.Chmod(h.path(host.StateDir), 0o777)) },
		"nobody's ledger":       func(h *fakeHost) { h.must(os.Chown(h.path(state.LedgerPath), 65534, 65534)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := provisioned(t)
				harm(h)
				before := h.snapshot()
				for _, act := range []func() (*engine.Report, error){
					func() (*engine.Report, error) { return h.newRun(basic(t)).Apply(t.Context()) },
					func() (*engine.Report, error) { return revert(true)(h.newRun(basic(t)), t.Context()) },
				} {
					if _, err := act(); !errors.Is(err, ErrUntrusted) || !strings.Contains(err.Error(), "ch") {
						t.Errorf("%v, want %v and what mends it", err, ErrUntrusted)
					}
				}
				if h.plan(basic(t)); !strings.Contains(strings.Join(h.notices, "\n"), "will refuse") {
					t.Errorf("plan says %q", h.notices)
				}
				h.untouched(before)
			})
		})
	}
}

// TestHostileGroup: a group that may write into conf.d is named.
func TestHostileGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := provisioned(t)
		h.write("/etc/group", "root:x:0:\nwebadmins:x:4242:joe\n")
		h.must(errors.Join(os.Chown(h.path(host.ConfDir), 0, 4242), os.Chmod(h.path(host.ConfDir), 0o775)))
		r := h.apply(basic(t))
		got := strings.Join(step(t, r, stepnames.Site).Warnings, "\n")
		if r.Result != engine.Unchanged || !strings.Contains(got, "webadmins") ||
			!strings.Contains(got, "chmod g-w "+host.ConfDir) {
			t.Errorf("%s, %q; want a warning that names the group", r.Result, got)
		}
	})
}
