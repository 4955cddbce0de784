package yumconf

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/rpm/rpmtest"
	"wsprovision/rpm/said"

	"github.com/google/go-cmp/cmp"
)

func TestRepositories(t *testing.T) {
	root := t.TempDir()
	rpmtest.Write(t, root, "/etc/yum.conf",
		"[main]\ngpgcheck=1\nplugins=1\n# comment\n\n[in-main]\nname=Here\nbaseurl=http://a/\n")
	rpmtest.Write(t, root, "/etc/yum.repos.d/epel.repo", `[epel]
name=Extra Packages for Enterprise Linux 7 - $basearch
#baseurl=http://download.fedoraproject.org/pub/epel/7/$basearch
metalink=https://mirrors.fedoraproject.org/metalink?repo=epel-7&arch=$basearch
failovermethod=priority
Enabled=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-7

[epel-source]
name: Source ; a note
enabled: no
gpgcheck=0
gpgkey=file:///$basearch/a,
   file:///b
	https://c/d
[bad id!]
enabled=1
[maybe]
enabled=perhaps
`)
	rpmtest.Write(t, root, "/etc/yum.repos.d/zz.repo", "[epel]\nname=second "+
		"definition\nbaseurl=http://b/\n[many]\nbaseurl=http://a/\n  http://b/\nmirrorlist=http://m/\n")
	rpmtest.Write(t, root, "/etc/yum.repos.d/notes.txt", "not read")
	rpmtest.Write(t, root, "/etc/yum.repos.d/.hidden.repo", "not read")
	got, err := Conf{Root: root}.Repositories()
	if err != nil {
		t.Fatal(err)
	}
	epel := "/etc/yum.repos.d/epel.repo"
	want := []Repository{
		{ID: "in-main", Name: "Here", BaseURL: "http://a/", Enabled: true, GPGCheck: true, File: "/etc/yum.conf"},
		{ID: "epel", Name: "Extra Packages for Enterprise Linux 7 - x86_64",
			Metalink: "https://mirrors.fedoraproject.org/metalink?repo=epel-7&arch=x86_64",
			Enabled:  true, GPGCheck: true, GPGKey: []string{"file:///etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-7"}, File: epel},
		{ID: "epel-source", Name: "Source", GPGKey: []string{"file:///x86_64/a", "file:///b", "https://c/d"},
			File: epel},
		{ID: "maybe", GPGCheck: true, File: epel},
		{ID: "many", BaseURL: "http://a/ http://b/", Mirrorlist: "http://m/", Enabled: true, GPGCheck: true,
			File: "/etc/yum.repos.d/zz.repo"},
	}
	for i := range want {
		if want[i].GPGKey == nil {
			want[i].GPGKey = []string{}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestRepositoriesElsewhere(t *testing.T) {
	root := t.TempDir()
	rpmtest.Write(t, root, "/etc/dnf/dnf.conf", "[unread]\n")
	rpmtest.Write(t, root, "/etc/yum.conf", "[main]\nreposdir=/srv/repos, /nosuch\nenabled=0\ninclude=/etc/more.conf\n")
	rpmtest.Write(t, root, "/etc/more.conf", "[more]\nenabled=1\n")
	rpmtest.Write(t, root, "/srv/repos/a.repo", "[a]\nname=A\n")
	rpmtest.Write(t, root, "/etc/yum.repos.d/unread.repo", "[unread]\n")
	got, err := Conf{Root: root}.Repositories()
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range got {
		ids = append(ids, fmt.Sprint(r.ID, r.Enabled))
	}
	if diff := cmp.Diff([]string{"moretrue", "afalse"}, ids); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got, err := (Conf{Root: t.TempDir()}).Repositories(); err != nil || len(got) != 0 {
		t.Errorf("a bare host: %v, %v", got, err)
	}
}

func TestYumConfInADirectory(t *testing.T) {
	root := t.TempDir()
	rpmtest.Write(t, root, "/etc/yum.conf", "[unread]\n")
	rpmtest.Write(t, root, "/etc/yum/yum.conf", "[read]\n")
	if all, err := (Conf{Root: root}).Repositories(); err != nil || len(all) != 1 || all[0].ID != "read" {
		t.Errorf("%v, %v", all, err)
	}
}

// Names that yum makes something else of: variables, and a header that is indented (yum/parser.py).
func TestRepositoryNames(t *testing.T) {
	for _, tt := range []struct{ text, want, fails string }{
		{text: "[percona-$basearch]\ngpgcheck=0\n", want: "percona-x86_64 enabled"},
		{text: "[site-$where]\nenabled=$on\n", want: "site-here enabled"},
		{text: "[base]\nenabled=1\n  [local]\nenabled=0\n", want: "base enabled, local"},
		{text: "\t[epel]\n", want: "epel enabled"},
		{text: "[a]\n[DEFAULT]\nenabled=0\n[b]\nenabled=1\n", want: "a, b enabled"},
		{text: "[x-$arch]\n", fails: "[x-$arch]: the name that yum makes of this is not known here"},
		{text: "[x-$releasever]\nenabled=0\n", want: ""},
		{text: "[x-$releasever]\n",
			fails: "/etc/yum.repos.d/x.repo: [x-$releasever]: the name that yum makes of this is not known here"},
	} {
		root := t.TempDir()
		rpmtest.Write(t, root, "/etc/yum/vars/where", "here\n")
		rpmtest.Write(t, root, "/etc/yum/vars/on", "1\n")
		rpmtest.Write(t, root, "/etc/yum.repos.d/x.repo", tt.text)
		// yum passes over it
		if err := os.Symlink("/nosuch", filepath.Join(root, "/etc/yum.repos.d/gone.repo")); err != nil {
			t.Fatal(err)
		}
		all, err := Conf{Root: root}.Repositories()
		if !rpmtest.Matches(err, tt.fails) {
			t.Errorf("%q: error is %v, want %q", tt.text, err, tt.fails)
		}
		var got []string
		for _, r := range all {
			said := r.ID
			if r.Enabled {
				said += " enabled"
			}
			got = append(got, said)
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestBrokenRepositoryFile(t *testing.T) {
	for name, tt := range map[string]struct{ text, wantErr string }{
		"no section":        {"name=x\n", `x.repo:1: an option outside every [section]: "name=x"`},
		"neither":           {"[a]\n<<<<<<< HEAD\n", `x.repo:2: neither a [section] nor an option`},
		"continues nothing": {"[a]\n  x\n", `x.repo:2: a continuation of nothing`},
		"include from afar": {"include=http://x/y\n", "x.repo:1: only a plain local file"},
		"includes itself":   {"include=/etc/yum.repos.d/x.repo\n", "too deeply"},
		"includes nothing":  {"include=/nosuch\n", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			rpmtest.Write(t, root, "/etc/yum.repos.d/x.repo", tt.text)
			if _, err := (Conf{Root: root}).Repositories(); !rpmtest.Matches(err, tt.wantErr) ||
				!strings.HasPrefix(err.Error(), "read repositories: ") {
				t.Errorf("error is %v, want %q", err, tt.wantErr)
			}
		})
	}
}

func ours() Repository {
	return Repository{ID: "wsprovision-epel", Name: "EPEL 7 (from the mirror)",
		BaseURL: "https://mirror.example.com/epel/7/$basearch/",
		Enabled: true, GPGCheck: true, GPGKey: []string{"file:///etc/pki/rpm-gpg/RPM-GPG-KEY-wsprovision"}}
}

func TestRender(t *testing.T) {
	got, err := ours().Render()
	if err != nil {
		t.Fatal(err)
	}
	want := `# Written by wsprovision from its configuration. Do not edit: the next run writes it again.
[wsprovision-epel]
name=EPEL 7 (from the mirror)
baseurl=https://mirror.example.com/epel/7/$basearch/
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-wsprovision
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	root := t.TempDir()
	rpmtest.Write(t, root, "/etc/yum.repos.d/ours.repo", string(got))
	back, err := Conf{Root: root}.Repositories()
	if err != nil {
		t.Fatal(err)
	}
	r := ours()
	r.BaseURL = strings.Replace(r.BaseURL, "$basearch", "x86_64", 1)
	r.File = "/etc/yum.repos.d/ours.repo"
	if diff := cmp.Diff([]Repository{r}, back); diff != "" {
		t.Errorf("read back: -want +got\n%s", diff)
	}
}

func TestRenderRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*Repository){
		"newline in the name":   func(r *Repository) { r.Name = "x\ngpgcheck=0" },
		"comment in the name":   func(r *Repository) { r.Name = "x ;y" },
		"bracket in the id":     func(r *Repository) { r.ID = "a]" },
		"main":                  func(r *Repository) { r.ID = "main" },
		"newline in the URL":    func(r *Repository) { r.BaseURL += "\ngpgcheck=0" },
		"blank in the URL":      func(r *Repository) { r.BaseURL += " http://evil/" },
		"comma in the URL":      func(r *Repository) { r.BaseURL += ",http://evil/" },
		"ftp":                   func(r *Repository) { r.BaseURL = "ftp://x/y" },
		"no host":               func(r *Repository) { r.BaseURL = "https:///y" },
		"no URL":                func(r *Repository) { r.BaseURL = "" },
		"gpgcheck off":          func(r *Repository) { r.GPGCheck = false },
		"no key":                func(r *Repository) { r.GPGKey = nil },
		"key from afar":         func(r *Repository) { r.GPGKey = []string{"https://x/key"} },
		"key by relative path":  func(r *Repository) { r.GPGKey = []string{"file://key"} },
		"key out of its folder": func(r *Repository) { r.GPGKey = []string{"file:///etc/pki/../x"} },
		"mirrorlist":            func(r *Repository) { r.Mirrorlist = "x y" },
	} {
		r := ours()
		spoil(&r)
		if got, err := r.Render(); err == nil {
			t.Errorf("%s: rendered %q", name, got)
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("EPEL 7", "https://x/$basearch", "file:///etc/key")
	f.Add("a\nb", "http://[::1]:80/x?y=z&a", "file:/k")
	f.Fuzz(func(t *testing.T, name, base, key string) {
		r := Repository{ID: "ours", Name: name, BaseURL: base, Enabled: true, GPGCheck: true, GPGKey: []string{key}}
		text, err := r.Render()
		if err != nil {
			return
		}
		p := &iniParser{}
		for _, line := range said.Lines(string(text)) {
			if err := p.line(line, "x.repo:1"); err != nil {
				t.Fatal(err)
			}
		}
		back := repository(p.sections[0], section{}, "")
		if diff := cmp.Diff(r, back); len(p.sections) != 1 || diff != "" {
			t.Errorf("%q reads back as %+v", text, back)
		}
	})
}
