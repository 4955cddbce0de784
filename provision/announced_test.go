package provision

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/packages"
	"wsprovision/provision/policy"
	"wsprovision/provision/state"
	"wsprovision/selinux/policydb"
)

// at fails the run at a point of the seam; where it dies there, nothing of it happens afterwards either.
func (h *fakeHost) at(point string, dies bool) {
	dead := false
	h.hook = func(p string) error {
		hit := strings.HasPrefix(p, point)
		if dead = dead || dies && hit; dead || hit {
			return errKilled
		}
		return nil
	}
}

// TestAnnouncedByTheAgentDoneByHand: what a run announced and did not bring about is not the agent's when an
// administrator has done it by hand.
func TestAnnouncedByTheAgentDoneByHand(t *testing.T) {
	releaseFile := func(t testing.TB) *fakeHost {
		h := newFakeHost(t)
		key, _ := armoredKey(t, 1)
		h.write("/root/epel.key", key)
		h.write("/root/epel-release.rpm", packageFile(packages.EPELRelease))
		return h
	}
	for _, tt := range []struct {
		name  string
		host  func(t testing.TB) *fakeHost
		point string
		kinds []state.Kind
		// hand is what the administrator does, and there what a revert with packages has to leave.
		hand  func(h *fakeHost)
		there func(h *fakeHost) bool
	}{
		{"yum", newFakeHost, "before run yum", []state.Kind{state.KindPackage},
			func(h *fakeHost) {
				for _, name := range []string{packages.EPELRelease, packages.Nginx, packages.Semanage} {
					h.install(name)
				}
			},
			func(h *fakeHost) bool { return h.installed(packages.Nginx) && h.installed(packages.EPELRelease) }},
		{"semanage, the boolean and the label", withNginx, "before run semanage",
			[]state.Kind{state.KindBoolean, state.KindRunning, state.KindPort},
			func(h *fakeHost) {
				h.setLocalBoolean(policy.ConnectBoolean, true)
				h.setLocalPorts(policydb.Port{Proto: "tcp", Low: 3000, High: 3000, Type: policy.HTTPPortType})
				h.setRunning(policy.ConnectBoolean, true)
				h.rebuild(true)
			},
			func(h *fakeHost) bool { return h.localBooleans()[policy.ConnectBoolean] && len(h.localPorts()) == 1 }},
		{"enable", disabledNginx, "before systemd: enable", []state.Kind{state.KindEnabled},
			func(h *fakeHost) { h.must(h.enableUnit(host.NginxUnit)) },
			func(h *fakeHost) bool { return h.exists(wantsNginx) }},
		{"start", stoppedNginx, "before systemd: start", []state.Kind{state.KindActive},
			func(h *fakeHost) { h.startNginx() },
			func(h *fakeHost) bool { return h.web.master != 0 }},
		{"the key's import", releaseFile, "before run rpm --import", []state.Kind{state.KindKey},
			func(h *fakeHost) {
				h.write(rpmKeys, h.content("/root/epel.key"))
				h.install(packages.EPELRelease)
			},
			func(h *fakeHost) bool { return h.content(rpmKeys) != "" }},
	} {
		for _, dies := range []bool{false, true} {
			bubble(t, fmt.Sprintf("%s, killed: %v", tt.name, dies), func(t *testing.T) {
				h := tt.host(t)
				c := basic(t)
				if tt.kinds[0] == state.KindKey {
					_, fingerprint := armoredKey(t, 1)
					c = parse(t, oneSite+"epel:\n  source: package\n  package: /root/epel-release.rpm\n  gpgkey: "+
						"/root/epel.key\n  fingerprint: "+fingerprint+"\n")
				}
				h.at(tt.point, dies)
				if r := h.apply(c); r.Result != engine.Failed {
					t.Fatalf("the first apply: %s\n%s", r.Result, summarize(r))
				}
				if h.hook = nil; dies {
					h.surveyed(c)
				}
				for _, e := range h.ledger().Entries {
					for _, kind := range tt.kinds {
						if e.Kind == kind {
							t.Errorf("%s %s is still in the ledger: %+v", kind, e.Name, e)
						}
					}
				}
				tt.hand(h)
				if r := h.apply(c); r.Result != engine.Changed && r.Result != engine.Unchanged {
					t.Fatalf("the next apply: %s\n%s", r.Result, summarize(r))
				}
				if r := h.run(c, revert(true)); r.Result == engine.Failed || !tt.there(h) {
					t.Errorf("revert --packages: %s, and takes away what the administrator did\n%s", r.Result,
						summarize(r))
				}
			})
		}
	}
}

// surveyed makes a run that gets no further than its survey.
func (h *fakeHost) surveyed(c config.Config) {
	h.t.Helper()
	release := h.content("/etc/os-release")
	h.write("/etc/os-release", "ID=debian\nVERSION_ID=12\n")
	if r := h.apply(c); r.Result != engine.Failed {
		h.t.Errorf("on another platform: %s\n%s", r.Result, summarize(r))
	}
	h.write("/etc/os-release", release)
}

func (h *fakeHost) ledger() *state.Ledger {
	h.t.Helper()
	l, err := state.ReadLedger(&host.Files{Root: h.root})
	h.must(err)
	return l
}

// stoppedNginx is a host on which nginx is enabled and does not run, disabledNginx one on which it runs until the next
// boot.
func stoppedNginx(t testing.TB) *fakeHost {
	h := withNginx(t)
	h.stopNginx()
	return h
}

func disabledNginx(t testing.TB) *fakeHost {
	h := withNginx(t)
	h.must(removeAll(h.path(wantsNginx)))
	return h
}

// TestKilledAfterYum: the dependencies of a transaction are the agent's although it died before it could ask for them,
// and what an administrator installs afterwards is not.
func TestKilledAfterYum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		h.install(packages.EPELRelease)
		h.at("after run yum", true)
		h.apply(basic(t))
		h.hook = nil
		h.install("tmux")
		if r := h.apply(basic(t)); r.Result != engine.Changed {
			t.Fatalf("%s\n%s", r.Result, summarize(r))
		}
		if r := h.run(basic(t), revert(true)); r.Result != engine.Changed ||
			h.content(rpmPackages) != packages.EPELRelease+"\ntmux\n" {
			t.Errorf("%s, and installed is %q; want what the administrator has installed\n%s", r.Result,
				h.content(rpmPackages), summarize(r))
		}
	})
}

// TestLedgerSettle: an announcement is read back once, and only what is as it was before the agent came leaves the
// ledger.
func TestLedgerSettle(t *testing.T) {
	unread := errors.New("cannot be read")
	for _, tt := range []struct {
		name  string
		entry state.Entry
		now   string
		err   error
		want  string // Left and Prior; "" where the entry is gone
	}{
		{name: "brought about", entry: state.Entry{Before: "0", Left: "1", Prior: "0"}, now: "1", want: "1,"},
		{name: "came to nothing", entry: state.Entry{Before: "0", Left: "1", Prior: "0"}, now: "0"},
		{name: "a later change came to nothing", entry: state.Entry{Before: "0", Left: "2", Prior: "1"}, now: "1",
			want: "1,"},
		{name: "put back", entry: state.Entry{Before: "0", Left: "0", Prior: "1"}, now: "0"},
		{name: "put back by somebody else meanwhile", entry: state.Entry{Before: "0", Left: "2", Prior: "1"}, now: "0"},
		{name: "somebody else's by now", entry: state.Entry{Before: "0", Left: "2", Prior: "1"}, now: "3", want: "2,1"},
		{name: "only its mode was wrong", entry: state.Entry{Before: "1", Left: "1", Prior: "1"}, now: "1", want: "1,"},
		{name: "cannot be read", entry: state.Entry{Before: "0", Left: "1", Prior: "0"}, now: "0", err: unread,
			want: "1,0"},
		{name: "cannot be read, later", entry: state.Entry{Before: "0", Left: "2", Prior: "1"}, now: "2", err: unread,
			want: "2,1"},
		{name: "still on its way", entry: state.Entry{Before: "0", Left: "1", Prior: "0"}, now: state.Unsettled,
			want: "1,0"},
		{name: "read back long ago", entry: state.Entry{Before: "0", Left: "1"}, now: "0", want: "1,"},
		{name: "undone by a revert", entry: state.Entry{Before: "0", Left: "0", Prior: "1"}, now: "0"},
		{name: "not undone by a revert", entry: state.Entry{Before: "0", Left: "0", Prior: "1"}, now: "1", want: "1,"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := state.ReadLedger(&host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}})
			if err != nil {
				t.Fatal(err)
			}
			tt.entry.Kind, tt.entry.Name = state.KindFile, "/x"
			if err := l.Keep([]state.Entry{tt.entry}); err != nil {
				t.Fatal(err)
			}
			if err := l.ReadBack(func(state.Entry) (string, error) { return tt.now, tt.err }); !errors.Is(err, tt.err) {
				t.Errorf("%v, want %v", err, tt.err)
			}
			got := ""
			for _, e := range l.Entries {
				got += e.Left + "," + e.Prior
			}
			if got != tt.want {
				t.Errorf("left %q, want %q", got, tt.want)
			}
		})
	}
}

// TestAnnounce: what an announcement stands in for is the agent's, but not what somebody else has put there.
func TestAnnounce(t *testing.T) {
	for _, tt := range []struct {
		name        string
		have        state.Entry
		found, left string
		want        string // Left and Prior
	}{
		{"anew", state.Entry{Before: "0", Left: "1"}, "1", "2", "2,1"},
		{"the same again", state.Entry{Before: "0", Left: "1"}, "1", "1", "1,"},
		{"again, after somebody has undone it", state.Entry{Before: "0", Left: "1"}, "0", "1", "1,0"},
		{"over an announcement that came to nothing", state.Entry{Before: "0", Left: "2", Prior: "1"}, "1", "3", "3,1"},
		{"over somebody else's", state.Entry{Before: "0", Left: "1"}, "x", "2", "2,1"},
		{"the same, over somebody else's", state.Entry{Before: "0", Left: "1"}, "x", "1", "1,"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.have.Announce(state.Entry{Before: tt.found, Left: tt.left})
			if got := tt.have.Left + "," + tt.have.Prior; got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
