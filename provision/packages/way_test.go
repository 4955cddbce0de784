package packages

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/rpm"
)

// withRepositories is a source over a host with these files in /etc/yum.repos.d.
func withRepositories(t *testing.T, files map[string]string) *Source {
	t.Helper()
	root := t.TempDir()
	if err := os.MkdirAll(root+"/etc/yum.repos.d", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if err := os.WriteFile(root+"/etc/yum.repos.d/"+name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h := &host.Host{Root: root, RPM: rpm.New(root, nil, nil)}
	src := &Source{Host: h, Packages: &Packages{Host: h}}
	src.Config.EPEL.Source = config.EPELAuto
	return src
}

const (
	enabledEPEL  = "[epel]\nname=EPEL\nbaseurl=http://h/pub/epel/7\nenabled=1\n"
	disabledEPEL = "[epel]\nname=EPEL\nbaseurl=http://h/pub/epel/7\nenabled=0\n"
	otherEPEL    = "[mirror-of-epel]\nname=Extra Packages for Enterprise Linux 7\n" +
		"baseurl=http://h/pub/epel/7\nenabled=0\n"
	theirs    = "[nginx-stable]\nname=nginx\nbaseurl=http://nginx.example.com/7\nenabled=1\n"
	theirsOff = "[nginx-stable]\nname=nginx\nbaseurl=http://nginx.example.com/7\nenabled=0\n"
	base      = "[base]\nname=CentOS-7 - Base\nbaseurl=http://mirror.centos.org/centos/7/os/x86_64/\nenabled=1\n"
)

// TestWay: the host's own EPEL before all others, what is enabled before what is not, and what is beyond the
// distribution's own before EPEL as the agent knows it.
func TestWay(t *testing.T) {
	for name, tt := range map[string]struct {
		files   map[string]string
		missing []string
		says    []string // each begins a note, and there is no other
		enable  int
		builtIn bool
	}{
		"nothing is there": {map[string]string{"base.repo": base}, []string{Nginx, Semanage},
			[]string{"to be contacted: "}, 0, true},
		"only semanage is missing": {map[string]string{"base.repo": base}, []string{Semanage},
			[]string{"EPEL is not needed"}, 0, false},
		"its own": {map[string]string{"epel.repo": enabledEPEL, "x.repo": theirs}, []string{Nginx},
			[]string{"EPEL is there: epel"}, 0, false},
		"its own, disabled": {map[string]string{"a.repo": otherEPEL, "epel.repo": disabledEPEL}, []string{Nginx},
			[]string{"repository epel of /etc/yum.repos.d/epel.repo is disabled"}, 1, false},
		"another name, disabled": {map[string]string{"a.repo": otherEPEL}, []string{Nginx},
			[]string{"repository mirror-of-epel of /etc/yum.repos.d/a.repo is disabled"}, 1, false},
		"one of nginx's own": {map[string]string{"x.repo": theirs, "base.repo": base}, []string{Nginx},
			[]string{"asked first, in a run of yum of their own: nginx-stable",
				"where these have no nginx, to be contacted: "}, 0, true},
		"one of nginx's own, disabled": {map[string]string{"x.repo": theirsOff}, []string{Nginx},
			[]string{"to be contacted: "}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			src := withRepositories(t, tt.files)
			w, err := src.way(tt.missing)
			if err != nil || w.builtIn() != tt.builtIn || len(w.enable) != tt.enable {
				t.Fatalf("%+v, %v", w, err)
			}
			notes := src.notes(w)
			if len(notes) != len(tt.says) {
				t.Fatalf("notes %q, want %q", notes, tt.says)
			}
			for i, want := range tt.says {
				if !strings.HasPrefix(notes[i], want) {
					t.Errorf("note %q, want %q", notes[i], want)
				}
			}
		})
	}
}

// EPEL is there by its release package, or by an enabled repository of its id; not by a disabled one.
func TestHasEPEL(t *testing.T) {
	for name, tt := range map[string]struct {
		file string
		want bool
	}{"enabled": {enabledEPEL, true}, "in capitals": {strings.Replace(enabledEPEL, "[epel]", "[EPEL]", 1), true},
		"disabled": {disabledEPEL, false}, "another": {theirs, false}} {
		t.Run(name, func(t *testing.T) {
			src := withRepositories(t, map[string]string{"a.repo": tt.file})
			if got, err := src.hasEPEL(); err != nil || got != tt.want {
				t.Errorf("%v, %v, want %v", got, err, tt.want)
			}
		})
	}
	if _, err := withRepositories(t, map[string]string{"a.repo": "broken\n"}).hasEPEL(); err == nil {
		t.Error("a file that yum cannot read is no error")
	}
}

// What cannot be read is an error of whoever asks for the way.
func TestWayUnread(t *testing.T) {
	src := withRepositories(t, map[string]string{"a.repo": "broken\n"})
	_, way := src.way([]string{Nginx})
	_, with := src.WithRelease([]string{Nginx})
	_, beside := src.OneRun().Beside([]string{Nginx})
	bring := src.Bring(t.Context(), []string{Nginx})
	for name, err := range map[string]error{"way": way, "WithRelease": with, "Beside": beside, "Bring": bring} {
		if err == nil || !strings.Contains(err.Error(), "a.repo:1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// epel-release comes with what is missing only where it comes from EPEL's mirrors.
func TestWithRelease(t *testing.T) {
	for name, tt := range map[string]struct {
		file    string
		base    string
		missing []string
		want    bool
	}{
		"nothing else":      {base, "", []string{Nginx}, true},
		"not needed":        {base, "", []string{Semanage}, false},
		"of its own":        {enabledEPEL, "", []string{Nginx}, false},
		"others come first": {theirs, "", []string{Nginx}, false},
		"a base URL":        {base, "https://h/7", []string{Nginx}, false},
	} {
		t.Run(name, func(t *testing.T) {
			src := withRepositories(t, map[string]string{"a.repo": tt.file})
			src.Config.EPEL.BaseURL = tt.base
			if got, err := src.WithRelease(tt.missing); err != nil || got != tt.want {
				t.Errorf("%v, %v, want %v", got, err, tt.want)
			}
		})
	}
	if d := cmp.Diff("EPEL has it", "EPEL "+has([]string{"a"})+" it"); d != "" || has([]string{"a", "b"}) != "have" {
		t.Error(d)
	}
}
