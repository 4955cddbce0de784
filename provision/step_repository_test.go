package provision

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

// A key's path may lead anywhere: what is no file is neither waited for nor read without end.
func TestKeyThatIsNoFile(t *testing.T) {
	for name, lay := range map[string]func(h *fakeHost, path string){
		"a pipe":   func(h *fakeHost, path string) { h.must(syscall.Mkfifo(h.path(path), 0o600)) },
		"a device": func(h *fakeHost, path string) { h.link("/dev/zero", path) },
	} {
		bubble(t, name, func(t *testing.T) {
			h := newFakeHost(t)
			h.mkdir("/root")
			lay(h, "/root/epel.key")
			r := h.apply(parse(t, oneSite+
				"epel: {source: mirror, baseurl: 'http://mirror.example.com/7', gpgkey: /root/epel.key}\n"))
			if s := step(t, r, stepnames.Repository); s.Status != engine.Failed ||
				!strings.Contains(s.Error, "/root/epel.key: not a regular file") {
				t.Errorf("%s %q, want failed: not a regular file", s.Status, s.Error)
			}
		})
	}
}

// On RHEL itself no repository has epel-release, so that the default source ends here: the keys that help are named.
func TestNoRepositoryHasEPEL(t *testing.T) {
	for _, tt := range []struct {
		name string
		yum  func([]string) (string, string, int, bool)
		want bool
	}{
		{"in no repository", nil, true},
		{"the repository is down", func([]string) (string, string, int, bool) {
			return "", "Cannot find a valid baseurl for repo: base/7/x86_64\n", 1, true
		}, false},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			h := newFakeHost(t)
			delete(h.packages.available, packages.EPELRelease)
			h.packages.yum = tt.yum
			s := step(t, h.apply(basic(t)), stepnames.Repository)
			const advice = "set epel.source to mirror, with epel.baseurl and epel.gpgkey, or to package, with " +
				"epel.package and epel.gpgkey"
			if s.Status != engine.Failed || strings.Contains(s.Error, advice) != tt.want {
				t.Errorf("%s %q, want failed, and the keys named: %v", s.Status, s.Error, tt.want)
			}
		})
	}
}

// A file of a repository that cannot be read keeps yum from being run: what it may import could not be told.
func TestRepositoriesUnreadable(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		h.install(packages.EPELRelease)
		h.write("/etc/yum.repos.d/x.repo", "broken\n")
		r := h.apply(basic(t))
		if failed := summarize(r); r.Result != engine.Failed || !strings.Contains(failed, "packages: failed [package "+
			"nginx: absent → installed package policycoreutils-python: absent → installed] | read repositories: "+
			"/etc/yum.repos.d/x.repo:1: ") {
			t.Errorf("%s\n%s", r.Result, failed)
		}
		if h.installed(packages.Nginx) {
			t.Error("yum was run")
		}
	})
}

// fromPackage is a configuration that takes epel-release from a package file.
func fromPackage(t testing.TB, from string) config.Config {
	_, fingerprint := armoredKey(t, 1)
	return parse(t, fmt.Sprintf("%sepel:\n  source: package\n  package: %s\n  gpgkey: /root/epel.key\n  "+
		"fingerprint: %s\n",
		oneSite, from, fingerprint))
}

// The key has signed every package of EPEL. Whoever serves the file, or stands between, may serve another one.
func TestHostileRelease(t *testing.T) {
	for name, tt := range map[string]struct{ content, want string }{
		"another package": {packageFile("telnet-server"),
			"/root/epel-release.rpm: it is telnet-server-7-14.noarch, and only epel-release"},
		"its documentation":  {packageFile("epel-release-doc"), "it is epel-release-doc-7-14.noarch"},
		"a name for a shell": {packageFile("$(reboot)"), "is not a package name"},
		"a page":             {"<html>404</html>", "not an rpm package"},
		"nothing":            {"", "it is empty"},
		"cut short":          {packageFile(packages.EPELRelease)[:120], "not an rpm package"},
	} {
		bubble(t, name, func(t *testing.T) {
			h := newFakeHost(t)
			key, fingerprint := armoredKey(t, 1)
			h.write("/root/epel.key", key)
			h.write("/root/epel-release.rpm", tt.content)
			h.packages.signature = "    V4 RSA/SHA256 Signature, key ID " + fingerprint[32:] + ": OK\n"
			c := fromPackage(t, "/root/epel-release.rpm")
			h.fails(c, stepnames.Repository, tt.want)
			if h.content(rpmKeys) != "" || h.exists(packages.KeyPath) || h.installed(packages.EPELRelease) {
				t.Error("something was changed")
			}
		})
	}
}

// What the plan names is what is installed: the file is fetched once a run.
func TestReleaseIsShown(t *testing.T) {
	h := newFakeHost(t)
	key, fingerprint := armoredKey(t, 1)
	h.write("/root/epel.key", key)
	h.packages.signature = "    V4 RSA/SHA256 Signature, key ID " + fingerprint[32:] + ": OK\n"
	fetched := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched++
		fmt.Fprint(w, packageFile(packages.EPELRelease))
	}))
	defer server.Close()
	c := fromPackage(t, server.URL+"/epel-release.rpm")
	const want = "package epel-release: absent → epel-release-7-14.noarch"
	for _, act := range []func(config.Config) *engine.Report{h.plan, h.apply} {
		fetched = 0
		r := act(c)
		if got := step(t, r, stepnames.Repository); fetched != 1 || !strings.Contains(fmt.Sprint(got.Changes), want) {
			t.Errorf("%s: fetched %d times, %v, want %s", r.Command, fetched, got.Changes, want)
		}
	}
	if !h.installed(packages.EPELRelease) || !h.installed(packages.Nginx) {
		t.Error("it was not installed")
	}
}

// yum does not check the signature of a package file that it is given, so that the agent does: against the key that the
// configuration vouches for, and no other. The private copy goes whatever comes of it.
func TestHostileReleaseSignature(t *testing.T) {
	_, fingerprint := armoredKey(t, 1)
	_, other := armoredKey(t, 2)
	const digests = "    Header SHA1 digest: OK (0)\n    MD5 digest: OK (0)\n"
	signed := func(by, verdict string) string {
		return "    V4 RSA/SHA256 Signature, key ID " + by[32:] + ": " + verdict + "\n"
	}
	for name, tt := range map[string]struct{ signature, want string }{
		"signed":     {signed(fingerprint, "OK"), ""},
		"not signed": {digests, "check signature of "},
		"the header alone": {"    Header " + strings.TrimSpace(signed(fingerprint, "OK")) + "\n",
			"check signature of "},
		"by another key":      {signed(other, "OK"), other[32:]},
		"with a bad one":      {signed(fingerprint, "BAD"), "BAD"},
		"by a key not known":  {signed(other, "NOKEY"), "NOKEY"},
		"good, and a bad one": {signed(fingerprint, "OK") + signed(other, "BAD"), "BAD"},
	} {
		bubble(t, name, func(t *testing.T) {
			h := newFakeHost(t)
			key, _ := armoredKey(t, 1)
			h.write("/root/epel.key", key)
			h.write("/root/epel-release.rpm", packageFile(packages.EPELRelease))
			h.packages.signature = tt.signature
			var copied, recorded bool
			h.hook = func(point string) error {
				recorded = recorded || strings.HasPrefix(point, "before run rpm --import") &&
					slices.ContainsFunc(h.ledger().Entries, func(e state.Entry) bool {
						return e.Kind == state.KindKey && e.Name == fingerprint
					})
				copied = copied || h.exists(host.StateDir+"/download/epel-release.rpm")
				return nil
			}
			s := step(t, h.apply(fromPackage(t, "/root/epel-release.rpm")), stepnames.Repository)
			if got := s.Status == engine.Failed; got != (tt.want != "") || !strings.Contains(s.Error, tt.want) ||
				h.installed(packages.EPELRelease) == got {
				t.Errorf("%s %q, installed: %v; want %q", s.Status, s.Error, h.installed(packages.EPELRelease), tt.want)
			}
			if !copied || h.exists(host.StateDir+"/download/epel-release.rpm") {
				t.Errorf("a private copy was made: %v; it stays: %v", copied,
					h.exists(host.StateDir+"/download/epel-release.rpm"))
			}
			if !recorded {
				t.Error("the key is imported before the ledger has it")
			}
		})
	}
}
