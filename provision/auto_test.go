package provision

import (
	"os"
	"slices"
	"strings"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/rpm/openpgp"
)

const runDir = "/run/wsprovision-yum"

func auto(t testing.TB) config.Config { return parse(t, oneSite+"epel: {source: auto}\n") }

// bareFor is a bare host on which these answer, with EPEL 7 behind them.
func bareFor(network fakeNetwork) func(testing.TB) *fakeHost {
	return func(t testing.TB) *fakeHost {
		h := newFakeHost(t)
		h.network = network
		h.packages.available[packages.Nginx] = "epel"
		if network[metalinkPage] == "" {
			h.packages.available[packages.Nginx] = "wsprovision-epel"
		}
		return h
	}
}

func bareForMirrors(t testing.TB) *fakeHost { return bareFor(mirrors())(t) }
func bareForArchive(t testing.TB) *fakeHost { return bareFor(archive())(t) }

func bareForDisabled(t testing.TB) *fakeHost {
	h := bareFor(fakeNetwork{})(t)
	h.packages.available[packages.Nginx] = "epel"
	h.write("/etc/yum.repos.d/x.repo", disabledEPEL)
	h.write("/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-7", h.signingKey(8))
	return h
}

// yums are the runs of yum, each from its command on.
func (h *fakeHost) yums() (all []string) {
	for _, command := range h.ran {
		if _, what, ok := strings.Cut(command, " install "); ok && strings.HasPrefix(command, "yum ") {
			all = append(all, what)
		}
	}
	return all
}

// The host ends as the tutorial leaves it, after one transaction, and a revert knows of all of it.
func TestAutoByMirrors(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareForMirrors(t)
		c := auto(t)
		plan := step(t, h.plan(c), stepnames.Repository)
		if notes := strings.Join(plan.Notes, "\n"); !strings.Contains(notes,
			"to be contacted: mirrors.fedoraproject.org (EPEL 7's mirrors), and where it does not answer "+
				"archives.fedoraproject.org") {
			t.Errorf("plan says %q", notes)
		}
		r := h.apply(c)
		if want := []string{"epel-release nginx policycoreutils-python"}; r.Result != engine.Changed ||
			!slices.Equal(h.yums(), want) {
			t.Fatalf("yum: %q, want %q\n%s", h.yums(), want, summarize(r))
		}
		if h.exists(runDir) || h.exists(packages.RepositoryPath) || h.exists(packages.KeyPath) ||
			!h.exists("/etc/yum.repos.d/epel.repo") {
			t.Error("a file of ours is left, or epel.repo is not there")
		}
		h.unchanged(c)
		for _, e := range []state.Entry{{Kind: state.KindPackage, Name: packages.EPELRelease},
			{Kind: state.KindKey, Name: config.EPEL7Fingerprint}} {
			if _, ok := ledger(h).Find(e.Kind, e.Name); !ok {
				t.Errorf("the ledger has no %s %s", e.Kind, e.Name)
			}
		}
		h.must(h.run(c, revert(true)).Err())
		if h.installed(packages.Nginx) || h.installed(packages.EPELRelease) || h.content(rpmKeys) != "" {
			t.Errorf("after the revert: %q", h.content(rpmPackages))
		}
	})
}

func ledger(h *fakeHost) *state.Ledger {
	l, err := state.ReadLedger(&host.Files{Root: h.root})
	h.must(err)
	return l
}

// Where only the archive answers, epel-release does not come: its repository file would stop every later yum.
func TestAutoByArchive(t *testing.T) {
	for name, network := range map[string]fakeNetwork{
		"no metalink":                archive(),
		"a metalink of dead mirrors": {metalinkPage: metalinkOfMirror, archiveIndex: "<repomd/>"},
		"a page of the provider's":   {metalinkPage: "<html><p>log in</html>", archiveIndex: "<repomd/>"},
	} {
		bubble(t, name, func(t *testing.T) {
			h := bareForArchive(t)
			h.network = network
			c := auto(t)
			r := h.apply(c)
			if r.Result != engine.Changed || !slices.Equal(h.yums(), []string{"nginx policycoreutils-python"}) {
				t.Fatalf("yum: %q\n%s", h.yums(), summarize(r))
			}
			if !strings.Contains(h.content(packages.RepositoryPath),
				"\nbaseurl=https://archives.fedoraproject.org/pub/archive/epel/7/$basearch/\n") ||
				h.installed(packages.EPELRelease) || h.exists(runDir) {
				t.Errorf("%s:\n%s", packages.RepositoryPath, h.content(packages.RepositoryPath))
			}
			if said := strings.Join(h.notices, "\n"); !strings.Contains(said, "its archive answers: "+
				packages.RepositoryPath+" stays with it, and epel-release does not come") {
				t.Errorf("not said: %s", said)
			}
			h.unchanged(c)
			h.must(h.run(c, revert(true)).Err())
			if h.exists(packages.RepositoryPath) || h.exists(packages.KeyPath) || h.installed(packages.Nginx) {
				t.Error("the revert leaves something")
			}
		})
	}
}

// Neither answers: one error, with both, and with the other sources. Nothing is changed.
func TestAutoUnreachable(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareFor(fakeNetwork{})(t)
		s := step(t, h.apply(auto(t)), stepnames.Packages)
		for _, want := range []string{"EPEL 7 cannot be had", "fetch https://mirrors.fedoraproject.org/metalink",
			"lookup mirrors.fedoraproject.org: no such host", "fetch " + archiveIndex,
			"set epel.source to mirror", "to package", "to repository", "or to none"} {
			if s.Status != engine.Failed || !strings.Contains(s.Error, want) {
				t.Errorf("%s: %q, want %q", s.Status, s.Error, want)
			}
		}
		if len(h.yums()) > 0 || h.exists(packages.RepositoryPath) || h.exists(runDir) {
			t.Errorf("something was done: %q", h.yums())
		}
	})
}

const (
	disabledEPEL = "[epel]\nname=EPEL\nbaseurl=http://mirror.example.com/epel\nenabled=0\ngpgcheck=1\n" +
		"gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-7\n"
	satellite = "[House_EL7_House]\nname=House\nbaseurl=http://satellite.example.com/house\ngpgcheck=1\n" +
		"gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-house\n"
)

// What the host has goes before what the agent knows, and nobody outside is asked for it.
func TestAutoOfTheHost(t *testing.T) {
	for _, tt := range []struct {
		name, file, from string
		network          fakeNetwork
		note             string
		yums             []string
		release          bool
	}{
		{"EPEL is there", strings.Replace(disabledEPEL, "enabled=0", "enabled=1", 1), "epel", fakeNetwork{},
			"EPEL is there: epel", []string{"nginx policycoreutils-python"}, false},
		{"EPEL is disabled", disabledEPEL, "epel", fakeNetwork{},
			"repository epel of /etc/yum.repos.d/x.repo is disabled: it is enabled for this one run of yum",
			[]string{"nginx policycoreutils-python"}, false},
		{"Satellite has it", satellite, "House_EL7_House", fakeNetwork{},
			"asked first, in a run of yum of their own: House_EL7_House",
			[]string{"nginx policycoreutils-python"}, false},
		{"Satellite has it not", satellite, "epel", mirrors(),
			"where these have no nginx, to be contacted: mirrors.fedoraproject.org",
			[]string{"nginx policycoreutils-python", "epel-release nginx policycoreutils-python"}, true},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := bareFor(tt.network)(t)
			h.write("/etc/yum.repos.d/x.repo", tt.file)
			h.write("/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-7", h.signingKey(8))
			h.write("/etc/pki/rpm-gpg/RPM-GPG-KEY-house", h.signingKey(7))
			h.packages.available[packages.Nginx] = tt.from
			c := auto(t)
			plan := strings.Join(step(t, h.plan(c), stepnames.Repository).Notes, "\n")
			if r := h.apply(c); r.Result != engine.Changed || !slices.Equal(h.yums(), tt.yums) ||
				!strings.Contains(plan, tt.note) || h.installed(packages.EPELRelease) != tt.release {
				t.Errorf("yum: %q, want %q; plan says %q\n%s", h.yums(), tt.yums, plan, summarize(r))
			}
			if h.content("/etc/yum.repos.d/x.repo") != tt.file || h.exists(runDir) {
				t.Error("the host's own file was changed, or a file is left")
			}
			h.unchanged(c)
		})
	}
}

// What yum's files are sure to hide is known before anybody is asked.
func TestAutoHidden(t *testing.T) {
	for name, tt := range map[string]struct{ path, content, want string }{
		"of main": {"/etc/yum.conf", "[main]\nexclude=nginx*\n",
			"exclude=nginx* of [main] in /etc/yum.conf:2 hides nginx"},
		"of the disabled EPEL": {"/etc/yum.repos.d/x.repo", disabledEPEL + "includepkgs=htop\n",
			"includepkgs= of [epel] in /etc/yum.repos.d/x.repo:7 does not name nginx"},
	} {
		bubble(t, name, func(t *testing.T) {
			h := bareForMirrors(t)
			h.write(tt.path, tt.content)
			h.fails(auto(t), stepnames.Repository, tt.want)
			if len(h.ran) > 0 && len(h.yums()) > 0 {
				t.Error("yum was run")
			}
		})
	}
}

// A run that was killed while yum had the repository leaves it under /run: the next one takes it away, whatever it
// does.
func TestAutoLeftovers(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := bareForMirrors(t)
		c := auto(t)
		h.must(h.apply(c).Err())
		for _, act := range []func(){func() { h.apply(c) }, func() { h.run(c, revert(false)) }} {
			h.write(runDir+"/epel.repo", "[epel]\n")
			h.write(runDir+"/.epel.repo.wsprovision-new", "[ep")
			h.write(runDir+"/RPM-GPG-KEY-EPEL-7", "")
			before := h.snapshot()
			h.plan(c)
			h.untouched(before)
			if act(); h.exists(runDir) {
				t.Errorf("%s is left", runDir)
			}
		}
	})
}

// The key in the agent is EPEL 7's, and what the configuration trusts without one.
func TestShippedKey(t *testing.T) {
	content, err := os.ReadFile("packages/RPM-GPG-KEY-EPEL-7")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := openpgp.ParseKeys(content)
	if err != nil || len(keys) != 1 || keys[0].Fingerprint != config.EPEL7Fingerprint || keys[0].Refused() != "" {
		t.Errorf("%+v, %v", keys, err)
	}
}
