package provision

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/state"
	"wsprovision/provision/status"
	"wsprovision/systemd"
)

func (h *fakeHost) status(t testing.TB) status.Report {
	t.Helper()
	return status.Of(t.Context(), h.host(Listener{}), "test")
}

func TestStatus(t *testing.T) {
	tests := map[string]struct {
		host func(t testing.TB) *fakeHost
		want status.State
	}{
		"bare":                     {newFakeHost, status.None},
		"provisioned":              {provisioned, status.Complete},
		"in an installer's chroot": {bareOffline, status.None},
		"installed":                {installed, status.Waiting},
		"booted, not yet begun": {func(t testing.TB) *fakeHost {
			h := installed(t)
			h.boot()
			return h
		}, status.Waiting},
		"finished by hand": {func(t testing.TB) *fakeHost {
			h := installed(t)
			h.boot()
			h.apply(basic(t))
			return h
		}, status.Complete},
		"packages were missing": {func(t testing.TB) *fakeHost {
			h := newFakeHost(t)
			delete(h.packages.available, packages.Semanage)
			h.apply(basic(t))
			return h
		}, status.Broken},
		"packages were missing in the chroot": {func(t testing.TB) *fakeHost {
			h := bareOffline(t)
			delete(h.packages.available, packages.Semanage)
			h.apply(basic(t))
			return h
		}, status.Broken},
		"a check failed beforehand": {func(t testing.TB) *fakeHost {
			h := newFakeHost(t)
			h.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
			h.apply(basic(t))
			return h
		}, status.Broken},
		"and was mended": {func(t testing.TB) *fakeHost {
			h := provisioned(t)
			release := h.content("/etc/os-release")
			h.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
			h.apply(basic(t))
			h.write("/etc/os-release", release)
			h.apply(basic(t))
			return h
		}, status.Complete},
		"a check failed beforehand in the chroot": {func(t testing.TB) *fakeHost {
			h := bareOffline(t)
			h.must(os.Remove(h.path("/usr/lib/systemd/system/" + host.FirstBootUnit)))
			h.apply(basic(t))
			return h
		}, status.Broken},
		"killed": {func(t testing.TB) *fakeHost {
			h := newFakeHost(t)
			h.killAt(20)
			h.apply(basic(t))
			h.hook = nil
			return h
		}, status.Broken},
		"killed in the chroot": {func(t testing.TB) *fakeHost {
			h := bareOffline(t)
			h.killAt(30)
			h.apply(basic(t))
			h.hook = nil
			return h
		}, status.Waiting},
		"killed in the chroot, and finished by the first boot": {func(t testing.TB) *fakeHost {
			h := bareOffline(t)
			h.killAt(30)
			h.apply(basic(t))
			h.hook = nil
			h.boot()
			if _, err := h.firstBoot(1); err != nil {
				t.Fatal(err)
			}
			return h
		}, status.Complete},
		"reverted": {func(t testing.TB) *fakeHost {
			h := provisioned(t)
			r, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context())
			if err != nil || r.Result == engine.Failed {
				t.Fatalf("revert: %v\n%s", err, summarize(r))
			}
			return h
		}, status.None},
	}
	for name, tt := range tests {
		bubble(t, name, func(t *testing.T) {
			h := tt.host(t)
			before := h.snapshot()
			s := h.status(t)
			if s.State != tt.want {
				t.Errorf("%s (%s), want %s", s.State, s.Why, tt.want)
			}
			if told := s.Report != nil &&
				s.Report.Resumes != ""; told != strings.HasSuffix(name, "finished by the first boot") {
				t.Errorf("an interruption is told of: %v", told)
			}
			if s.State == status.Broken && s.Why == "" {
				t.Error("failed, and nobody knows why")
			}
			if s.Version != 1 || s.System == "" || s.SELinux.Store == "" || s.Place == "" {
				t.Errorf("the host is not described: %+v", s)
			}
			h.untouched(before)
		})
	}
}

func TestOutstanding(t *testing.T) {
	live := systemd.Where{Place: systemd.Host, Systemd: true}
	tests := map[string]struct {
		unit systemd.State
		want status.State
	}{
		"not started yet":  {systemd.State{Known: true, File: "enabled", Active: "inactive"}, status.Waiting},
		"gave up":          {systemd.State{Known: true, File: "enabled", Active: "failed"}, status.Broken},
		"disabled by hand": {systemd.State{Known: true, File: "disabled", Active: "inactive"}, status.Broken},
		"not to be asked":  {systemd.State{}, status.Waiting},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := &host.Host{Root: t.TempDir(), Where: live}
			if got, why := status.OutstandingState(h, &state.History{}, tt.unit); got != tt.want {
				t.Errorf("%s (%s), want %s", got, why, tt.want)
			}
		})
	}
}

func TestFlockHolder(t *testing.T) {
	const locks = `1: POSIX  ADVISORY  WRITE 812 00:18:1020 0 EOF
2: FLOCK  ADVISORY  WRITE 4711 00:18:77 0 EOF
2: -> FLOCK  ADVISORY  WRITE 4712 00:18:78 0 EOF
`
	tests := map[string]struct {
		inode string
		pid   int
		held  bool
	}{
		"held":            {"00:18:77", 4711, true},
		"only waited for": {"00:18:78", 0, false},
		"another kind":    {"00:18:1020", 0, false},
		"nobody":          {"fd:01:77", 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if pid, held := host.FlockHolder(locks, tt.inode); pid != tt.pid || held != tt.held {
				t.Errorf("%d, %v, want %d, %v", pid, held, tt.pid, tt.held)
			}
		})
	}
}

// The first that holds the lock is named, whatever stands around; who only waits changes nothing.
func FuzzFlockHolder(f *testing.F) {
	f.Add("2: FLOCK  ADVISORY  WRITE 4711 00:18:77 0 EOF\n", uint8(0x18), uint16(77))
	f.Fuzz(func(t *testing.T, locks string, device uint8, number uint16) {
		inode := fmt.Sprintf("00:%02x:%d", device, number)
		pid, held := host.FlockHolder(locks, inode)
		if pid < 0 || !held && pid != 0 || held && !slices.Contains(strings.Fields(locks), inode) {
			t.Errorf("%q: %d, %v", locks, pid, held)
		}
		if p, h := host.FlockHolder("1: -> FLOCK  ADVISORY  WRITE 99 "+inode+" 0 EOF\n1: POSIX  ADVISORY  WRITE 98 "+
			inode+
			" 0 EOF\n"+locks, inode); p != pid || h != held {
			t.Errorf("%q: one that waits makes it %d, %v, and not %d, %v", locks, p, h, pid, held)
		}
		if p, h := host.FlockHolder("1: FLOCK  ADVISORY  WRITE 4711 "+inode+" 0 EOF\n"+locks, inode); p != 4711 || !h {
			t.Errorf("%q: held by 4711 first, and found %d, %v", locks, p, h)
		}
	})
}

// TestLockIsSeen: the lock is found where the kernel lists it.
func TestLockIsSeen(t *testing.T) {
	h := &host.Host{Root: kernelProc(t)}
	release, err := h.Lock(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if pid, held, err := host.LockHolder(h); err != nil || !held || pid != os.Getpid() {
		t.Errorf("%d, %v, want ours, %d", pid, held, os.Getpid())
	}
	release()
	if _, held, err := host.LockHolder(h); err != nil || held {
		t.Error("released, and seen")
	}
}

// A plan leaves no trace, whatever it finds of an interrupted or an outstanding run.
func TestPlanLeavesNoTrace(t *testing.T) {
	tests := map[string]func(t testing.TB) *fakeHost{
		"bare":        newFakeHost,
		"provisioned": provisioned,
		"outstanding": func(t testing.TB) *fakeHost { h := installed(t); h.boot(); return h },
		"interrupted": func(t testing.TB) *fakeHost {
			h := newFakeHost(t)
			h.killAt(20)
			h.apply(basic(t))
			h.hook = nil
			return h
		},
		"failing": func(t testing.TB) *fakeHost {
			h := newFakeHost(t)
			h.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
			return h
		},
	}
	for name, host := range tests {
		bubble(t, name, func(t *testing.T) {
			h := host(t)
			before := h.snapshot()
			h.plan(basic(t))
			if _, err := NewRevert(h.host(Listener{}), Listener{}, false).Plan(t.Context()); err != nil {
				t.Error(err)
			}
			h.untouched(before)
		})
	}
}

// kernelProc is a root with the kernel's own /proc.
func kernelProc(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Symlink("/proc", root+"/proc"); err != nil {
		t.Fatal(err)
	}
	return root
}
