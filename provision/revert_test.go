package provision

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/policy"
	"wsprovision/provision/state"
	"wsprovision/provision/status"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux"
	"wsprovision/selinux/policydb"
)

// What systemd would refuse is known before the server block is taken away.
func TestRevertWithoutAReload(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(h *fakeHost)
		says  string
	}{
		"no ExecReload=": {func(h *fakeHost) { h.web.noReload = true }, "no ExecReload="},
		"masked":         {func(h *fakeHost) { h.mask() }, "systemctl unmask"},
	} {
		bubble(t, name, func(t *testing.T) {
			h := provisioned(t)
			tt.spoil(h)
			before := h.snapshot()
			r := h.run(basic(t), revert(false))
			if s := step(t, r, stepnames.Service); s.Status != engine.Failed || !strings.Contains(s.Error, tt.says) {
				t.Errorf("service: %s %q\n%s", s.Status, s.Error, summarize(r))
			}
			h.untouched(before)
		})
	}
}

// What a revert has undone before it failed is an administrator's when it is there again.
func TestRevertAgainLeavesWhatIsByHand(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		h.at("before run rpm -e", false)
		if r := h.run(basic(t), revert(true)); r.Result != engine.Failed || h.exists(wantsNginx) ||
			len(h.localPorts()) > 0 {
			t.Fatalf("the first revert: %s\n%s", r.Result, summarize(r))
		}
		h.hook = nil
		h.must(h.enableUnit(host.NginxUnit))
		h.setLocalBoolean(policy.ConnectBoolean, true)
		h.setLocalPorts(policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: policy.HTTPPortType})
		h.rebuild(true)
		h.setRunning(policy.ConnectBoolean, true)
		r := h.run(basic(t), revert(true))
		if !h.exists(wantsNginx) || !h.localBooleans()[policy.ConnectBoolean] || !h.running(policy.ConnectBoolean) ||
			len(h.localPorts()) != 1 {
			t.Errorf("enabled %v, boolean %v, running %v, ports %v\n%s", h.exists(wantsNginx), h.localBooleans(),
				h.running(policy.ConnectBoolean), h.localPorts(), summarize(r))
		}
		if r.Result == engine.Failed || h.installed(packages.Nginx) {
			t.Errorf("the rest is not reverted: %s\n%s", r.Result, summarize(r))
		}
	})
}

// And so are packages.
func TestRevertAgainLeavesPackagesByHand(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareForMirror(t)
		h.apply(mirrored(t))
		h.at("before run rpm -e gpg-pubkey", false)
		if r := h.run(basic(t), revert(true)); r.Result != engine.Failed || h.installed(packages.Nginx) {
			t.Fatalf("the first revert: %s\n%s", r.Result, summarize(r))
		}
		h.hook = nil
		h.install(packages.Nginx)
		if r := h.run(basic(t), revert(true)); r.Result != engine.Changed || !h.installed(packages.Nginx) {
			t.Errorf("%s, installed %q\n%s", r.Result, h.content(rpmPackages), summarize(r))
		}
	})
}

// The policy that a first boot loads has the boolean on; what ran before it is off.
func TestRevertAfterAnInstallation(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := installed(t)
		if r := h.run(basic(t), revert(false)); r.Result == engine.Failed ||
			len(step(t, r, stepnames.SELinux).Warnings) > 0 {
			t.Errorf("where it was installed: %s\n%s", r.Result, summarize(r))
		}
		h = installed(t)
		h.boot()
		if r, err := h.firstBoot(3); err != nil || r.Result == engine.Failed || !h.running(policy.ConnectBoolean) {
			t.Fatalf("the first boot: %v\n%s", err, summarize(r))
		}
		r := h.run(basic(t), revert(false))
		if r.Result != engine.Changed || h.running(policy.ConnectBoolean) || h.localBooleans()[policy.ConnectBoolean] {
			t.Errorf("%s, running %v, recorded %v\n%s", r.Result, h.running(policy.ConnectBoolean), h.localBooleans(),
				summarize(r))
		}
	})
}

// A repository that stays needs its key, or every yum on the host fails.
func TestRevertLeavesTheKeyOfARepositoryThatStays(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareForMirror(t)
		if r := h.apply(mirrored(t)); r.Result != engine.Changed {
			t.Fatalf("apply: %s\n%s", r.Result, summarize(r))
		}
		h.write(packages.RepositoryPath, h.content(packages.RepositoryPath)+"proxy=http://proxy.example.com:3128\n")
		r := h.run(mirrored(t), revert(false))
		if !h.exists(packages.RepositoryPath) || !h.exists(packages.KeyPath) ||
			len(step(t, r, stepnames.Files).Warnings) != 1 {
			t.Errorf("repository %v, key %v\n%s", h.exists(packages.RepositoryPath), h.exists(packages.KeyPath),
				summarize(r))
		}
	})
}

// What keeps a stopped nginx from starting is not the revert's to mend.
func TestRevertBesideABrokenFile(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		h.stopNginx()
		h.write(host.ConfDir+"/other.conf", "server {\n")
		r := h.run(basic(t), revert(false))
		if r.Result != engine.Changed || h.exists(site) || len(h.localPorts()) > 0 ||
			!strings.Contains(strings.Join(step(t, r, stepnames.Validate).Warnings, " "), "would not start") {
			t.Errorf("%s, ports %v\n%s", r.Result, h.localPorts(), summarize(r))
		}
	})
}

// A dependency that yum brought is the agent's, also where rpm could not be asked right afterwards.
func TestRevertOfPackagesThatRpmDidNotTell(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		h.packages.yum = func(names []string) (string, string, int, bool) {
			if names[0] == packages.Nginx {
				h.packages.closed = 1
			}
			return "", "", 0, false
		}
		if r := h.apply(basic(t)); r.Result != engine.Failed || !h.installed(nginxFilesystem) {
			t.Fatalf("apply: %s\n%s", r.Result, summarize(r))
		}
		h.packages.yum = nil
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Fatalf("once more: %s\n%s", r.Result, summarize(r))
		}
		if r := h.run(basic(t), revert(true)); r.Result != engine.Changed || h.content(rpmPackages) != "" {
			t.Errorf("%s, left %q\n%s", r.Result, h.content(rpmPackages), summarize(r))
		}
	})
}

// An edit that the configuration asks for by now is the agent's again.
func TestAdoptedEdit(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := provisioned(t)
		other := newFakeHost(t)
		other.apply(moved(t))
		h.write(site, other.content(site))
		h.hup() // by hand
		if r := h.apply(moved(t)); r.Result != engine.Unchanged {
			t.Fatalf("%s\n%s", r.Result, summarize(r))
		}
		h.unchanged(moved(t))
		if r := h.apply(parse(t, oneSite+"on_drift: fail\n")); r.Result != engine.Changed ||
			len(step(t, r, stepnames.Site).Warnings) > 0 {
			t.Errorf("the next change: %s\n%s", r.Result, summarize(r))
		}
		if r := h.run(basic(t), revert(false)); r.Result != engine.Changed || h.exists(site) {
			t.Errorf("the revert: %s\n%s", r.Result, summarize(r))
		}
	})
}

// What was only another mode goes back to it.
func TestRevertOfAMode(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := withNginx(t)
		h.write(site, provisioned(t).content(site))
		h.must(os.Chmod(h.path(site), 0o600))
		h.hup()
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Fatalf("apply: %s\n%s", r.Result, summarize(r))
		}
		r := h.run(basic(t), revert(false))
		info, err := os.Stat(h.path(site))
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v\n%s", info, err, summarize(r))
		}
	})
}

// A revert of what has been undone by hand forgets it.
func TestRevertOfWhatIsUndone(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := withNginx(t)
		h.setLocalBoolean(policy.ConnectBoolean, true)
		h.setLocalPorts(policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: policy.HTTPPortType})
		h.rebuild(true)
		h.setRunning(policy.ConnectBoolean, true)
		h.answerAccess(true)
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Fatalf("apply: %s\n%s", r.Result, summarize(r))
		}
		h.must(os.Remove(h.path(site)))
		h.hup()
		r := h.run(basic(t), revert(false))
		if s := h.status(t); r.Result != engine.Changed || s.State != status.None {
			t.Errorf("%s, status %s\n%s", r.Result, s.State, summarize(r))
		}
	})
}

// A yum of somebody else's that was waited for in vain brought what is theirs.
func TestRevertOfPackagesOfAnothersYum(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		h.install(packages.EPELRelease)
		run := h.newRun(parse(t, oneSite+"wait: {yum_lock: 0s}\n"))
		h.write("/proc/900/stat", procStat(900, "yum", 1, 400))
		h.write("/proc/900/cmdline", "yum\x00install\x00")
		h.write("/var/run/yum.pid", "900\n")
		run.RPM.Notice = func(string) {}
		h.hook = func(point string) error {
			if strings.HasPrefix(point, "after install "+state.LedgerPath) && !h.installed("tmux") {
				h.packages.transaction++
				h.lay("tmux")
				h.lay(packages.Nginx)
			}
			return nil
		}
		if r, err := run.Apply(t.Context()); err != nil || r.Result != engine.Failed {
			t.Fatalf("%v\n%s", err, summarize(r))
		}
		h.hook = nil
		for _, e := range h.ledger().Entries {
			if e.Name == "tmux" {
				t.Errorf("%v is recorded", e)
			}
		}
	})
}

// A policy that never ran had no boolean that the agent turned on.
func TestRunningBooleanThatCameToNothing(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := withNginx(t)
		h.removeSELinux()
		h.laySELinux(selinux.Disabled)
		h.at("before run semanage", false)
		if r := h.apply(basic(t)); step(t, r, stepnames.SELinux).Status != engine.Failed {
			t.Fatalf("apply: %s", summarize(r))
		}
		if e, ok := h.ledger().Find(state.KindRunning, policy.ConnectBoolean); ok {
			t.Errorf("%v stays", e)
		}
	})
}

func TestRevert(t *testing.T) {
	bubble(t, "takes everything back", func(t *testing.T) {
		h := withNginx(t)
		before := h.state()
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Fatalf("apply: %s\n%s", r.Result, summarize(r))
		}
		master := h.web.master
		r := h.run(basic(t), revert(false))
		if r.Result != engine.Changed || h.web.master != master {
			t.Errorf("revert: %s, master %d, was %d\n%s", r.Result, h.web.master, master, summarize(r))
		}
		if d := cmp.Diff(before, h.state()); d != "" {
			t.Errorf("(-before apply +after revert):\n%s", d)
		}
		snapshot := h.snapshot()
		if r := h.run(basic(t), revert(false)); r.Result != engine.Unchanged {
			t.Errorf("a second revert: %s\n%s", r.Result, summarize(r))
		}
		h.untouched(snapshot)
	})
	bubble(t, "leaves what somebody else has changed since", func(t *testing.T) {
		h := provisioned(t)
		h.write(site, h.content(site)+"# by hand\n")
		edited := h.content(site)
		r := h.run(basic(t), revert(false))
		if h.content(site) != edited || len(step(t, r, stepnames.Site).Warnings) == 0 {
			t.Errorf("an edited file is not left and named\n%s", summarize(r))
		}
	})
	bubble(t, "with packages", func(t *testing.T) {
		h := provisioned(t)
		if r := h.run(basic(t), revert(true)); r.Result != engine.Changed || h.content(rpmPackages) != "" {
			t.Errorf("%s, installed %q\n%s", r.Result, h.content(rpmPackages), summarize(r))
		}
	})
}

// TestRevertThatSELinuxHolds: semanage stays as long as its undo is to do, and what cannot be undone is known
// beforehand.
func TestRevertThatSELinuxHolds(t *testing.T) {
	bubble(t, "semanage fails", func(t *testing.T) {
		h := provisioned(t)
		h.at("before run semanage", false)
		r := h.run(basic(t), revert(true))
		if s := step(t, r, stepnames.Packages); s.Status != engine.Skipped || !h.installed(packages.Semanage) {
			t.Errorf("packages: %s, installed %q\n%s", s.Status, h.content(rpmPackages), summarize(r))
		}
		h.hook = nil
		if r := h.run(basic(t), revert(true)); r.Result != engine.Changed || h.content(rpmPackages) != "" ||
			len(h.localPorts()) > 0 {
			t.Errorf("once more: %s, installed %q\n%s", r.Result, h.content(rpmPackages), summarize(r))
		}
	})
	bubble(t, "another boolean runs otherwise than it is recorded", func(t *testing.T) {
		const other = "httpd_can_network_relay"
		h := provisioned(t)
		h.setLocalBoolean(other, true)
		h.rebuild(true)
		h.setRunning(other, false)
		before := h.snapshot()
		r := h.run(basic(t), revert(false))
		if s := step(t, r, stepnames.SELinux); s.Status != engine.Failed ||
			!strings.Contains(s.Error, other+" is recorded on and runs off") {
			t.Errorf("selinux: %s %q\n%s", s.Status, s.Error, summarize(r))
		}
		h.untouched(before)
	})
}

// TestRevertOfAStoppedNginx: nothing is owed to an nginx that is stopped, and its next start takes what is on the disk.
func TestRevertOfAStoppedNginx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := provisioned(t)
		h.at(beforeReload, true)
		h.apply(moved(t))
		h.hook = nil
		h.stopNginx()
		if r := h.run(basic(t), revert(false)); r.Result != engine.Changed || h.exists(state.OwedPath) || h.starts > 0 {
			t.Errorf("%s, %d starts, the mark is there: %v\n%s", r.Result, h.starts, h.exists(state.OwedPath),
				summarize(r))
		}
		if r := h.run(basic(t), revert(false)); r.Result != engine.Unchanged {
			t.Errorf("once more: %s\n%s", r.Result, summarize(r))
		}
	})
}

// What a revert leaves is tested where nginx is stopped, too: it may be good now and broken without the agent's files.
func TestRevertThatWouldBreakAStoppedNginx(t *testing.T) {
	for _, running := range []bool{false, true} {
		bubble(t, fmt.Sprintf("running: %v", running), func(t *testing.T) {
			h := provisioned(t)
			h.write(host.NginxConf, strings.Replace(confOfEPEL, "    server {", "    include "+site+
				";\n    server {", 1))
			if !running {
				h.stopNginx()
			}
			before := h.snapshot()
			r := h.run(basic(t), revert(false))
			if s := step(t, r, stepnames.Validate); s.Status != engine.Failed || !strings.Contains(s.Error, site) {
				t.Errorf("%s %q, want failed: nginx does not start any more\n%s", s.Status, s.Error, summarize(r))
			}
			h.untouched(before)
		})
	}
}

// Two servers of others that have one name keep nginx from nothing, and a revert from nothing either.
func TestRevertBesideAConflict(t *testing.T) {
	for _, running := range []bool{false, true} {
		bubble(t, fmt.Sprintf("running: %v", running), func(t *testing.T) {
			h := provisioned(t)
			for _, name := range []string{"/a.conf", "/b.conf"} {
				h.write(host.ConfDir+name, "server {\n    listen 80;\n    server_name theirs.example.com;\n}\n")
			}
			if !running {
				h.stopNginx()
			}
			r := h.run(basic(t), revert(false))
			w := strings.Join(step(t, r, stepnames.Validate).Warnings, " ")
			if r.Result != engine.Changed || h.exists(site) || !strings.Contains(w, "conflicting server name") ||
				strings.Contains(w, "would not start") {
				t.Errorf("%s, warnings %q\n%s", r.Result, w, summarize(r))
			}
		})
	}
}

// An administrator's range that ends or begins at our port is none of ours.
func TestRevertBesideARangeOfPorts(t *testing.T) {
	for _, at := range [][2]int{{2990, 3000}, {3000, 3010}} {
		bubble(t, fmt.Sprint(at), func(t *testing.T) {
			h := provisioned(t)
			theirs := policydb.Port{Proto: "tcp", Low: at[0], High: at[1], Type: policy.HTTPPortType}
			h.setLocalPorts(theirs)
			h.rebuild(true)
			r := h.run(basic(t), revert(false))
			if got := h.localPorts(); r.Result != engine.Changed || len(got) != 1 || got[0] != theirs {
				t.Errorf("%s, %v\n%s", r.Result, got, summarize(r))
			}
		})
	}
}

// One package is as much the agent's as four.
func TestRevertOfOnePackage(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := withNginx(t)
		h.erase([]string{packages.Semanage})
		h.importKeyOf("extras")
		h.must(os.Remove(h.path("/usr/sbin/semanage")))
		h.must(h.apply(basic(t)).Err())
		plan := h.run(basic(t), func(r *Run, ctx context.Context) (*engine.Report, error) {
			return NewRevert(r.Host, r.on, true).Plan(ctx)
		})
		if got := step(t, plan, stepnames.Packages).Changes; len(got) != 1 ||
			got[0].Object != "package "+packages.Semanage {
			t.Errorf("planned: %v", got)
		}
		if notes := step(t, plan, stepnames.Ledger).Notes; len(notes) != 0 {
			t.Errorf("with --packages: %q", notes)
		}
		r := h.run(basic(t), revert(false))
		if notes := step(t, r, stepnames.Ledger).Notes; len(notes) != 1 || !strings.HasPrefix(notes[0], "1 packages") {
			t.Errorf("without --packages: %q", notes)
		}
		if r := h.run(basic(t), revert(true)); r.Result != engine.Changed || h.installed(packages.Semanage) ||
			!h.installed(packages.Nginx) {
			t.Errorf("%s, installed %q\n%s", r.Result, h.content(rpmPackages), summarize(r))
		}
	})
}

// A revert says that nginx runs on where the agent started it, and only there.
func TestRevertSaysWhoStartedNginx(t *testing.T) {
	for _, theirs := range []bool{false, true} {
		bubble(t, fmt.Sprintf("somebody else: %v", theirs), func(t *testing.T) {
			h := newFakeHost(t)
			if theirs {
				h = withNginx(t)
			}
			h.must(h.apply(basic(t)).Err())
			h.must(os.Remove(h.path(site))) // by hand, so that there is no reload to tell of
			h.hup()
			r := h.run(basic(t), revert(false))
			notes := strings.Join(step(t, r, stepnames.Service).Notes, " ")
			if strings.Contains(notes, "was started by the agent and runs on") == theirs {
				t.Errorf("notes %q\n%s", notes, summarize(r))
			}
		})
	}
}

// The file of the names stays where a file that is left alone needs it, and the revert says so.
func TestRevertSaysThatTheNamesFileStays(t *testing.T) {
	for _, edited := range []bool{false, true} {
		bubble(t, fmt.Sprintf("edited: %v", edited), func(t *testing.T) {
			h := longProvisioned(t)
			if edited {
				h.write(site, h.content(site)+"# by hand\n")
			}
			r := h.run(basic(t), revert(false))
			warned := strings.Contains(strings.Join(step(t, r, stepnames.Validate).Warnings, " "),
				namesPath+" stays")
			if warned != edited || h.exists(namesPath) != edited {
				t.Errorf("%s is there: %v; it is said: %v\n%s", namesPath, h.exists(namesPath), warned,
					summarize(r))
			}
		})
	}
}
