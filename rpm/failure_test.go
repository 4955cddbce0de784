package rpm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recorded reads one stream of a recorded run; a stream without a file was empty, a case without any file is a mistake.
func recorded(t testing.TB, name string) (stdout, stderr string) {
	t.Helper()
	found := 0
	read := func(stream string) string {
		text, err := os.ReadFile(filepath.Join("testdata", name+"."+stream))
		if err == nil {
			found++
		}
		return string(text)
	}
	stdout, stderr = read("stdout"), read("stderr")
	if found == 0 {
		t.Fatalf("no recorded output for %s", name)
	}
	return stdout, stderr
}

func TestClassify(t *testing.T) {
	tests := []struct {
		name   string
		status int
		kind   Kind
		want   []string // in the error
	}{
		{"rhel7-missing-one", 0, NoPackage, []string{"No package nonexist available."}},
		{"rhel7-missing-all", 1, NoPackage, []string{"exit status 1: No package nginx available.", "yum repolist"}},
		{"rhel7-not-tolerating", 1, NoPackage, []string{"No package nginx available."}},
		{"rhel7-file-present", 1, Unknown, []string{"Error: Nothing to do"}},
		{"rhel7-mirrorlist", 1, Unreachable, []string{"Cannot find a valid baseurl for repo: base/7/x86_64", "vault.centos.org"}},
		{"rhel7-repo-down", 1, Unreachable, []string{"configured repositories failed (EPEL 7 mirror)", "127.0.0.1:9"}},
		{"rhel7-download", 1, Unreachable, []string{"nginx-1.20.1-10.el7.x86_64: [Errno 256] No more mirrors to try."}},
		{"rhel7-disk-full", 1, NoSpace, []string{"/var/cache/yum/x86_64/7/epel/packages", "free space"}},
		{"dnf4-disk-full", 1, Unwritable, []string{"Curl error (23)", "free space"}},
		{"dnf4-history-full", 1, Unwritable, []string{"History database is not writable", "free space"}},
		{"rhel7-disk-full-test", 1, NoSpace, []string{"2MB more space needed on the / filesystem"}},
		{"rhel7-no-repos", 1, NoRepositories, []string{"There are no enabled repos", "register the system with subscription-manager, or configure epel.source: mirror"}},
		{"rhel7-key-wrong", 1, BadKey, []string{`"Extra Packages for Enterprise Linux 7"`, "rpm --import"}},
		{"rhel7-key-gone", 1, BadKey, []string{"GPG key retrieval failed", "RPM-GPG-KEY-EPEL-7"}},
		{"rhel7-key-missing", 1, BadKey, []string{"Public key for nginx-1.20.1-10.el7.x86_64.rpm is not installed", "compare its fingerprint (gpg --with-fingerprint FILE)", "then: rpm --import FILE)"}},
		{"rhel7-no-key-at-all", 1, BadKey, []string{"You have enabled checking"}},
		{"rhel7-unsigned", 1, Unsigned, []string{"nginx-1.20.1-10.el7.x86_64.rpm is not signed", "gpgcheck=0"}},
		{"rhel7-not-root", 1, NotRoot, []string{"run as root"}},
		{"rhel7-conflict", 1, Conflict, []string{"/etc/nginx/nginx.conf", "mynginx-1.0-1.x86_64"}},
		{"rhel7-prein", 1, Scriptlet, []string{"Error in PREIN scriptlet in rpm package 1:nginx"}},
		{"rhel7-too-new", 1, TooNew, []string{"newer release"}},
		{"rhel7-dependency", 1, Dependency, []string{"1:nginx-1.20.1-10.el7.x86_64 (epel)"}},
		{"rhel7-rpmdb", 1, Database, []string{"rpm --rebuilddb"}},
		{"rhel7-lock", 1, Locked, []string{"exit_on_lock"}},
		{"rhel7-unfinished", 1, Unknown, []string{"yum-complete-transaction"}},
		{"rhel7-nosuch-repo", 1, Unconfigured, []string{"nosuch, repository not found"}},
		{"dnf4-missing", 1, NoPackage, []string{"No match for argument: nonexist"}},
		{"dnf4-wrongkey", 1, BadKey, []string{`"R" repository`}},
		{"dnf4-localunsigned", 1, Unsigned, []string{"unsigned-1.20.1-10.el7.noarch.rpm is not signed"}},
		{"dnf4-localnokey", 1, BadKey, []string{"Public key for foo"}},
		{"dnf4-blank-otherkey", 1, BadKey, []string{"Public key for foo"}},
		{"dnf4-no-key-at-all", 1, BadKey, []string{"rpm --import"}},
		{"dnf4-dead", 1, Unreachable, []string{"Failed to download metadata for repo 'dead'"}},
		{"dnf4-mirror", 1, Unreachable, []string{"mirrorlist.centos.org", "vault.centos.org"}},
		{"dnf4-locked", 200, Locked, []string{"metadata already locked by 4711"}},
		{"dnf4-norepo", 1, NoRepositories, []string{"subscription-manager"}},
		{"dnf4-prefail", 1, Dependency, []string{"nothing provides /bin/sh"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr := recorded(t, tt.name+".yum")
			e := classify(tt.status, stdout, stderr)
			if e.Kind != tt.kind {
				t.Errorf("kind is %q, want %q: %v", e.Kind, tt.kind, e)
			}
			for _, want := range tt.want {
				if !strings.Contains(e.Error(), want) {
					t.Errorf("error %q lacks %q", e, want)
				}
			}
		})
	}
}

func TestEveryKindHasARow(t *testing.T) {
	seen := map[Kind]bool{}
	for _, row := range failures {
		if row.next == "" || len(row.marks) == 0 {
			t.Errorf("%s: a row without marks or without advice", row.kind)
		}
		seen[row.kind] = true
	}
	if len(seen) != len(failures) {
		t.Errorf("%d kinds in %d rows", len(seen), len(failures))
	}
}

func FuzzClassify(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yum.std*")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(1, string(text), "")
		f.Add(0, "", string(text))
	}
	f.Fuzz(func(t *testing.T, status int, stdout, stderr string) {
		e := classify(status, stdout, stderr)
		if strings.Contains(e.Text, "\n") {
			t.Errorf("several lines in %q", e.Text)
		}
		if e.Kind != Unknown && e.Text == "" {
			t.Errorf("%s without yum's words", e.Kind)
		}
		lockedBy(stdout, stderr)
	})
}
