package rpmdb

import (
	"context"
	"errors"
	"strings"
	"testing"

	"wsprovision/rpm/rpmtest"

	"github.com/google/go-cmp/cmp"
)

func TestInstalled(t *testing.T) {
	nginx := Package{"nginx", "1", "1.20.1", "10.el7", "x86_64"}
	yum := Package{"yum", "", "3.4.3", "168.el7.centos", "noarch"}
	brokenOut, brokenErr := rpmtest.Recorded(t, "rhel7-rpmdb.rpm-q")
	tests := []struct {
		name           string
		stdout, stderr string
		status         int
		want           map[string][]Package
		wantErr        string
	}{
		{name: "one there, one absent", stdout: "nginx\t1\t1.20.1\t10.el7\tx86_64\npackage yum is not installed\n",
			status: 1,
			want:   map[string][]Package{"nginx": {nginx}}},
		{name: "no epoch", stdout: "package nginx is not installed\nyum\t(none)\t3.4.3\t168.el7.centos\tnoarch\n",
			status: 1,
			want:   map[string][]Package{"yum": {yum}}},
		{name: "twice installed",
			stdout: "nginx\t1\t1.20.1\t10.el7\tx86_64\nnginx\t1\t1.20.1\t10.el7\tx86_64\npackage yum is not " +
				"installed\n", status: 1,
			want: map[string][]Package{"nginx": {nginx, nginx}}},
		{name: "a warning", stdout: "package nginx is not installed\npackage yum is not installed\n",
			stderr: "warning: Generating 18 missing index(es), please wait...\n",
			status: 2, want: map[string][]Package{}},
		{name: "broken database", stdout: brokenOut, stderr: brokenErr, status: 1, wantErr: "rpm --rebuilddb"},
		{name: "unknown line", stdout: "nginx 1.20.1\n", wantErr: `not understood: "nginx 1.20.1"`},
		{name: "another package", stdout: "foo\t1\t1.20.1\t10.el7\tx86_64\n", wantErr: "foo was not asked for"},
		{name: "one name unanswered", stdout: "package yum is not installed\n", wantErr: "no answer for nginx"},
		{name: "empty version", stdout: "nginx\t1\t\t10.el7\tx86_64\n", wantErr: "not understood"},
		{name: "says nothing", wantErr: "no answer"},
		{name: "absent, of a name not asked", stdout: "package foo is not installed\n", wantErr: "not understood"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var asked [][]string
			got, err := (DB{Read: rpmtest.Answers(tt.stdout, tt.stderr, tt.status,
				&asked)}).Installed(context.Background(),
				"nginx", "yum")
			if !rpmtest.Matches(err, tt.wantErr) {
				t.Fatalf("error is %v, want %q", err, tt.wantErr)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if len(asked) != 1 {
				t.Errorf("rpm was asked %d times, want once", len(asked))
			}
		})
	}
}

func TestInstalledRefusesNames(t *testing.T) {
	for _, name := range []string{"", "-e", "nginx*", "/etc/passwd", "nginx;id", "a b", "x.rpm", ".x", "nginx\n",
		"@group", "é"} {
		_, err := DB{Read: func(context.Context, string, ...string) (string, string, int, error) {
			t.Errorf("%q reached rpm", name)
			return "", "", 0, nil
		}}.Installed(context.Background(), name)
		if err == nil {
			t.Errorf("%q was taken for a package name", name)
		}
	}
}

func TestInstalledWithoutRPM(t *testing.T) {
	gone := errors.New(`exec: "rpm": executable file not found in $PATH`)
	_, err := DB{Read: func(context.Context, string, ...string) (string, string, int, error) {
		return "", "", 0, gone
	}}.Installed(context.Background(), "nginx")
	if !errors.Is(err, gone) || !strings.HasPrefix(err.Error(), "query packages: rpm: ") {
		t.Errorf("error is %v", err)
	}
}

func TestInstalledNothing(t *testing.T) {
	got, err := DB{}.Installed(context.Background())
	if err != nil || len(got) != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestPackageString(t *testing.T) {
	for want, p := range map[string]Package{
		"nginx-1:1.20.1-10.el7.x86_64": {"nginx", "1", "1.20.1", "10.el7", "x86_64"},
		"yum-3.4.3-168.noarch":         {"yum", "", "3.4.3", "168", "noarch"},
		"gpg-pubkey-352c64e5-52ae6884": {"gpg-pubkey", "", "352c64e5", "52ae6884", ""},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	f.Add("nginx\t1\t1.20.1\t10.el7\tx86_64\npackage yum is not installed\n", "")
	f.Add("package nginx is not installed\n", "error: rpmdb: BDB0113\n")
	f.Add("nginx\t(none)\t\t\t\n", "warning: x\n")
	f.Fuzz(func(t *testing.T, stdout, stderr string) {
		found, err := parseQuery(stdout, stderr, []string{"nginx", "yum"})
		if err != nil {
			return
		}
		for name, all := range found {
			for _, p := range all {
				if name != p.Name || (name != "nginx" && name != "yum") || p.Version == "" || p.Release == "" {
					t.Errorf("%s: %+v", name, p)
				}
			}
		}
	})
}
