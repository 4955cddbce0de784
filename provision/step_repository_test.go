package provision

import (
	"strings"
	"syscall"
	"testing"
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
			r := h.apply(parse(t, oneSite+"epel: {source: mirror, baseurl: 'http://mirror.example.com/7', gpgkey: /root/epel.key}\n"))
			if s := step(t, r, StepRepository); s.Status != Failed || !strings.Contains(s.Error, "/root/epel.key: not a regular file") {
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
			delete(h.packages.available, epelPackage)
			h.packages.yum = tt.yum
			s := step(t, h.apply(basic(t)), StepRepository)
			const advice = "set epel.source to mirror, with epel.baseurl and epel.gpgkey, or to package, with epel.package and epel.gpgkey"
			if s.Status != Failed || strings.Contains(s.Error, advice) != tt.want {
				t.Errorf("%s %q, want failed, and the keys named: %v", s.Status, s.Error, tt.want)
			}
		})
	}
}

// A file of a repository that cannot be read keeps yum from being run: what it may import could not be told.
func TestRepositoriesUnreadable(t *testing.T) {
	bubble(t, "", func(t *testing.T) {
		h := newFakeHost(t)
		h.install(epelPackage)
		h.write("/etc/yum.repos.d/x.repo", "broken\n")
		r := h.apply(basic(t))
		if failed := summarize(r); r.Result != Failed || !strings.Contains(failed, "packages: failed [package nginx: absent → installed package policycoreutils-python: absent → installed] | read repositories: /etc/yum.repos.d/x.repo:1: ") {
			t.Errorf("%s\n%s", r.Result, failed)
		}
		if h.installed(nginxPackage) {
			t.Error("yum was run")
		}
	})
}
