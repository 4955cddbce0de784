package labels

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/state"
	"wsprovision/selinux"
	"wsprovision/systemd"
)

const label = "system_u:object_r:etc_t:s0"

// tree is a tree in memory, where labels can be set: files end in no slash, and a path with a plus has a label.
func tree(t *testing.T, paths ...string) *Labels {
	t.Helper()
	root, err := os.MkdirTemp("/dev/shm", "wsprovision-labels-")
	if err != nil {
		hosttest.Unable(t, "no memory to make files in: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	files := &host.Files{Root: root, Seam: &host.Seam{}}
	l := &Labels{Host: &host.Host{Root: root, Files: files, Seam: files.Seam, SELinux: selinux.Host{Root: root}},
		Ledger: state.NewLedger(files)}
	for _, p := range append([]string{"/+"}, paths...) {
		path, labelled := strings.CutSuffix(p, "+")
		dir := filepath.Dir(path)
		if strings.HasSuffix(path, "/") {
			dir = path
		}
		if err := os.MkdirAll(root+dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if dir != path {
			if err := os.WriteFile(root+path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if labelled {
			if err := l.SELinux.Contexts().SetFileLabel(filepath.Clean(path), label); err != nil {
				hosttest.Unable(t, "no labels can be set here: %v", err)
			}
		}
	}
	return l
}

func (l *Labels) mounts(t *testing.T, points ...string) {
	t.Helper()
	text := ""
	for i, p := range points {
		point, kind, _ := strings.Cut(p, " ")
		root := "/"
		if from, k, bound := strings.Cut(kind, " of "); bound {
			kind, root = from, k
		}
		text += fmt.Sprintf("%d 1 8:%d %s %s rw - %s dev rw\n", i+20, i, root, point, kind)
	}
	if err := os.MkdirAll(l.Root+"/proc/self", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.Root+"/proc/self/mountinfo", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The files without a label are found on the tree's own file systems: in an installer on all that keep labels, in an
// image on that of its root alone. The store is compared as a whole, and the order to relabel is not labelled.
func TestWalkUnlabelled(t *testing.T) {
	paths := []string{"/etc/+", "/etc/bare", "/etc/has+", "/var/+", "/var/x", "/home/+", "/home/x", "/mnt/+", "/mnt/x",
		"/data/+", "/data/x", "/store/", "/store/x", host.RelabelPath}
	points := []string{"/ xfs", "/var ext4", "/home nfs", "/mnt ext4 of /elsewhere", "/data btrfs of /data",
		"/proc proc"}
	for place, want := range map[systemd.Place][]string{
		systemd.Installer: {"/data/x", "/etc/bare", "/var/x"},
		systemd.Chroot:    {"/etc/bare"},
	} {
		l := tree(t, paths...)
		l.Where.Place = place
		l.mounts(t, points...)
		bare, err := l.walkUnlabelled("/store")
		var got []string
		for _, p := range bare {
			got = append(got, p.Name)
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", place, err, d)
		}
	}
	l := tree(t, "/etc/+", "/etc/bare")
	if bare, err := l.walkUnlabelled("/store"); err != nil || len(bare) != 1 { // without a list of mounts
		t.Errorf("%v, %v", bare, err)
	}
	l.mounts(t)
	if err := os.WriteFile(l.Root+"/proc/self/mountinfo", []byte("no line of it\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if bare, err := l.walkUnlabelled("/store"); err == nil {
		t.Errorf("a list of mounts that is not understood: %v", bare)
	}
}

// More files than a transaction leaves are the installer's doing, and not looked at one by one.
func TestManyUnlabelled(t *testing.T) {
	for n, want := range map[int]bool{manyUnlabelled: false, manyUnlabelled + 1: true} {
		l := tree(t, "/etc/+")
		for i := range n {
			if err := os.WriteFile(fmt.Sprintf("%s/etc/%d", l.Root, i), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if _, many, err := l.unlabelled("/store"); err != nil || many != want {
			t.Errorf("%d files: many %v, %v", n, many, err)
		}
		if len(l.bare) != n {
			t.Errorf("%d found, want %d", len(l.bare), n)
		}
	}
	l := tree(t, "/etc/+", "/etc/bare", "/proc/filesystems+")
	if err := os.WriteFile(l.Root+"/proc/filesystems", []byte("nodev\tselinuxfs\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if wrong, many, err := l.unlabelled("/store"); len(wrong) > 0 || many || err != nil || l.bare != nil {
		t.Errorf("under a kernel that labels: %v, %v, %v; looked at %v", wrong, many, err, l.bare)
	}
}

// Of a tree that nobody has labelled nothing is known by a part of it, or without one of its directories.
func TestTreeUnlabelled(t *testing.T) {
	for name, tt := range map[string]struct {
		paths []string
		want  bool
	}{
		"nothing has a label": {[]string{"/etc/", "/usr/", "/var/"}, true},
		"/etc has one":        {[]string{"/etc/+", "/usr/", "/var/"}, false},
		"/var has one":        {[]string{"/etc/", "/usr/", "/var/+"}, false},
		"no /usr":             {[]string{"/etc/", "/var/"}, false},
	} {
		if got := TreeUnlabelled(tree(t, tt.paths...).SELinux); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A relabel is the agent's where its ledger has it, and it is as the agent left it. Another one stands.
func TestRelabelIsOurs(t *testing.T) {
	ours := state.Digest([]byte(host.RelabelOrder))
	for name, tt := range map[string]struct {
		content, before, left string
		want                  bool
	}{
		"as the agent left it":  {host.RelabelOrder, state.Absent, ours, true},
		"not recorded":          {host.RelabelOrder, "", "", false},
		"changed since":         {"-F -M\n", state.Absent, ours, false},
		"it was there before":   {host.RelabelOrder, ours, ours, false},
		"the ledger's is other": {host.RelabelOrder, state.Absent, "sha256:0", false},
	} {
		l := tree(t)
		if err := os.WriteFile(l.Root+host.RelabelPath, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if tt.before != "" {
			l.Ledger.Entries = []state.Entry{{Kind: state.KindFile, Name: host.RelabelPath, Before: tt.before,
				Left: tt.left}}
		}
		if got, err := l.relabelIsOurs(); err != nil || got != tt.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	l := tree(t, host.RelabelPath+"/x")
	for _, euid := range []int{0, 1000} {
		l.Euid = euid
		if ours, err := l.relabelIsOurs(); err == nil || ours {
			t.Errorf("a directory, by %d: %v, %v", euid, ours, err)
		}
	}
}

// What is gone needs no label. What cannot have one is named on a host that runs, with what to do; elsewhere the first
// boot labels everything, unless the failure is of another kind.
func TestSetLabels(t *testing.T) {
	for _, place := range []systemd.Place{systemd.Host, systemd.Chroot} {
		l := tree(t, "/etc/a", "/etc/b")
		l.Where = systemd.Where{Place: place, Systemd: true}
		err := l.setLabels([]mislabelled{{"/etc/gone", "", label}, {"/etc/a/x", "var_t", label}, {"/etc/b", "", label}})
		got, _ := l.SELinux.Contexts().FileLabel("/etc/b")
		live := place == systemd.Host
		if err == nil || strings.Contains(err.Error(), "/etc/a/x keeps the label var_t: ") != live ||
			strings.Contains(err.Error(), "gone") || (got == label) != live || l.hopeless {
			t.Errorf("%s: %v; /etc/b has %q", place, err, got)
		}
		if live && !strings.Contains(err.Error(), "restorecon -F -v /etc/a/x") {
			t.Errorf("%v", err)
		}
	}
	m := mislabelled{path: "/etc/a b"}
	if got := m.mend(true); got != "chattr -i -a '/etc/a b'; restorecon -F -v '/etc/a b'" {
		t.Error(got)
	}
}

// What semanage has rewritten is the transaction's: another inode, or another time of change. What was so before, what
// has no label and what is gone are not.
func TestLabelStore(t *testing.T) {
	l := tree(t, "/store/a+")
	err := l.labelStore([]mislabelled{{"/store/gone", "", label}, {"/store/a", "", strings.Replace(label, "etc_t",
		"x_t", 1)}})
	if got, _ := l.SELinux.Contexts().FileLabel("/store/a"); err != nil || host.TypeOf(got) != "x_t" {
		t.Errorf("%v, %q", err, got)
	}
	if err := l.labelStore([]mislabelled{{"/store/a/x", "", label}}); err == nil ||
		!strings.Contains(err.Error(), "restorecon -Rv /etc/selinux") {
		t.Errorf("%v", err)
	}
	before, ok := stampOf(l.Root + "/store/a")
	if same, _ := stampOf(l.Root + "/store/a"); !ok || same != before {
		t.Errorf("%v, then %v", before, same)
	}
	if _, ok := stampOf(l.Root + "/store/gone"); ok {
		t.Error("what is gone has a stamp")
	}
	if err := os.WriteFile(l.Root+"/store/new", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(l.Root+"/store/new", l.Root+"/store/a"); err != nil {
		t.Fatal(err)
	}
	if after, ok := stampOf(l.Root + "/store/a"); !ok || after == before {
		t.Error("a replaced file is as it was")
	}
}

// Two labels are compared by their type. A kernel without a policy has one word for each, and cannot tell.
func TestCompareOne(t *testing.T) {
	l := tree(t, "/a+", "/bare", "/word")
	if err := unix.Lsetxattr(l.Root+"/word", "security.selinux", []byte("kernel"), 0); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		path, want string
		wrong      bool
	}{
		"the same":                {"/a", label, false},
		"another user":            {"/a", strings.Replace(label, "system_u", "unconfined_u", 1), false},
		"another type":            {"/a", strings.Replace(label, "etc_t", "var_t", 1), true},
		"no label":                {"/bare", label, true},
		"the policy has none":     {"/a", "", false},
		"a kernel without policy": {"/word", label, false},
		"gone":                    {"/gone", label, false},
	} {
		wrong, err := compareOne(l.SELinux, nil, tt.path, tt.want)
		if err != nil || (len(wrong) == 1) != tt.wrong || tt.wrong && wrong[0].want != tt.want {
			t.Errorf("%s: %v, %v", name, wrong, err)
		}
	}
	if wrong, err := compareOne(l.SELinux, nil, "/a/x", label); err == nil {
		t.Errorf("what cannot be looked at: %v", wrong)
	}
	if _, err := l.compare([]string{"/a/x"}); err == nil {
		t.Error("what cannot be looked at is compared")
	}
	if !slices.ContainsFunc([]systemd.Mount{{Type: "xfs", Root: "/"}}, keepsLabels) ||
		slices.ContainsFunc([]systemd.Mount{{Type: "xfs", Root: "/x"}, {Type: "vfat", Root: "/"}}, keepsLabels) {
		t.Error("which file systems keep labels")
	}
}
