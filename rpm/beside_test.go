package rpm

import (
	"slices"
	"strings"
	"testing"

	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/yumconf"
)

// One run of yum has more repositories than the host: each is kept to the keys that are trusted, and nothing is
// written.
func TestBeside(t *testing.T) {
	const house = "[house]\nname=House\nbaseurl=http://h.example.com/\ngpgcheck=1\ngpgkey=http://h.example.com/key\n"
	const checked = "--setopt=epel.gpgcheck=1"
	for name, tt := range map[string]struct {
		conf   string
		beside yumconf.Beside
		want   []string
	}{
		"nothing": {"[main]\n", yumconf.Beside{}, nil},
		"directory": {"[main]\n", yumconf.Beside{Dir: "/run/more"},
			[]string{"--setopt=reposdir=/etc/yum.repos.d,/run/more", checked}},
		"directory beside the host's own": {"[main]\nreposdir=/srv/repos /opt/r\n", yumconf.Beside{Dir: "/run/more"},
			[]string{"--setopt=reposdir=/srv/repos,/opt/r,/run/more", checked}},
		"a disabled one": {"[main]\n", yumconf.Beside{Enable: []string{"house"}},
			[]string{"--enablerepo=house", "--setopt=house.gpgkey="}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.write("/etc/yum.conf", tt.conf)
			f.write("/etc/yum.repos.d/house.repo", house+"enabled=0\n")
			f.write("/run/more/epel.repo", "[epel]\nname=EPEL\nbaseurl=http://mirror.example.com/\ngpgcheck=0\n")
			limits, err := f.host().With(tt.beside).Restrict(t.Context(), []openpgp.Key{{Fingerprint: "A"}})
			if err != nil || !slices.Equal(limits.Args, tt.want) {
				t.Errorf("%q, %v, want %q", limits.Args, err, tt.want)
			}
		})
	}
}

func TestWhoseRepository(t *testing.T) {
	for _, tt := range []struct {
		r                  yumconf.Repository
		epel, distribution bool
	}{
		{yumconf.Repository{ID: "base"}, false, true},
		{yumconf.Repository{ID: "extras"}, false, true},
		{yumconf.Repository{ID: "C7.9.2009-updates"}, false, true},
		{yumconf.Repository{ID: "rhel-7-server-rpms"}, false, true},
		{yumconf.Repository{ID: "rhel-7-server-extras-rpms"}, false, true},
		{yumconf.Repository{ID: "rhel-server-rhscl-7-rpms"}, false, true},
		{yumconf.Repository{ID: "rhui-rhel-7-server-rhui-rpms"}, false, true},
		{yumconf.Repository{ID: "ol7_latest"}, false, true},
		{yumconf.Repository{ID: "sl-security"}, false, true},
		{yumconf.Repository{ID: "slack"}, false, false},
		{yumconf.Repository{ID: "nginx"}, false, false},
		{yumconf.Repository{ID: "House_EL7_House"}, false, false},
		{yumconf.Repository{ID: "epel"}, true, false},
		{yumconf.Repository{ID: "EPEL"}, true, false},
		{yumconf.Repository{ID: "House_EPEL7_EPEL"}, true, false},
		{yumconf.Repository{ID: "ol7_developer_EPEL"}, true, true},
		{yumconf.Repository{ID: "house", BaseURL: "http://m.example.com/pub/epel/7/x86_64/"}, true, false},
		{yumconf.Repository{ID: "house", Metalink: "https://m.example.com/metalink?repo=epel-7&arch=x86_64"}, true,
			false},
		{yumconf.Repository{ID: "house", BaseURL: "http://m.example.com/pub/epel/6/x86_64/"}, false, false},
		{yumconf.Repository{ID: "epel-testing"}, false, false},
		{yumconf.Repository{ID: "epel-debuginfo"}, false, false},
		{yumconf.Repository{ID: "epel-source"}, false, false},
	} {
		if epel, own := tt.r.IsEPEL(), tt.r.OfDistribution(); epel != tt.epel || own != tt.distribution {
			t.Errorf("%+v: EPEL %v, of the distribution %v, want %v and %v", tt.r, epel, own, tt.epel, tt.distribution)
		}
	}
}

// What a plugin may hide is said, and what it cannot hide is not.
func TestDoubts(t *testing.T) {
	const on, off = "[main]\nenabled = 1\n", "[main]\nenabled=0\n"
	const repos = "[epel]\nbaseurl=http://a/\n[house]\nbaseurl=http://b/\npriority=1\n" +
		"[off]\nbaseurl=http://c/\nenabled=0\npriority=1\n"
	locked := func(on, list string) map[string]string {
		return map[string]string{"versionlock.conf": on, "versionlock.list": list}
	}
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"none": {nil, ""},
		"priorities": {map[string]string{"priorities.conf": on},
			"is on, and [house] (priority 1) goes before [epel] (99): what both have comes from house"},
		"priorities off": {map[string]string{"priorities.conf": off}, ""},
		"versionlock": {locked(on, "# x\n1:nginx-1.16.1-3.el7.*\n"),
			"versionlock.list:2 (1:nginx-1.16.1-3.el7.*) may hide nginx"},
		"another's lock":  {locked(on, "0:nginx-filesystem-1.20.1-10.el7.*\n"), ""},
		"versionlock off": {locked(off, "1:nginx-1.16.1-3.el7.*\n"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.write("/etc/yum.conf", "[main]\nplugins=1\n")
			f.write("/etc/yum.repos.d/x.repo", repos)
			for file, content := range tt.files {
				f.write(yumconf.PluginConf+file, content)
			}
			got := strings.Join(f.host().Yum.Doubts([]string{"nginx"}, "epel"), "\n")
			if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("%q, want %q", got, tt.want)
			}
			f.write("/etc/yum.conf", "[main]\nplugins=0\n")
			if got := f.host().Yum.Doubts([]string{"nginx"}, "epel"); len(got) > 0 {
				t.Errorf("without plugins: %q", got)
			}
		})
	}
}
