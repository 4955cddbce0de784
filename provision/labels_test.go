package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/labels"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux"
)

// An installer's kernel may know no SELinux, or another policy, or none yet.
func TestOfflineLabels(t *testing.T) {
	tests := map[string]struct {
		set      error
		label    string
		relabel  bool
		wantRead string
		fails    bool
	}{
		"labels are kept": {label: siteLabel, wantRead: siteLabel},
		"the context is not known": {set: &os.PathError{Op: "lsetxattr", Err: syscall.EINVAL}, label: "",
			relabel: true},
		"no labels on this file system": {set: &os.PathError{Op: "lsetxattr", Err: syscall.ENOTSUP}, label: "",
			relabel: true},
		"no policy is loaded":       {label: "kernel", wantRead: ""},
		"a failure of another kind": {set: syscall.EIO, label: siteLabel, wantRead: siteLabel, fails: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.MkdirAll(root+"/etc", 0o755); err != nil {
				t.Fatal(err)
			}
			h := &host.Host{Root: root}
			h.Files = &host.Files{Root: root, Seam: &host.Seam{},
				SetLabel:  func(string, string) error { return tt.set },
				FileLabel: func(string) (string, error) { return tt.label, nil }}
			h.OfflineSELinux()
			if err := h.Files.SetLabel("/etc/x", siteLabel); (err != nil) != tt.fails {
				t.Errorf("SetLabel: %v, want an error: %v", err, tt.fails)
			}
			if host.RelabelScheduled(h) != tt.relabel {
				t.Errorf("a relabel is scheduled: %v, want %v", host.RelabelScheduled(h), tt.relabel)
			}
			if got, err := h.Files.FileLabel("/etc/x"); err != nil || got != tt.wantRead {
				t.Errorf("FileLabel: %q, %v, want %q", got, err, tt.wantRead)
			}
		})
	}
}

// Where there is no selinuxfs semanage is run as it is.
func TestWithoutSELinuxfs(t *testing.T) {
	if host.SeesSELinuxfs() {
		hosttest.Unable(t, "this machine has SELinux; the acceptance scenarios hide its selinuxfs")
	}
	run := host.WithoutSELinuxfs(func(_ context.Context, stdin string, argv ...string) (string, string, int, error) {
		return stdin + strings.Join(argv, " "), "", 7, errors.New("told")
	})
	out, _, status, err := run(t.Context(), "in ", "semanage", "import")
	if out != "in semanage import" || status != 7 || err == nil {
		t.Errorf("%q, %d, %v", out, status, err)
	}
}

// labelled is an installed tree whose files have labels, as far as they go.
func labelled(t testing.TB) (*fakeHost, selinux.Host) {
	t.Helper()
	h := bareOffline(t)
	s := selinux.Host{Root: h.root}
	for _, path := range []string{"/etc", "/usr", "/var"} {
		h.mkdir(path)
		if err := s.Contexts().SetFileLabel(path, "system_u:object_r:default_t:s0"); err != nil {
			hosttest.Unable(t, "no labels can be set here: %v", err)
		}
	}
	return h, s
}

// Files that rpm laid down without labels, as it does where SELinux is off, get those of the target's policy; nginx's
// executable last.
func TestLabelsOfPackages(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h, s := labelled(t)
		r := h.apply(basic(t))
		if got := step(t, r, stepnames.Labels); got.Status != engine.Changed || r.Result != engine.Deferred {
			t.Fatalf("labels: %s\n%s", got.Status, summarize(r))
		}
		for path, want := range map[string]string{labels.NginxProgram: "default_t", host.NginxConf: "httpd_config_t",
			host.ConfDir: "httpd_config_t", site: "httpd_config_t", state.DeferredPath: "var_lib_t",
			host.FirstBootLink: "etc_t"} {
			if got, err := s.Contexts().FileLabel(path); err != nil || host.TypeOf(got) != want {
				t.Errorf("%s: %q, %v, want %s", path, got, err, want)
			}
		}
		if h.exists(host.RelabelPath) {
			t.Error("a relabel of everything is scheduled for nothing")
		}
		before := h.snapshot()
		if r := h.apply(basic(t)); r.Result != engine.Deferred || len(h.points) > 0 || len(h.ran) > 1 {
			t.Errorf("again: %s, ran %q, points %q", r.Result, h.ran, h.points)
		}
		h.untouched(before)
	})
}

// An installation that ends before its labels leaves them to the first boot, before nginx is started.
func TestLabelsAtTheFirstBoot(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h, s := labelled(t)
		h.bootWithoutLabels()
		if r, err := h.firstBoot(1); err != nil || r.Result != engine.Changed ||
			step(t, r, stepnames.Labels).Status != engine.Changed {
			t.Fatalf("first boot: %v\n%s", err, summarize(r))
		}
		for path, want := range map[string]string{labels.NginxProgram: "default_t", host.NginxConf: "httpd_config_t"} {
			if got, err := s.Contexts().FileLabel(path); err != nil || host.TypeOf(got) != want {
				t.Errorf("%s: %q, %v, want %s", path, got, err, want)
			}
		}
	})
}

// What semanage writes inherits its directory's label in an installer.
func TestLabelsOfTheStore(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h, s := labelled(t)
		h.apply(basic(t))
		wrong := filepath.Join(store, "booleans.local")
		h.must(s.Contexts().SetFileLabel(wrong, "system_u:object_r:user_tmp_t:s0"))
		r := h.apply(basic(t))
		if got := step(t, r, stepnames.Labels); got.Status != engine.Changed || len(got.Changes) != 1 ||
			got.Changes[0].Object != "label of "+wrong {
			t.Errorf("labels: %s, %v", got.Status, got.Changes)
		}
		if got, _ := s.Contexts().FileLabel(wrong); host.TypeOf(got) != "etc_t" {
			t.Errorf("%s: %s", wrong, got)
		}
	})
}

// A tree without any label gets them from its own first boot, and the report says so.
func TestUnlabelledTree(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareOffline(t)
		r := h.apply(basic(t))
		if got := step(t, r, stepnames.Labels); got.Status != engine.Changed || !h.exists(host.RelabelPath) {
			t.Errorf("labels: %s, scheduled: %v", got.Status, h.exists(host.RelabelPath))
		}
	})
	bubble(t, "SELinux is switched off there", func(t *testing.T) {
		h := bareOffline(t)
		h.write("/etc/selinux/config", "SELINUX=disabled\nSELINUXTYPE=targeted\n")
		h.apply(basic(t))
		if h.exists(host.RelabelPath) {
			t.Error("a relabel is scheduled on a host that wants no SELinux")
		}
	})
}

// sparse is a labelled tree in an installer whose kernel has no SELinux.
func sparse(t testing.TB) (*fakeHost, selinux.Host) {
	t.Helper()
	h, s := labelled(t)
	h.write("/proc/filesystems", "nodev\tproc\n\text4\n")
	h.write("/proc/self/mountinfo", "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n22 21 0:4 / /proc rw - proc proc rw\n23 21 "+
		"8:1 /home /srv rw - ext4 /dev/sda1 rw\n24 21 8:2 / /home rw - xfs /dev/sda2 rw\n")
	for _, dir := range []string{"/srv", "/home"} {
		h.mkdir(dir)
	}
	h.labelRest(s)
	return h, s
}

// bare are the files without a label outside of what is mounted.
func (h *fakeHost) bare(s selinux.Host) []string {
	h.t.Helper()
	var names []string
	h.must(filepath.WalkDir(h.root, func(name string, d fs.DirEntry, err error) error {
		path := "/" + strings.TrimPrefix(strings.TrimPrefix(name, h.root), "/")
		if err == nil && (path == "/proc" || path == "/srv") {
			return fs.SkipDir
		}
		have, err := s.Contexts().FileLabel(path)
		want, wantErr := s.Contexts().DefaultLabel(path, d.Type())
		if have == "" && want != "" {
			names = append(names, path)
		}
		return errors.Join(err, wantErr)
	}))
	return names
}

func (h *fakeHost) labelRest(s selinux.Host) {
	h.t.Helper()
	for _, path := range h.bare(s) {
		h.must(s.Contexts().SetFileLabel(path, "system_u:object_r:default_t:s0"))
	}
}

// Under a kernel without SELinux nothing gets a label by itself. What scriptlets wrote gets the policy's, wherever it
// is, and the relabel that was promised until then is taken back.
func TestKernelWithoutSELinux(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h, s := sparse(t)
		h.write("/etc/passwd", "root:x:0:0::/root:/bin/bash\n") // renamed into place by useradd
		h.write("/home/file", "")
		h.write("/srv/file", "bound from elsewhere\n")
		promised := false
		h.hook = func(point string) error {
			promised = promised || strings.HasPrefix(point, "before run yum") && h.exists(host.RelabelPath)
			return nil
		}
		r := h.apply(basic(t))
		if got := step(t, r, stepnames.Labels); got.Status != engine.Changed || r.Result != engine.Deferred {
			t.Fatalf("labels: %s\n%s", got.Status, summarize(r))
		}
		if names := h.bare(s); len(names) > 0 {
			t.Errorf("still without a label: %q", names)
		}
		if !promised || h.exists(host.RelabelPath) {
			t.Errorf("a relabel was scheduled before yum ran: %v, want true; it still is: %v, want false", promised,
				h.exists(host.RelabelPath))
		}
		if got, _ := s.Contexts().FileLabel("/srv/file"); got != "" {
			t.Errorf("a file that is bound from elsewhere was labelled %s", got)
		}
		before := h.snapshot()
		if r := h.apply(basic(t)); r.Result != engine.Deferred || len(h.points) > 0 {
			t.Errorf("again: %s, points %q\n%s", r.Result, h.points, summarize(r))
		}
		h.untouched(before)
	})
}

// The power may go at any point: then either every file has its label, or the next boot gives it.
func TestLabelsSurviveAPowerCut(t *testing.T) {
	points := 0
	bubble(t, "whole", func(t *testing.T) {
		h, _ := sparse(t)
		h.apply(basic(t))
		points = len(h.points)
	})
	for point := range points {
		bubble(t, fmt.Sprint(point), func(t *testing.T) {
			h, s := sparse(t)
			h.killAt(point)
			h.apply(basic(t))
			h.hook = nil
			// A staged file is not read by anybody, and the next run replaces it.
			names := slices.DeleteFunc(h.bare(s), func(name string) bool {
				return strings.HasSuffix(name, ".wsprovision-new")
			})
			if len(names) > 0 && !h.exists(host.RelabelPath) {
				t.Errorf("at %q: no relabel is scheduled, and without a label are %q", h.points[point], names)
			}
			h.apply(basic(t))
			if names := h.bare(s); len(names) > 0 || h.exists(host.RelabelPath) {
				t.Errorf("the next run: a relabel is scheduled: %v, without a label are %q", h.exists(host.RelabelPath),
					names)
			}
		})
	}
}

// A relabel that somebody else wants stays; one of the agent's goes with a revert, and is seen by status.
func TestRelabelBelongs(t *testing.T) {
	bubble(t, "to an administrator", func(t *testing.T) {
		h, _ := sparse(t)
		h.write(host.RelabelPath, host.RelabelOrder)
		h.apply(basic(t))
		if got := step(t, h.apply(basic(t)), stepnames.Labels); !h.exists(host.RelabelPath) ||
			got.Status != engine.Unchanged ||
			!slices.Contains(got.Notes, labels.RelabelNote) {
			t.Errorf("labels: %s, %q; still scheduled: %v", got.Status, got.Notes, h.exists(host.RelabelPath))
		}
	})
	bubble(t, "to the agent", func(t *testing.T) {
		h := bareOffline(t)
		h.apply(basic(t))
		if !h.exists(host.RelabelPath) || !h.status(t).SELinux.Relabel {
			t.Errorf("scheduled: %v, seen by status: %v", h.exists(host.RelabelPath), h.status(t).SELinux.Relabel)
		}
		r, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context())
		if err != nil || h.exists(host.RelabelPath) {
			t.Errorf("revert: %v, still scheduled: %v\n%s", err, h.exists(host.RelabelPath), summarize(r))
		}
	})
	bubble(t, "to nobody, where a revert leaves files without a label", func(t *testing.T) {
		h, _ := sparse(t)
		h.apply(basic(t))
		if h.exists(host.RelabelPath) {
			t.Fatal("the apply has not taken its promise back")
		}
		for range 2 {
			if r, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context()); err != nil ||
				!h.exists(host.RelabelPath) {
				t.Errorf("revert: %v, scheduled: %v\n%s", err, h.exists(host.RelabelPath), summarize(r))
			}
		}
	})
	bubble(t, "to whoever changed it", func(t *testing.T) {
		h := bareOffline(t)
		h.apply(basic(t))
		h.write(host.RelabelPath, "")
		if _, err := NewRevert(h.host(Listener{}), Listener{}, false).Apply(t.Context()); err != nil ||
			!h.exists(host.RelabelPath) {
			t.Errorf("revert: %v, still scheduled: %v", err, h.exists(host.RelabelPath))
		}
	})
}

// TestHostileUnlabelable: on a host that runs, a file that cannot be labelled is named with what to do, and nothing
// ever makes the host label everything anew and reboot.
func TestHostileUnlabelable(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h, s := labelled(t)
		h.bootWithoutLabels()
		for _, path := range []string{labels.NginxProgram, host.NginxConf} {
			h.must(s.Contexts().SetFileLabel(path, "system_u:object_r:user_tmp_t:s0"))
			hosttest.Chattr(t, h.path(path))
		}
		for _, act := range []func() *engine.Report{
			func() *engine.Report { return h.plan(basic(t)) },
			func() *engine.Report { return h.apply(basic(t)) },
			func() *engine.Report { r, _ := h.firstBoot(1); return r },
		} {
			r := act()
			got := step(t, r, stepnames.Labels)
			said := got.Error
			if r.Command == "plan" {
				said = fmt.Sprint(got.Warnings)
			}
			for _, path := range []string{labels.NginxProgram, host.NginxConf} {
				want := "chattr -i -a " + path + "; restorecon -F -v " + path
				if !strings.Contains(said, want) {
					t.Errorf("%s: %s, %q; want %q in it", r.Command, got.Status, said, want)
				}
			}
			if r.Command != "plan" && (got.Status != engine.Failed || !h.exists(wantsNginx)) {
				t.Errorf("labels: %s, want a failure; nginx is enabled: %v, want true", got.Status,
					h.exists(wantsNginx))
			}
			if scheduled := h.exists(host.RelabelPath); scheduled || len(r.NextBoot) > 0 {
				t.Errorf("%s: at the next boot %q, %s: %v; want nothing", r.Command, r.NextBoot, host.RelabelPath,
					scheduled)
			}
		}
		for _, path := range []string{labels.NginxProgram, host.NginxConf} {
			h.must(exec.Command("chattr", "-i", h.path(path)).Run())
		}
		if r, err := h.firstBoot(1); err != nil || r.Result != engine.Changed {
			t.Errorf("once they can be labelled: %v\n%s", err, summarize(r))
		}
	})
}

// TestHostileRelabelWhileRunning: whoever asks for it, a host that runs is not relabelled as a whole.
func TestHostileRelabelWhileRunning(t *testing.T) {
	h := newFakeHost(t)
	if err := host.ScheduleRelabel(h.host(Listener{})); err == nil || h.exists(host.RelabelPath) {
		t.Errorf("%v, scheduled: %v", err, h.exists(host.RelabelPath))
	}
}

// TestNextBoot: what a run leaves to the next boot is in its report, and not what it only would have left.
func TestNextBoot(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareOffline(t)
		for _, r := range []*engine.Report{h.plan(basic(t)), h.apply(basic(t)), h.apply(basic(t))} {
			got := strings.Join(r.NextBoot, "\n")
			if !strings.Contains(got, host.FirstBootUnit) || !strings.Contains(got, host.RelabelPath) {
				t.Errorf("%s: %q, want the first boot's unit and the relabel", r.Command, got)
			}
		}
	})
	h := newFakeHost(t)
	if r := h.apply(basic(t)); len(r.NextBoot) > 0 {
		t.Errorf("on a host that runs: %q", r.NextBoot)
	}
}

// bootWithoutLabels is an installation that was killed before its labels, and the boot after it.
func (h *fakeHost) bootWithoutLabels() {
	h.hook = func(point string) error {
		if strings.HasPrefix(point, "before label ") {
			return errKilled
		}
		return nil
	}
	h.apply(basic(h.t))
	h.hook = nil
	h.boot()
}

// Where SELinux is off for the next boot, too, nothing is labelled anew and nobody reboots for it.
func TestNoRelabelWhereSELinuxIsDisabled(t *testing.T) {
	for _, mode := range []selinux.Mode{selinux.Disabled, selinux.Enforcing} {
		bubble(t, string(mode), func(t *testing.T) {
			h := bareOffline(t)
			h.write("/proc/filesystems", "nodev\tproc\n\text4\n") // a kernel without SELinux
			h.write("/etc/selinux/config", "SELINUX="+strings.ToLower(string(mode))+"\nSELINUXTYPE=targeted\n")
			r := h.apply(basic(t))
			if got := h.exists(host.RelabelPath); r.Result != engine.Deferred || got == (mode == selinux.Disabled) {
				t.Errorf("apply: %s; a relabel is scheduled: %v\n%s", r.Result, got, summarize(r))
			}
			if mode == selinux.Disabled {
				r = h.run(basic(t), revert(false))
				if got := h.exists(host.RelabelPath); r.Result == engine.Failed || got {
					t.Errorf("revert: %s; a relabel is scheduled: %v\n%s", r.Result, got, summarize(r))
				}
			}
		})
	}
}

// labelledOffline is a tree that an installer has labelled, under a kernel that labels nothing of what is written.
func labelledOffline(t testing.TB) *fakeHost {
	h, _ := labelled(t)
	return h
}
