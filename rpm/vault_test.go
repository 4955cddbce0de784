package rpm

import (
	"strings"
	"testing"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/rpmtest"
	"wsprovision/rpm/yumerr"
)

const centosBase = `# CentOS-Base.repo
[base]
name=CentOS-$releasever - Base
mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=os&infra=$infra
#baseurl=http://mirror.centos.org/centos/$releasever/os/$basearch/

[updates]
mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=updates&infra=$infra
`

const centosExtras = `[extras]
mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=extras&infra=$infra
[centosplus]
mirrorlist=http://mirrorlist.centos.org/?release=$releasever&arch=$basearch&repo=centosplus&infra=$infra
enabled=0
`

// The dead list of mirrors is named in the file in which it really stands, and so is what of it is needed.
func TestDeadMirrorlist(t *testing.T) {
	stdout, stderr := rpmtest.Recorded(t, "rhel7-mirrorlist-dead.yum")
	said := strings.ReplaceAll(stdout, "mirrorlist.centos.invalid", "mirrorlist.centos.org")
	tests := []struct {
		name, stdout string
		files        map[string]string
		want, lacks  []string
	}{
		{name: "where CentOS puts them", stdout: said,
			files: map[string]string{"/etc/yum.repos.d/CentOS-Base.repo": centosBase + centosExtras},
			want: []string{"in /etc/yum.repos.d/CentOS-Base.repo:4 ([base]) replace mirrorlist= by " +
				"baseurl=https://vault.centos.org/7.9.2009/os/$basearch/",
				"in /etc/yum.repos.d/CentOS-Base.repo:8 ([updates]) replace mirrorlist= by " +
					"baseurl=https://vault.centos.org/7.9.2009/updates/$basearch/",
				"in /etc/yum.repos.d/CentOS-Base.repo:10 ([extras]) replace mirrorlist= by " +
					"baseurl=https://vault.centos.org/7.9.2009/extras/$basearch/",
				"base and updates are needed, whatever epel.source says", "redhat-indexhtml",
				"extras only for epel-release, and epel.source: mirror or none does without that"},
			lacks: []string{"centosplus", "does not resolve: look"}},
		{name: "in a file of another name", stdout: said,
			files: map[string]string{"/etc/yum.repos.d/site.repo": "\n" + centosBase},
			want:  []string{"in /etc/yum.repos.d/site.repo:5 ([base])"}, lacks: []string{"CentOS-Base.repo",
				"extras only"}},
		{name: "in yum.conf", stdout: said, files: map[string]string{"/etc/yum.conf": "[main]\n" + centosExtras},
			want: []string{"in /etc/yum.conf:3 ([extras])", "extras only for epel-release"}},
		{name: "yum names the repository alone", files: map[string]string{"/etc/yum.repos.d/site.repo": centosBase},
			want: []string{"in /etc/yum.repos.d/site.repo:4 ([base])"}},
		{name: "a list that yum asks for another thing", stdout: said,
			files: map[string]string{"/etc/yum.repos.d/sclo.repo": "[sclo]\n" +
				"mirrorlist=http://mirrorlist.centos.org?arch=$basearch&release=7&repo=sclo-rh\n"},
			want: []string{"in /etc/yum.repos.d/sclo.repo:2 ([sclo]) replace mirrorlist= by the baseurl= of its " +
				"place under https://vault.centos.org/7.9.2009/"}},
		{name: "another's list", stdout: stdout,
			files: map[string]string{"/etc/yum.repos.d/site.repo": "[base]\n" +
				"mirrorlist=http://mirrorlist.centos.invalid/?release=7\n"},
			want: []string{"the name does not resolve"}, lacks: []string{"vault"}},
		{name: "another's list beside CentOS's that is disabled", stdout: stdout,
			files: map[string]string{"/etc/yum.repos.d/x.repo": strings.ReplaceAll(centosExtras, "[extras]\n",
				"[extras]\nenabled=0\n")},
			want: []string{"the name does not resolve"}, lacks: []string{"vault"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			for path, text := range tt.files {
				f.write(path, text)
			}
			e := f.host().refusal(yumerr.Output{Status: 1, Stdout: tt.stdout, Stderr: stderr}, []string{"nginx"}, nil,
				rpmdb.Inventory{}, Limits{})
			if e.Kind != yumerr.Unreachable {
				t.Errorf("kind %s", e.Kind)
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
