package provision

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/policy"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux/policydb"
)

// bubble runs a test whose waits take no time.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

func TestBareHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		before := h.snapshot()
		r := h.plan(basic(t))
		if r.Result != engine.Planned || !r.Differs() {
			t.Errorf("plan: %s, want planned\n%s", r.Result, summarize(r))
		}
		h.untouched(before)
		r = h.apply(basic(t))
		want := map[string]engine.Status{stepnames.Platform: engine.Unchanged, stepnames.Repository: engine.Changed,
			stepnames.Packages: engine.Changed, stepnames.SELinux: engine.Changed,
			stepnames.Validate: engine.Unchanged, stepnames.Site: engine.Changed, stepnames.Service: engine.Changed,
			stepnames.Proof: engine.Unchanged}
		if d := cmp.Diff(want, statuses(r)); d != "" {
			t.Errorf("statuses (-want +got):\n%s\n%s", d, summarize(r))
		}
		if n := h.count("yum"); n != 2 {
			t.Errorf("yum ran %d times, want 2: epel-release, and one transaction for the rest", n)
		}
		if n := h.count("semanage"); n != 1 {
			t.Errorf("semanage ran %d times, want one transaction", n)
		}
		if notes := step(t, r, stepnames.Proof).Notes; len(notes) != 1 || !strings.Contains(notes[0], "101") {
			t.Errorf("the proof says %q, want one 101", notes)
		}
		h.unchanged(basic(t))
	})
}

// count says how often a program ran in the last run.
func (h *fakeHost) count(program string) int {
	n := 0
	for _, line := range h.ran {
		if strings.HasPrefix(line, program+" ") {
			n++
		}
	}
	return n
}

// fails makes an apply that is to fail in the survey: the host must be untouched, and the error name what it is about.
func (h *fakeHost) fails(c config.Config, stepName string, words ...string) {
	h.t.Helper()
	before := h.snapshot()
	r := h.apply(c)
	s := step(h.t, r, stepName)
	if r.Result != engine.Failed || s.Status != engine.Failed {
		h.t.Errorf("%s of %s, want failed\n%s", s.Status, stepName, summarize(r))
	}
	for _, word := range words {
		if !strings.Contains(s.Error, word) {
			h.t.Errorf("%s: %q does not say %q", stepName, s.Error, word)
		}
	}
	h.untouched(before)
}

func TestPlatform(t *testing.T) {
	for _, tt := range []struct {
		name, release string
		any           bool
		fails         string
	}{
		{name: "RHEL 7", release: "ID=\"rhel\"\nVERSION_ID=\"7.9\"\n"},
		{name: "Oracle Linux 7", release: "ID=ol\nVERSION_ID=7.9\n"},
		{name: "RHEL 8", release: "ID=\"rhel\"\nVERSION_ID=\"8.4\"\nPRETTY_NAME=\"Red Hat Enterprise Linux 8.4\"\n",
			fails: "Red Hat Enterprise Linux 8.4"},
		{name: "Debian", release: "ID=debian\nVERSION_ID=\"12\"\n", fails: "--any-platform"},
		{name: "Debian, all the same", release: "ID=debian\nVERSION_ID=\"12\"\n", any: true},
		{name: "Amazon Linux 2", release: "ID=\"amzn\"\nID_LIKE=\"centos rhel fedora\"\nVERSION_ID=\"2\"\n",
			fails: "amzn 2"},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := newFakeHost(t)
			h.write("/etc/os-release", tt.release)
			if tt.fails != "" {
				h.fails(basic(t), stepnames.Platform, tt.fails)
				return
			}
			run := h.newRun(basic(t))
			run.AnyPlatform = tt.any
			r, err := run.Apply(t.Context())
			if err != nil || r.Result != engine.Changed {
				t.Errorf("%s, %v\n%s", r.Result, err, summarize(r))
			}
			if warned := len(step(t, r, stepnames.Platform).Warnings) > 0; warned != tt.any {
				t.Errorf("a warning about the platform: %v, want %v", warned, tt.any)
			}
		})
	}
	bubble(t, "inside an RPM scriptlet", func(t *testing.T) {
		h := newFakeHost(t)
		h.write("/proc/self/stat", procStat(4711, "wsprovision", 900, 500))
		h.write("/proc/900/stat", procStat(900, "yum", 1, 400))
		h.write("/proc/900/cmdline", "/usr/bin/python\x00/usr/bin/yum\x00install\x00wsprovision\x00")
		h.write("/var/run/yum.pid", "900\n")
		h.fails(basic(t), stepnames.Platform, "RPM scriptlet")
	})
}

func TestSurveyFailuresLeaveTheHostUntouched(t *testing.T) {
	overlap := policydb.Port{Proto: "tcp", Low: 2990, High: 3010, Type: "ssh_port_t"}
	for _, tt := range []struct {
		name  string
		spoil func(h *fakeHost)
		step  string
		words []string
	}{
		{"a broken file of somebody else's", func(h *fakeHost) {
			h.write(host.ConfDir+"/aa.conf", "server {\n    listen 80;\n")
		}, stepnames.Validate, []string{host.ConfDir + "/aa.conf:3"}},
		{"an unknown directive of somebody else's", func(h *fakeHost) {
			h.write(host.ConfDir+"/aa.conf", "\nbogus on;\n")
		}, stepnames.Validate, []string{"bogus", host.ConfDir + "/aa.conf:2"}},
		{"a conflicting server_name", func(h *fakeHost) {
			h.write(host.ConfDir+"/aa.conf", "server {\n    listen 80;\n    server_name WS.example.com;\n}\n")
		}, stepnames.Validate, []string{"ws.example.com"}},
		{"an overlapping local range", func(h *fakeHost) {
			h.setLocalPorts(overlap)
			h.rebuild(true)
		}, stepnames.SELinux, []string{"tcp/2990-3010", "ssh_port_t"}},
		{"a masked unit", func(h *fakeHost) { h.mask() }, stepnames.Service, []string{"masked", "systemctl unmask"}},
		{"no policy store", func(h *fakeHost) {
			h.must(removeAll(h.path(store)))
		}, stepnames.SELinux, []string{"policy store"}},
		{"a link where the site belongs", func(h *fakeHost) {
			h.link("/root/x", site)
		}, stepnames.Site, []string{site, "symbolic link"}},
		{"a directory where the site belongs", func(h *fakeHost) {
			h.mkdir(site)
		}, stepnames.Site, []string{site, "directory"}},
		{"a policy without the boolean", func(h *fakeHost) {
			delete(h.policy.booleans, policy.ConnectBoolean)
			h.rebuild(true)
		}, stepnames.SELinux, []string{policy.ConnectBoolean}},
		{"an owed mark that cannot be read", func(h *fakeHost) {
			h.mkdir("/run/wsprovision")
			h.write(state.OwedPath, "{")
		}, stepnames.Service, []string{state.OwedPath}},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := withNginx(t)
			tt.spoil(h)
			h.fails(basic(t), tt.step, tt.words...)
		})
		bubble(t, tt.name+", planned", func(t *testing.T) {
			h := withNginx(t)
			tt.spoil(h)
			before := h.snapshot()
			if r := h.plan(basic(t)); r.Result != engine.Failed {
				t.Errorf("plan: %s, want failed\n%s", r.Result, summarize(r))
			}
			h.untouched(before)
		})
	}
	bubble(t, "a link where the site belongs, named once", func(t *testing.T) {
		h := withNginx(t)
		h.must(h.apply(basic(t)).Err())
		h.must(removeAll(h.path(site)))
		h.link("/root/x", site)
		for _, s := range h.apply(basic(t)).Steps {
			if (s.Error != "") != (s.Name == stepnames.Site) {
				t.Errorf("%s: %q", s.Name, s.Error)
			}
		}
	})
	bubble(t, "all of them are named", func(t *testing.T) {
		h := withNginx(t)
		h.setLocalPorts(overlap)
		h.rebuild(true)
		h.write(host.ConfDir+"/aa.conf", "bogus on;\n")
		h.mask()
		r := h.apply(basic(t))
		err := r.Err()
		for _, want := range []string{stepnames.SELinux + ": ", stepnames.Validate + ": ", stepnames.Service + ": "} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the report's error does not name %q: %v", want, err)
			}
		}
		if s := step(t, r, stepnames.Site); s.Status != engine.Skipped || !strings.Contains(s.Why, "beforehand") {
			t.Errorf("server-block: %s %q, want skipped because of a check beforehand", s.Status, s.Why)
		}
	})
}

func TestBackendThatDoesNotRunYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		h.web.backends["127.0.0.1:3000"] = false
		r := h.apply(basic(t))
		s := step(t, r, stepnames.Proof)
		if r.Result != engine.Changed || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "not running yet") {
			t.Errorf("%s, proof warns %q; want changed and a warning\n%s", r.Result, s.Warnings, summarize(r))
		}
	})
}

// A 502 that SELinux causes is a failure, also where nobody listens on the backend's port.
func TestDeniedBackend(t *testing.T) {
	for _, up := range []bool{true, false} {
		bubble(t, map[bool]string{true: "running", false: "not running"}[up], func(t *testing.T) {
			h := provisioned(t)
			h.web.backends["127.0.0.1:3000"] = up
			run := h.newRun(basic(t))
			h.answerAccess(false)
			f, err := run.judgeOf(t, h)
			if err == nil || !strings.Contains(err.Error(), "SELinux denies httpd_t") {
				t.Errorf("%v, %+v; want SELinux to be named", err, f)
			}
		})
	}
}

func (r *Run) judgeOf(t *testing.T, h *fakeHost) (engine.Finding, error) {
	h.setRunning(policy.ConnectBoolean, false)
	h.web.ports = h.policy // without the label
	h.must(r.begin(t.Context()))
	var f engine.Finding
	s := r.Config.Sites[0]
	return f, r.proof.ProveLocation(t.Context(), &f, s, s.Locations[0], r.proof.Around())
}

func TestRunThatIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		h.hook = func(point string) error {
			if point == "after run semanage import" {
				cancel(errors.New("caught terminated"))
			}
			return nil
		}
		r, err := h.newRun(basic(t)).Apply(ctx)
		if err != nil || r.Result != engine.Failed || !strings.Contains(r.Interrupted, "caught terminated") {
			t.Errorf("%s, %q, %v; want failed and interrupted\n%s", r.Result, r.Interrupted, err, summarize(r))
		}
		if s := step(t, r, stepnames.SELinux); s.Status != engine.Changed {
			t.Errorf("selinux, which was under way: %s, want changed", s.Status)
		}
		if s := step(t, r, stepnames.Site); s.Status != engine.Skipped ||
			!strings.Contains(s.Why, "caught terminated") {
			t.Errorf("server-block: %s %q, want skipped with the cause", s.Status, s.Why)
		}
		h.hook = nil
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Errorf("the next run: %s\n%s", r.Result, summarize(r))
		}
		h.unchanged(basic(t))
	})
}

// TestRunThatIsEndedDuringYum: yum goes on to its end, and what it brought is the agent's.
func TestRunThatIsEndedDuringYum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		h.install(packages.EPELRelease)
		ctx, cancel := context.WithCancelCause(t.Context())
		h.hook = func(point string) error {
			if strings.HasPrefix(point, "before run yum") {
				cancel(errors.New("caught terminated"))
			}
			return nil
		}
		r, err := h.newRun(basic(t)).Apply(ctx)
		if s := step(t, r, stepnames.Packages); err != nil || s.Status != engine.Changed {
			t.Errorf("packages, which was under way: %s, %v; want changed\n%s", s.Status, err, summarize(r))
		}
		var brought []string
		for _, e := range h.ledger().Entries {
			if e.Kind == state.KindPackage {
				brought = append(brought, e.Name)
			}
		}
		want := strings.Fields(strings.Replace(h.content(rpmPackages), packages.EPELRelease, "", 1))
		slices.Sort(brought)
		slices.Sort(want)
		if d := cmp.Diff(want, brought); d != "" {
			t.Errorf("packages of the ledger (-brought by yum +recorded):\n%s", d)
		}
	})
}

func TestOffline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := bareOffline(t)
		r := h.apply(basic(t))
		if r.Result != engine.Deferred {
			t.Fatalf("%s, want deferred\n%s", r.Result, summarize(r))
		}
		for _, name := range []string{stepnames.SELinux, stepnames.Service, stepnames.Proof} {
			if s := step(t, r, name); s.Status != engine.Deferred {
				t.Errorf("%s: %s, want deferred\n%s", name, s.Status, summarize(r))
			}
		}
		if !h.exists(wantsNginx) || !h.stored().booleans[policy.ConnectBoolean] || h.content(site) == "" {
			t.Errorf("the unit, the boolean or the site is not there: %v", h.state())
		}
		if h.exists(state.OwedPath) {
			t.Errorf("a reload is noted as owed in the installer's /run")
		}
		before := h.snapshot()
		if r = h.apply(basic(t)); r.Result != engine.Deferred || h.count("yum")+h.count("semanage") > 0 {
			t.Errorf("a second run: %s, ran %q\n%s", r.Result, h.ran, summarize(r))
		}
		h.untouched(before)
	})
}

func TestOnlyWhatIsMissingIsGivenToYum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		for _, name := range []string{packages.EPELRelease, packages.Nginx} {
			h.install(name)
		}
		h.apply(basic(t))
		i := slices.IndexFunc(h.ran, func(line string) bool { return strings.HasPrefix(line, "yum ") })
		if h.count("yum") != 1 || !strings.HasSuffix(h.ran[i], " install "+packages.Semanage) {
			t.Errorf("ran %q, want one yum with %s only: its install upgrades what is there", h.ran, packages.Semanage)
		}
	})
}

func TestYumThatLies(t *testing.T) {
	for _, tt := range []struct {
		name        string
		yum         func(h *fakeHost) func([]string) (string, string, int, bool)
		result      engine.Status
		packages    engine.Status
		words       string
		nginxComes  bool
		serverBlock engine.Status
	}{
		{"status 0 with one of two missing", func(h *fakeHost) func([]string) (string, string, int, bool) {
			return func(names []string) (string, string, int, bool) {
				if !slices.Contains(names, packages.Nginx) {
					return "", "", 0, false
				}
				h.install(packages.Nginx)
				return "No package " + packages.Semanage + " available.\n", "", 0, true
			}
		}, engine.Failed, engine.Failed, packages.Semanage + " is not installed", true, engine.Skipped},
		{"status 1 and everything there", func(h *fakeHost) func([]string) (string, string, int, bool) {
			return func(names []string) (string, string, int, bool) {
				for _, name := range names {
					h.install(name)
				}
				return "", "Error: Nothing to do\n", 1, true
			}
		}, engine.Changed, engine.Changed, "", true, engine.Changed},
		{"a repository that stays down", func(*fakeHost) func([]string) (string, string, int, bool) {
			return func([]string) (string, string, int, bool) {
				return "", "Cannot find a valid baseurl for repo: base/7/x86_64\n", 1, true
			}
		}, engine.Failed, engine.Skipped, "", false, engine.Skipped},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := newFakeHost(t)
			h.packages.yum = tt.yum(h)
			r := h.apply(basic(t))
			s := step(t, r, stepnames.Packages)
			if r.Result != tt.result || s.Status != tt.packages || !strings.Contains(s.Error, tt.words) {
				t.Errorf("%s, packages %s %q\n%s", r.Result, s.Status, s.Error, summarize(r))
			}
			if b := step(t, r, stepnames.Site).Status; b != tt.serverBlock {
				t.Errorf("server-block: %s, want %s", b, tt.serverBlock)
			}
			h.packages.yum = nil
			h.packages.available[packages.Nginx], h.packages.available[nginxFilesystem] = "epel", "epel"
			h.apply(basic(t))
			h.unchanged(basic(t))
		})
	}
}

// What was started is enabled, also where the run is ended meanwhile.
func TestEndedWhileNginxStarts(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		ctx, cancel := context.WithCancelCause(t.Context())
		h.hook = func(point string) error {
			if point == "before systemd: start nginx.service" {
				cancel(errors.New("caught terminated"))
			}
			return nil
		}
		r, err := h.newRun(basic(t)).Apply(ctx)
		if s := step(t, r, stepnames.Service); err != nil || s.Status != engine.Changed || !h.exists(wantsNginx) {
			t.Errorf("%v, %s, enabled: %v\n%s", err, s.Status, h.exists(wantsNginx), summarize(r))
		}
	})
}
