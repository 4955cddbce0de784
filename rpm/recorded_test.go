package rpm

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/said"
	"wsprovision/rpm/yumerr"

	"github.com/google/go-cmp/cmp"
)

// recordedRuns are all recordings of yum in testdata.
var recordedRuns = []recordedRun{
	{name: "dnf4-blank-otherkey", status: 1, kind: yumerr.BadKey, runs: 1},
	{name: "dnf4-dead", status: 1, kind: yumerr.Unreachable, runs: 3},
	{name: "dnf4-disk-full", status: 1, kind: yumerr.Unwritable, runs: 1},
	{name: "dnf4-excluded", status: 1, kind: yumerr.NoPackage, runs: 1},
	{name: "dnf4-excluded-dependency", status: 1, kind: yumerr.Dependency, runs: 1},
	{name: "dnf4-history-full", status: 1, kind: yumerr.Unwritable, runs: 1},
	{name: "dnf4-localnokey", status: 1, kind: yumerr.BadKey, runs: 1},
	{name: "dnf4-localunsigned", status: 1, kind: yumerr.Unsigned, runs: 1},
	{name: "dnf4-locked", status: 200, kind: yumerr.Locked, runs: 301},
	{name: "dnf4-lost", status: 1, kind: yumerr.Unreachable, runs: 3},
	{name: "dnf4-mirror", status: 1, kind: yumerr.Unreachable, runs: 3},
	{name: "dnf4-missing", status: 1, kind: yumerr.NoPackage, runs: 1},
	{name: "dnf4-no-key-at-all", status: 1, kind: yumerr.BadKey, runs: 1},
	{name: "dnf4-norepo", status: 1, kind: yumerr.NoRepositories, runs: 1},
	{name: "dnf4-prefail", status: 1, kind: yumerr.Dependency, runs: 1},
	{name: "dnf4-prein-dependency", status: 1, brings: []string{"all"}, kind: yumerr.Scriptlet, runs: 1},
	{name: "dnf4-wrongkey", status: 1, kind: yumerr.BadKey, runs: 1},
	{name: "rhel7-404-with-key-import", kind: yumerr.Unreachable, runs: 3},
	{name: "rhel7-all-repositories-down", kind: yumerr.Unreachable, runs: 3},
	{name: "rhel7-already-installed", brings: []string{"all"}, runs: 1},
	{name: "rhel7-cache-full", status: 1, kind: yumerr.Unwritable, runs: 1},
	{name: "rhel7-dependencies", status: 1, kind: yumerr.Dependency, runs: 1},
	{name: "rhel7-dependency", status: 1, kind: yumerr.Dependency, runs: 1},
	{name: "rhel7-dependency-installed-newer", kind: yumerr.Dependency, runs: 1},
	{name: "rhel7-disk-full", status: 1, kind: yumerr.NoSpace, runs: 1},
	{name: "rhel7-disk-full-test", status: 1, kind: yumerr.NoSpace, runs: 1},
	{name: "rhel7-epel-disabled", kind: yumerr.NoPackage, runs: 1},
	{name: "rhel7-epel-enablerepo", brings: []string{"all"}, runs: 1},
	{name: "rhel7-excluded", kind: yumerr.NoPackage, runs: 1},
	{name: "rhel7-file-conflict-with-key-import", kind: yumerr.Conflict, runs: 1},
	{name: "rhel7-file-present", status: 1, brings: []string{"all"}, runs: 1},
	{name: "rhel7-key-file-missing", kind: yumerr.BadKey, runs: 1},
	{name: "rhel7-key-missing", status: 1, kind: yumerr.BadKey, runs: 1},
	{name: "rhel7-locked-exit", kind: yumerr.Locked, runs: 301},
	{name: "rhel7-locked-foreign-wait", kind: yumerr.Locked, runs: 301},
	{name: "rhel7-metalink-down", kind: yumerr.Unreachable, runs: 3},
	{name: "rhel7-mirrorlist-dead", kind: yumerr.Unreachable, runs: 3},
	{name: "rhel7-mirrorlist-unresolved", kind: yumerr.Unreachable, runs: 3},
	{name: "rhel7-missing-all", status: 1, kind: yumerr.NoPackage, runs: 1},
	{name: "rhel7-missing-name", kind: yumerr.NoPackage, runs: 1},
	{name: "rhel7-missing-name-tolerated", brings: []string{"epel-release"}, kind: yumerr.NoPackage, runs: 1},
	{name: "rhel7-no-key-at-all", status: 1, kind: yumerr.BadKey, runs: 1},
	{name: "rhel7-no-repos", status: 1, kind: yumerr.NoRepositories, runs: 1},
	{name: "rhel7-nosuch-repo", status: 1, kind: yumerr.Unconfigured, runs: 1},
	{name: "rhel7-not-root", status: 1, kind: yumerr.NotRoot, runs: 1},
	{name: "rhel7-nothing-to-do", brings: []string{"all"}, runs: 1},
	{name: "rhel7-postin", brings: []string{"all"}, runs: 1},
	{name: "rhel7-prein", status: 1, kind: yumerr.Scriptlet, runs: 1},
	{name: "rhel7-prein-dependency", status: 1, brings: []string{"all",
		"gperftools-libs\t(none)\t2.6.1\t1.el7\tx86_64"}, kind: yumerr.Scriptlet, runs: 1},
	{name: "rhel7-reinstall", runs: 1},
	{name: "rhel7-repo-404", kind: yumerr.Unreachable, runs: 3},
	{name: "rhel7-repolist", runs: 0},
	{name: "rhel7-repolist-all", runs: 0},
	{name: "rhel7-rpm-lock-held", kind: yumerr.Unknown, runs: 1},
	{name: "rhel7-rpmdb", status: 1, kind: yumerr.Database, runs: 1},
	{name: "rhel7-success-with-key-import", brings: []string{"all"}, runs: 1},
	{name: "rhel7-too-new", status: 1, kind: yumerr.TooNew, runs: 1},
	{name: "rhel7-unfinished-transaction", brings: []string{"all"}, runs: 1},
	{name: "rhel7-unsigned", kind: yumerr.Unsigned, runs: 1},
	{name: "rhel7-wrong-key", kind: yumerr.BadKey, runs: 1},
}

// recordedAnswers are all recordings of rpm in testdata, and what is made of each; nil is for another test.
var recordedAnswers = map[string]func(t *testing.T, stdout, stderr string){
	"rhel7-clean.rpm-V":   verifies(),
	"rhel7-damaged.rpm-V": verifies("/etc/nginx/scgi_params"),
	// the edited ones are somebody's, and mode is not looked at
	"rhel7-everything.rpm-qa": func(t *testing.T, stdout, _ string) {
		names := map[string]rpmdb.Package{}
		for _, line := range said.Lines(stdout) {
			p, err := rpmdb.ParsePackage(line)
			if err != nil {
				t.Error(err)
			}
			names[p.Name] = p
		}
		if got := names["bash"].String(); len(names) != 132 || got != "bash-0:4.2.46-34.el7.x86_64" {
			t.Errorf("%d names, and %s; want 132", len(names), got)
		}
	},
	"rhel7-missing-one.rpm-q": func(t *testing.T, stdout, _ string) {
		var gone []string
		for _, line := range said.Lines(stdout) {
			if name, ok := rpmdb.Absent(line); ok {
				gone = append(gone, name)
			}
		}
		if diff := cmp.Diff([]string{"nosuch"}, gone); diff != "" {
			t.Errorf("absent: -want +got\n%s", diff)
		}
	},
	"rhel7-pubkeys.rpm-q": func(t *testing.T, stdout, _ string) {
		for _, line := range said.Lines(stdout) {
			if name, _, _ := strings.Cut(line,
				"\t"); !rpmdb.PubkeyRelease().MatchString(strings.TrimPrefix(name, rpmdb.Pubkey+"-")) {
				t.Errorf("%q is no key's package", name)
			}
		}
	},
	"rhel7-rpmdb.rpm-q":    nil, // TestParse
	"rhel7-bad.rpm-K":      nil, // TestJudgeSignature
	"rhel7-nokey.rpm-K":    nil,
	"rhel7-signed.rpm-K":   nil,
	"rhel7-unsigned.rpm-K": nil,
}

// verifies has the damaged files found, where the lost ones are missing on the host too.
func verifies(want ...string) func(*testing.T, string, string) {
	return func(t *testing.T, stdout, _ string) {
		h := newFake(t).host()
		var got []string
		for _, line := range said.Lines(stdout) {
			if d, ok := h.DB.Damage("nginx", line); ok {
				got = append(got, d.Path)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("damaged: -want +got\n%s", diff)
		}
	}
}

func TestRecordedAnswers(t *testing.T) {
	files, err := filepath.Glob("testdata/*.rpm-*.*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		if _, known := recordedAnswers[name]; !known {
			t.Errorf("%s has no row", file)
		}
	}
	for name, judge := range recordedAnswers {
		if judge == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			said := func(stream string) string {
				text, err := os.ReadFile(filepath.Join("testdata", name+"."+stream))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				return string(text)
			}
			judge(t, said("stdout"), said("stderr"))
		})
	}
}
