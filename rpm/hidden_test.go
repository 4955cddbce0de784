package rpm

import (
	"strings"
	"testing"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/rpmtest"
	"wsprovision/rpm/yumerr"
)

// What yum says is the same in every row: "No package nginx available." What lies behind it stands in the files.
func TestHiddenPackages(t *testing.T) {
	const conf, epelFile = "/etc/yum.conf", "/etc/yum.repos.d/epel.repo"
	const epel = "[epel]\nname=EPEL\nmetalink=https://mirrors.fedoraproject.org/metalink?repo=epel-7\n"
	const base = "[base]\nname=Base\nmirrorlist=http://mirrors.example.com/?repo=os\n"
	tests := []struct {
		name   string
		files  map[string]string
		want   []string
		lacks  []string
		hidden bool
	}{
		{name: "nothing hides it", files: map[string]string{conf: "[main]\n", epelFile: epel},
			want: []string{"no enabled repository has it: yum repolist shows which are enabled)"}},
		{name: "exclude in main", files: map[string]string{conf: "[main]\ngpgcheck=1\n\nexclude=kernel* nginx*\n",
			epelFile: epel}, hidden: true,
			want: []string{"exclude=nginx* of [main] in /etc/yum.conf:4 hides nginx: take it out there, or for " +
				"once: yum --disableexcludes=main install nginx)"},
			lacks: []string{"no enabled repository", "kernel"}},
		{name: "exclude over several lines, of a name", files: map[string]string{conf: "[main]\nexclude = kernel,\n " +
			" nginx\n"}, hidden: true,
			want: []string{"exclude=nginx of [main] in /etc/yum.conf:2 hides nginx"}},
		{name: "exclude of everything", files: map[string]string{conf: "[main]\nexclude=*\n"}, hidden: true,
			want: []string{"exclude=* of [main] in /etc/yum.conf:2 hides nginx"}},
		{name: "exclude=all is a package called all", files: map[string]string{conf: "[main]\nexclude=all\n",
			epelFile: epel},
			want: []string{"no enabled repository has it"}, lacks: []string{"exclude"}},
		{name: "exclude of what only begins with the name",
			files: map[string]string{conf: "[main]\nexclude=nginx-filesystem nginx-mod* nginx?\n"},
			lacks: []string{"hides"}},
		{name: "excludes are off", files: map[string]string{conf: "[main]\nexclude=nginx\ndisable_excludes=main\n"},
			lacks: []string{"hides"}},
		{name: "all excludes are off", lacks: []string{"hides"},
			files: map[string]string{conf: "[main]\nexclude=nginx\ndisable_excludes=all\n", epelFile: epel +
				"exclude=nginx\n"}},
		{name: "main's excludes are off, the repository's hold", hidden: true, lacks: []string{"[main]"},
			files: map[string]string{conf: "[main]\nexclude=nginx\ndisable_excludes=main\n", epelFile: epel +
				"exclude=nginx\n"},
			want: []string{"exclude=nginx of [epel] in /etc/yum.repos.d/epel.repo:4 hides nginx",
				"--disableexcludes=epel install nginx"}},
		{name: "exclude from a file of more", hidden: true,
			files: map[string]string{conf: "[main]\nexclude=glob:/etc/yum/ex*.list\n",
				"/etc/yum/extra.list": "# ours\n\nkernel, nginx\n"},
			want: []string{"exclude=nginx of [main] in /etc/yum/extra.list:3 hides nginx"}},
		{name: "exclude of an included file", hidden: true,
			files: map[string]string{conf: "[main]\ninclude=/etc/yum/more.conf\n",
				"/etc/yum/more.conf": "\nexclude=NGINX.*\n"},
			want: []string{"exclude=NGINX.* of [main] in /etc/yum/more.conf:2 hides nginx"}},
		{name: "a repository's exclude from [DEFAULT]", hidden: true,
			files: map[string]string{epelFile: "[DEFAULT]\nexclude=nginx\n" + epel},
			want:  []string{"exclude=nginx of [epel] in /etc/yum.repos.d/epel.repo:2 hides nginx"}},
		{name: "includepkgs", files: map[string]string{epelFile: epel + "includepkgs=htop, epel-release\n"},
			hidden: true,
			want: []string{"includepkgs= of [epel] in /etc/yum.repos.d/epel.repo:4 does not name nginx: add it " +
				"there, and what it needs"}},
		{name: "includepkgs names it", files: map[string]string{epelFile: epel + "includepkgs=nginx*\n"},
			lacks: []string{"includepkgs"}},
		{name: "includepkgs of another repository", files: map[string]string{epelFile: epel + "exclude=nginx\n" +
			base + "includepkgs=kernel*\n"}, hidden: true,
			want: []string{"exclude=nginx of [epel]"}, lacks: []string{"includepkgs"}},
		{name: "disabled", files: map[string]string{epelFile: epel + "enabled=0\n[epel-source]\nenabled=0\n" +
			base}, hidden: true,
			want: []string{"repository epel is disabled in /etc/yum.repos.d/epel.repo:4: put enabled=1 there if it " +
				"has nginx, or for once: yum --enablerepo=epel install nginx)"}, lacks: []string{"epel-source"}},
		{name: "disabled by main", files: map[string]string{conf: "[main]\nenabled = no\n", epelFile: epel},
			hidden: true,
			want:   []string{"repository epel is disabled in /etc/yum.conf:2"}},
		{name: "a mirror of EPEL by another name", hidden: true,
			files: map[string]string{"/etc/yum.repos.d/x.repo": "[internal]\n" +
				"baseurl=http://mirror/pub/epel/7/\nenabled=false\n" + base},
			want: []string{"repository internal is disabled in /etc/yum.repos.d/x.repo:3"}},
		{name: "an override of subscription-manager's, exclude", hidden: true,
			files: map[string]string{"/etc/yum.repos.d/redhat.repo": "[Org_EPEL_epel7]\nenabled=1\nexclude=nginx*\n"},
			want: []string{"exclude=nginx* of [Org_EPEL_epel7] in /etc/yum.repos.d/redhat.repo:3 hides nginx: " +
				"subscription-manager wrote it: subscription-manager repo-override --repo=Org_EPEL_epel7 " +
				"--remove=exclude, or for once: yum --disableexcludes=Org_EPEL_epel7"}, lacks: []string{"take it out"}},
		{name: "an override of subscription-manager's, includepkgs", hidden: true,
			files: map[string]string{"/etc/yum.repos.d/redhat.repo": "[Org_EPEL_epel7]\nenabled=1\nincludepkgs=htop\n"},
			want:  []string{"repo-override --repo=Org_EPEL_epel7 --remove=includepkgs"},
			lacks: []string{"add it there"}},
		{name: "subscription-manager's", hidden: true,
			files: map[string]string{"/etc/yum.repos.d/redhat.repo": "[Org_EPEL_epel7]\nenabled=0\n"},
			want: []string{"repository Org_EPEL_epel7 is disabled in /etc/yum.repos.d/redhat.repo:2: if it has " +
				"nginx: subscription-manager repos --enable=Org_EPEL_epel7"}},
		{name: "others that are disabled are only listed",
			files: map[string]string{"/etc/yum.repos.d/x.repo": "[a]\nenabled=0\n[b-debug]\nenabled=0\n" +
				"[c]\nenabled=0\n[d]\nenabled=0\n[e]\nenabled=0\n"},
			want: []string{"yum repolist shows which are enabled; disabled are: a in /etc/yum.repos.d/x.repo:2; c in " +
				"/etc/yum.repos.d/x.repo:6; d in /etc/yum.repos.d/x.repo:8; and 1 more)"}},
		{name: "both at once", hidden: true,
			files: map[string]string{conf: "[main]\nexclude=nginx\n", epelFile: epel + "enabled=0\n"},
			want: []string{"exclude=nginx of [main] in /etc/yum.conf:2",
				"; repository epel is disabled in /etc/yum.repos.d/epel.repo:4"}},
		{name: "a file that yum cannot read says nothing here",
			files: map[string]string{conf: "[main]\nexclude=nginx\n", epelFile: "broken\n"},
			lacks: []string{"hides"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			for path, text := range tt.files {
				f.write(path, text)
			}
			stdout, stderr := rpmtest.Recorded(t, "rhel7-excluded.yum")
			e := f.host().refusal(yumerr.Output{Status: 1, Stdout: stdout, Stderr: stderr}, []string{"nginx"}, nil,
				rpmdb.Inventory{}, Limits{})
			if e.Hidden != tt.hidden || e.Kind != yumerr.NoPackage {
				t.Errorf("kind %s, hidden %t, want %t", e.Kind, e.Hidden, tt.hidden)
			}
			for _, want := range tt.want {
				if !strings.Contains(e.Error(), want) {
					t.Errorf("%q lacks %q", e, want)
				}
			}
			for _, lack := range tt.lacks {
				if strings.Contains(e.Error(), lack) {
					t.Errorf("%q has %q", e, lack)
				}
			}
		})
	}
}

// TestHiddenOthers stops at the first name; of the others only what is sure is said, so that one run tells all.
func TestHiddenOthers(t *testing.T) {
	f := newFake(t)
	f.write("/etc/yum.conf", "[main]\nexclude=nginx policy*\n")
	f.write("/etc/yum.repos.d/CentOS-Base.repo",
		"[base]\nbaseurl=http://a/\n[updates]\nbaseurl=http://b/\nenabled=0\nincludepkgs=x\n")
	stdout, stderr := rpmtest.Recorded(t, "rhel7-excluded.yum")
	e := f.host().refusal(yumerr.Output{Status: 1, Stdout: stdout, Stderr: stderr},
		[]string{"nginx", "policycoreutils-python"}, nil, rpmdb.Inventory{},
		Limits{})
	if want := "exclude=policy* of [main] in /etc/yum.conf:2 hides policycoreutils-python"; !strings.Contains(e.Next,
		want) || strings.Contains(e.Next, "updates") {
		t.Errorf("advice %q, want %q and nothing of updates", e.Next, want)
	}
}

// What hides packages in a plugin's file is told by the plugin's own words; and where nothing is enabled, what could
// be.
func TestHiddenOtherwise(t *testing.T) {
	f := newFake(t)
	f.write("/etc/yum.repos.d/x.repo", "[base]\nenabled=0\n")
	for _, tt := range []struct{ stdout, stderr, want string }{
		{"12 packages excluded due to repository priority protections\nNo package nginx available.\n",
			"Error: Nothing to do\n",
			"see /etc/yum/pluginconf.d: 12 packages excluded due to repository priority protections"},
		{"Excluding 1 update due to versionlock (use \"yum versionlock status\" to show it)\nNo package nginx " +
			"available.\n", "",
			"see /etc/yum/pluginconf.d: Excluding 1 update due to versionlock"},
		{"", "There are no enabled repos.\n", "disabled are: base in /etc/yum.repos.d/x.repo:2"},
	} {
		e := f.host().refusal(yumerr.Output{Status: 1, Stdout: tt.stdout, Stderr: tt.stderr}, []string{"nginx"}, nil,
			rpmdb.Inventory{}, Limits{})
		if !strings.Contains(e.Next, tt.want) {
			t.Errorf("%s: %q lacks %q", e.Kind, e.Next, tt.want)
		}
	}
}

// A dependency that is excluded is as absent as one that nobody has.
func TestHiddenDependency(t *testing.T) {
	f := newFake(t)
	f.write("/etc/yum.repos.d/epel.repo", "[epel]\nbaseurl=http://a/\nexclude=nginx-*\n")
	e := f.host().refusal(yumerr.Output{Status: 1, Stdout: "",
		Stderr: "Error: Package: 1:nginx-1.20.1-10.el7.x86_64 (epel)\n           Requires: nginx-filesystem = " +
			"1:1.20.1-10.el7\n"},
		[]string{"nginx"}, nil, rpmdb.Inventory{}, Limits{})
	if want := "exclude=nginx-* of [epel] in /etc/yum.repos.d/epel.repo:3 hides " +
		"nginx-filesystem"; e.Kind != yumerr.Dependency || !strings.Contains(e.Next, want) {
		t.Errorf("%s: %q, want %q", e.Kind, e.Next, want)
	}
}

func TestHiddenDependencyOfDNF(t *testing.T) {
	f := newFake(t)
	f.write("/etc/yum.conf", "[main]\nexclude=nginx-f*\n")
	stdout, stderr := rpmtest.Recorded(t, "dnf4-excluded-dependency.yum")
	e := f.host().refusal(yumerr.Output{Status: 1, Stdout: stdout, Stderr: stderr}, []string{"nginx"}, nil,
		rpmdb.Inventory{}, Limits{})
	if want := "exclude=nginx-f* of [main] in /etc/yum.conf:2 hides nginx-filesystem"; !strings.Contains(e.Next, want) {
		t.Errorf("%q lacks %q", e.Next, want)
	}
}

// RHEL's own extras, which are disabled on most hosts, have no epel-release: nothing hides it there.
func TestNothingHidesEPELOnRHEL(t *testing.T) {
	said := yumerr.Output{Status: 1, Stdout: "No package epel-release available.\n", Stderr: "Error: Nothing to do\n"}
	for id, hidden := range map[string]bool{
		"rhel-7-server-extras-rpms": false, "rhel-7-server-rpms": false, "extras": true, "Org_CentOS_7_extras": true,
	} {
		f := newFake(t)
		f.write("/etc/yum.repos.d/redhat.repo", "["+id+"]\nenabled = 0\n")
		if e := f.host().refusal(said, []string{"epel-release"}, nil, rpmdb.Inventory{},
			Limits{}); e.Kind != yumerr.NoPackage ||
			e.Hidden != hidden {
			t.Errorf("%s: hidden is %v, want %v: %s", id, e.Hidden, hidden, e)
		}
	}
}
