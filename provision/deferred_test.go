package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/firstboot"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/proxy"
	"wsprovision/provision/state"
	"wsprovision/provision/status"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux"
	"wsprovision/systemd"
)

// boot is the first boot of what was installed offline: the kernel loads the stored policy, systemd starts what is
// enabled.
func (h *fakeHost) boot() {
	h.t.Helper()
	h.where = systemd.Where{Place: systemd.Host, Systemd: true, Why: "a host in a directory"}
	if err := h.reboot(false); err != nil {
		h.t.Fatal(err)
	}
}

// firstBoot is what systemd makes of the unit, with at most so many attempts; meanwhile is called after every pause.
func (h *fakeHost) firstBoot(attempts int, meanwhile ...func()) (*engine.Report, error) {
	h.t.Helper()
	if !h.exists(host.FirstBootLink) {
		return nil, nil
	}
	tries := 0
	b := firstboot.Finisher{Root: h.root, Patience: 30 * time.Minute}
	var last *Run
	process := fmt.Sprintf("/proc/%d", os.Getpid()) // which a run that was killed before has, too, in a test
	b.Sleep = func(_ context.Context, d time.Duration) error {
		h.mkdir(process)
		h.write(process+"/comm", "wsprovision\n")
		time.Sleep(d)
		for _, f := range meanwhile {
			f()
		}
		return nil
	}
	b.Attempt = func(ctx context.Context, c config.Config) (*engine.Report, error) {
		if tries++; tries > attempts {
			return nil, fmt.Errorf("attempt %d", tries)
		}
		r := h.newRun(c)
		r.AnyPlatform, r.Adopt = true, false
		last = r
		return r.Resume(ctx)
	}
	b.StrikeOff = func(ctx context.Context) (*engine.Report, error) { return h.newRun(config.Config{}).StrikeOff(ctx) }
	b.Rest = func(context.Context) error {
		if last == nil {
			return nil
		}
		return Rest(last.Files)
	}
	defer removeAll(h.path(process))
	r, err := b.Finish(h.t.Context())
	h.gaveUp = err != nil || r != nil && r.Result == engine.Failed
	return r, err
}

func installed(t testing.TB) *fakeHost {
	t.Helper()
	h := bareOffline(t)
	if r := h.apply(basic(t)); r.Result != engine.Deferred {
		t.Fatalf("the apply in the chroot: %s\n%s", r.Result, summarize(r))
	}
	return h
}

func TestInstallAndFirstBoot(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareOffline(t)
		h.web.backends = nil
		before := h.snapshot()
		h.plan(basic(t))
		h.untouched(before)

		r := h.apply(basic(t))
		if r.Result != engine.Deferred || r.Phase != state.PhaseInstall {
			t.Fatalf("%s in phase %q, want deferred in install\n%s", r.Result, r.Phase, summarize(r))
		}
		if r.Steps[1].Name != stepnames.FirstBoot || r.Steps[1].Status != engine.Changed {
			t.Errorf("what is deferred is recorded by step 2, before anything else changes; it is %s, %s",
				r.Steps[1].Name, r.Steps[1].Status)
		}
		for point := range strings.SplitSeq(strings.Join(h.points, "\n"), "\n") {
			if strings.Contains(point, "systemd:") {
				t.Errorf("a call of systemd's in the chroot: %s", point)
			}
		}
		c, ok, err := firstboot.Finisher{Root: h.root}.Deferred()
		if want := basic(t); err != nil || !ok || cmp.Diff(want, c, cmp.FilterPath(func(p cmp.Path) bool {
			return p.String() == "Source"
		}, cmp.Ignore())) != "" {
			t.Errorf("the deferred configuration is not the one applied: %v, %v", ok, err)
		}
		again := h.snapshot()
		if r = h.apply(basic(t)); r.Result != engine.Deferred || len(h.points) > 0 || len(h.ran) > 1 {
			t.Errorf("again in the chroot: %s, ran %q, points %q", r.Result, h.ran, h.points)
		}
		h.untouched(again)

		h.boot()
		h.web.backends = map[string]bool{"127.0.0.1:3000": true}
		done, err := h.firstBoot(1)
		if err != nil || done == nil || done.Result != engine.Changed {
			t.Fatalf("the first boot: %v\n%+v", err, done)
		}
		if h.exists(state.DeferredPath) || h.exists(host.FirstBootLink) {
			t.Error("the deferred work is not struck off")
		}
		h.unchanged(basic(t))

		history, err := state.ReadHistory(&host.Files{Root: h.root}, 0)
		if err != nil {
			t.Fatal(err)
		}
		whole := history.Newest()
		want := map[string]engine.Status{stepnames.Platform: engine.Unchanged, stepnames.Repository: engine.Changed,
			stepnames.Packages: engine.Changed, stepnames.SELinux: engine.Changed, stepnames.Validate: engine.Unchanged,
			stepnames.Site: engine.Changed, stepnames.Service: engine.Changed, stepnames.Labels: engine.Changed,
			stepnames.Proof: engine.Unchanged, stepnames.FirstBoot: engine.Changed}
		if d := cmp.Diff(want, statuses(whole)); d != "" || whole.Result != engine.Changed {
			t.Errorf("both phases in one report: %s (-want +got):\n%s", whole.Result, d)
		}
	})
}

// mirror has yum find every repository, or none as where the mirror is down.
func (h *fakeHost) mirror(up bool) {
	h.packages.yum = func([]string) (string, string, int, bool) {
		return "", "Error: Cannot retrieve repository metadata\n", 1, !up
	}
}

func (h *fakeHost) backend(up bool) { h.web.backends = map[string]bool{"127.0.0.1:3000": up} }

// withoutMirror is an installed tree in which the apply could bring no package.
func withoutMirror(t testing.TB) *fakeHost {
	t.Helper()
	h := bareOffline(t)
	h.mirror(false)
	if r := h.apply(basic(t)); r.Result != engine.Failed {
		t.Fatalf("without a mirror: %s\n%s", r.Result, summarize(r))
	}
	return h
}

// TestFirstBootWaits has a backend, or a mirror, that comes late.
func TestFirstBootWaits(t *testing.T) {
	late, never := [2]time.Duration{2 * time.Minute, 3 * time.Minute},
		[2]time.Duration{30 * time.Minute, 31 * time.Minute}
	tests := map[string]struct {
		host     func(testing.TB) *fakeHost
		set      func(h *fakeHost, up bool)
		comes    time.Duration // 0: never
		takes    [2]time.Duration
		finished bool
		left     engine.Status // where it does not finish
		says     string
	}{
		"a backend after two minutes": {host: installed, set: (*fakeHost).backend, comes: late[0], takes: late,
			finished: true},
		"a backend, never": {host: installed, set: (*fakeHost).backend, takes: never, left: engine.Deferred,
			says: "127.0.0.1:3000 is not running"},
		"a mirror after two minutes": {host: withoutMirror, set: (*fakeHost).mirror, comes: late[0], takes: late,
			finished: true},
		"a mirror, never": {host: withoutMirror, set: (*fakeHost).mirror, takes: never,
			left: engine.Failed, says: "Cannot retrieve repository metadata"},
	}
	for name, tt := range tests {
		bubble(t, name, func(t *testing.T) {
			h := tt.host(t)
			h.boot()
			start := time.Now()
			tt.set(h, false)
			r, err := h.firstBoot(1000, func() {
				tt.set(h, tt.comes > 0 && time.Since(start) >= tt.comes)
			})
			took := time.Since(start)
			if took < tt.takes[0] || took > tt.takes[1] {
				t.Errorf("it took %s, want %s", took, tt.takes)
			}
			if finished := err == nil && r.Result == engine.Changed; finished != tt.finished {
				t.Errorf("finished: %v, want %v (%v)\n%s", finished, tt.finished, err, summarize(r))
			}
			if tt.finished != !h.exists(state.DeferredPath) {
				t.Errorf("the deferred work is outstanding: %v", h.exists(state.DeferredPath))
			}
			if why := fmt.Sprint(err); !tt.finished &&
				(r.Result != tt.left || !strings.Contains(why, "gave up after 30m:") ||
					!strings.Contains(why, tt.says)) {
				t.Errorf("%s, %s, want %s after 30m because of %q", r.Result, why, tt.left, tt.says)
			}
			if again := h.apply(basic(t)); r.Resumes != "" || again.Resumes != "" {
				t.Errorf("nothing was interrupted: %q, %q", r.Resumes, again.Resumes)
			}
		})
	}
}

// TestByHand: an administrator's apply finishes, even without the backend, which is no condition of apply.
func TestByHand(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := installed(t)
		h.boot()
		h.web.backends = map[string]bool{"127.0.0.1:3000": false}
		if r := h.apply(basic(t)); r.Result != engine.Changed || h.exists(state.DeferredPath) ||
			h.exists(host.FirstBootLink) {
			t.Errorf("%s, outstanding: %v\n%s", r.Result, h.exists(state.DeferredPath), summarize(r))
		}
		before := h.snapshot()
		h.apply(basic(t))
		h.untouched(before)
	})
}

// Where the mirror was down in the installer the first boot does all of it, proves it, and the report speaks of no
// failure.
func TestFirstBootAfterAFailedInstall(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := withoutMirror(t)
		h.mirror(true)
		h.boot()
		r, err := h.firstBoot(1)
		if err != nil || r.Result != engine.Changed || h.exists(state.DeferredPath) {
			t.Fatalf("first boot: %v, %s, outstanding: %v\n%s", err, r.Result, h.exists(state.DeferredPath),
				summarize(r))
		}
		if proof := step(t, r, stepnames.Proof); !strings.Contains(strings.Join(proof.Notes, " "), "101") {
			t.Errorf("the first boot proved nothing: %q", proof.Notes)
		}
		if s := h.status(t); s.State != status.Complete {
			t.Errorf("status: %s, %s", s.State, s.Why)
		}
	})
}

// TestFirstBootGivesUp on what time does not heal, at the first attempt.
func TestFirstBootGivesUp(t *testing.T) {
	bubble(t, "a conflict", func(t *testing.T) {
		h := installed(t)
		h.boot()
		h.write(site, "") // somebody changed it, and
		h.write(host.ConfDir+"/a.conf", "server {\n listen 80;\n server_name ws.example.com;\n}\n")
		r, err := h.firstBoot(1)
		if err != nil || r.Result != engine.Failed || !h.exists(state.DeferredPath) {
			t.Errorf("%v, %s, want failed with the work outstanding\n%s", err, r.Result, summarize(r))
		}
		if s := h.status(t); s.State != status.Broken || !strings.Contains(s.Why, "gave up") ||
			s.Report.Phase != state.PhaseInstall+"+"+state.PhaseFirstBoot {
			t.Errorf("status: %s, %s, phase %q", s.State, s.Why, s.Report.Phase)
		}
		h.must(os.Remove(h.path(host.ConfDir + "/a.conf")))
		if r := h.apply(parse(t, oneSite+"on_drift: replace\n")); r.Result != engine.Changed ||
			h.exists(state.DeferredPath) ||
			h.gaveUp {
			t.Errorf("by hand: %s; outstanding: %v, a failed unit: %v\n%s", r.Result, h.exists(state.DeferredPath),
				h.gaveUp,
				summarize(r))
		}
		if s := h.status(t); s.State != status.Complete {
			t.Errorf("status: %s, %s", s.State, s.Why)
		}
	})
	bubble(t, "a broken record", func(t *testing.T) {
		h := installed(t)
		h.boot()
		h.write(state.DeferredPath, "sites: 7\n")
		if r, err := h.firstBoot(0); err == nil {
			t.Errorf("%+v, want an error", r)
		}
	})
}

func TestOfflineNeedsTheUnit(t *testing.T) {
	tests := map[string]struct {
		lay  func(h *fakeHost)
		says string
	}{
		"not installed": {func(h *fakeHost) {
			h.must(os.Remove(h.path("/usr/lib/systemd/system/" + host.FirstBootUnit)))
		}, "is not installed"},
		"masked": {func(h *fakeHost) {
			h.must(os.Symlink("/dev/null", h.path("/etc/systemd/system/"+host.FirstBootUnit)))
		}, "is masked"},
	}
	for name, tt := range tests {
		bubble(t, name, func(t *testing.T) {
			h := bareOffline(t)
			tt.lay(h)
			before := h.snapshot()
			r := h.apply(basic(t))
			if s := step(t, r, stepnames.FirstBoot); r.Result != engine.Failed || !strings.Contains(s.Error, tt.says) {
				t.Errorf("%s: %s", r.Result, s.Error)
			}
			h.untouched(before)
		})
	}
}

func TestHeals(t *testing.T) {
	failed := func(step string, err error) *engine.Report {
		r := &engine.Report{Steps: []engine.StepReport{{Name: step}}}
		r.Steps[0].Fail(err)
		return r
	}
	tests := map[string]struct {
		report *engine.Report
		err    error
		want   bool
	}{
		"a mirror": {report: failed(stepnames.Packages, errors.New("yum: exit status 1")), want: true},
		"a backend": {report: &engine.Report{Steps: []engine.StepReport{{Name: stepnames.FirstBoot,
			Status: engine.Deferred}}}, want: true},
		"a name": {report: failed(stepnames.Validate, fmt.Errorf("nginx -t: %w", proxy.ErrUnresolved)),
			want: true},
		"a syntax error":   {report: failed(stepnames.Validate, errors.New("nginx -t: unknown directive"))},
		"a port's range":   {report: failed(stepnames.SELinux, errors.New("overlap"))},
		"another run":      {err: fmt.Errorf("%w: process 7", host.ErrLocked), want: true},
		"a broken ledger":  {err: errors.New("read ledger.json")},
		"a wrong platform": {report: failed(stepnames.Platform, errors.New("Debian"))},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := firstboot.Heals(tt.report, tt.err); got != tt.want {
				t.Errorf("heals: %v, want %v", got, tt.want)
			}
		})
	}
}

var _ = selinux.On

// TestFirstBootOvertaken: an administrator's apply holds the lock while the first boot waits for it. What is deferred
// by then counts, which is nothing.
func TestFirstBootOvertaken(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := installed(t)
		h.boot()
		tries := 0
		b := firstboot.Finisher{Root: h.root, Patience: time.Hour, Rest: func(context.Context) error { return nil },
			StrikeOff: func(ctx context.Context) (*engine.Report, error) {
				return h.newRun(config.Config{}).StrikeOff(ctx)
			}}
		b.Attempt = func(ctx context.Context, c config.Config) (*engine.Report, error) {
			tries++
			r := h.newRun(c)
			r.AnyPlatform = true
			if done := h.apply(moved(t)); done.Result != engine.Changed {
				t.Fatalf("the administrator's apply: %s\n%s", done.Result, summarize(done))
			}
			return r.Resume(ctx)
		}
		r, err := b.Finish(t.Context())
		if err != nil || tries != 1 || !strings.Contains(h.content(site), "/socket/") {
			t.Errorf("%d tries, %v, %+v\n%s", tries, err, r, h.content(site))
		}
		h.unchanged(moved(t))
	})
}

// TestImageBuildInAContainer: root there may have no mount namespaces, and no nginx -t without one.
func TestImageBuildInAContainer(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareOffline(t)
		r := h.newRun(basic(t))
		read := r.Nginx.Read
		r.Nginx.Read = func(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
			if argv[1] == "-t" {
				return "", "", 0, nginx.ErrNeedsRoot
			}
			return read(ctx, stdin, argv...)
		}
		report, err := r.Apply(t.Context())
		if err != nil || report.Result != engine.Deferred || !h.exists(site) ||
			len(step(t, report, stepnames.Validate).Warnings) != 2 { // and that EPEL's page loses requests
			t.Errorf("%v\n%s", err, summarize(report))
		}
	})
}

// TestStruckOffWithoutAReport: the power is lost between the end of the work and its report.
func TestStruckOffWithoutAReport(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := installed(t)
		h.write("/proc/sys/kernel/random/boot_id", "one\n")
		h.boot()
		h.at("after remove "+state.DeferredPath, true)
		_, _ = h.firstBoot(1)
		h.hook = nil
		h.write("/proc/sys/kernel/random/boot_id", "two\n")
		if _, err := h.firstBoot(1); err != nil {
			t.Fatal(err)
		}
		if s := h.status(t); s.State != status.Complete || s.Report == nil || s.Report.Result != engine.Changed {
			t.Errorf("%s, report %+v", s.State, s.Report)
		}
	})
}

// TestImageOfAProvisionedHost: what the host reported that the image was taken of is no report of the new one.
func TestImageOfAProvisionedHost(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := installed(t)
		h.boot()
		if r, err := h.firstBoot(1); err != nil || r.Result != engine.Changed {
			t.Fatalf("%v, %+v", err, r)
		}
		h.where = systemd.Where{Place: systemd.Chroot}
		h.apply(moved(t))
		if s := h.status(t); s.State != status.Waiting || s.Report.Phase != state.PhaseInstall ||
			step(t, s.Report, stepnames.Proof).Status != engine.Deferred {
			t.Errorf("%s, report %+v", s.State, s.Report)
		}
	})
}
