package provision

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"

	"golang.org/x/sys/unix"
)

// asNobody runs f with the file-system identity of nobody, on this thread alone, which is then thrown away.
func (h *fakeHost) asNobody(f func()) {
	h.t.Helper()
	for dir := h.root; dir != os.TempDir() && dir != "/dev/shm" && dir != "/"; dir = filepath.Dir(dir) {
		h.must(os.Chmod(dir, 0o755))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if _, _, errno := unix.RawSyscall(unix.SYS_SETFSUID, 65534, 0, 0); errno != 0 {
			h.t.Error(errno)
			return
		}
		f()
	}()
	<-done
}

// TestPlanByNobody: a plan without root says what it cannot tell, and is none the worse for a run that settled its
// debt.
func TestPlanByNobody(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(t *testing.T, h *fakeHost)
		warns string
	}{
		{"a reload was owed and is settled", func(t *testing.T, h *fakeHost) { h.apply(moved(t)) }, ""},
		{"a reload is owed", func(t *testing.T, h *fakeHost) {
			h.at(beforeReload, true)
			h.apply(moved(t))
			h.hook = nil
		}, "without root whether a reload is owed"},
		{"the directory is closed", func(t *testing.T, h *fakeHost) {
			h.apply(moved(t))
			h.must(os.Chmod(h.path(filepath.Dir(state.OwedPath)), 0o700))
		}, "without root whether a reload is owed"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := provisioned(t)
			tt.spoil(t, h)
			h.euid = 1000
			h.asNobody(func() {
				r := h.plan(moved(t))
				for _, name := range []string{stepnames.Validate, stepnames.Service} {
					if s := step(t, r, name); s.Status == engine.Failed {
						t.Errorf("%s: %s\n%s", name, s.Status, summarize(r))
					}
				}
				warnings := strings.Join(step(t, r, stepnames.Service).Warnings, "; ")
				if !strings.Contains(warnings, tt.warns) || tt.warns == "" && warnings != "" {
					t.Errorf("service warns %q, want %q", warnings, tt.warns)
				}
			})
		})
	}
}

// TestRevertPlanByNobody: "nothing to undo" is no answer of who may not read what there is.
func TestRevertPlanByNobody(t *testing.T) {
	for name, tt := range map[string]struct {
		host func(t testing.TB) *fakeHost
		want error
	}{
		"provisioned": {provisioned, ErrNotRoot},
		"bare":        {newFakeHost, nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := tt.host(t)
			h.euid = 1000
			h.asNobody(func() {
				r, err := NewRevert(h.host(Listener{}), Listener{}, false).Plan(t.Context())
				if !errors.Is(err, tt.want) || (r == nil) != (tt.want != nil) {
					t.Errorf("report %v, %v, want %v", r, err, tt.want)
				}
			})
		})
	}
}
