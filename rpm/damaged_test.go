package rpm

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"wsprovision/rpm/rpmdb"

	"github.com/google/go-cmp/cmp"
)

// The real rpm's words on what a power cut leaves; an administrator's edit of a configuration file, and a new mode, are
// no damage.
func TestDamaged(t *testing.T) {
	r := newReal(t)
	h := New("", r.run, r.run)
	tree := r.path("tree")
	at := func(name string) string { return filepath.Join(tree, name) }
	spec := "Name: things\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: " +
		"noarch\n%description\nx\n%install\nmkdir -p %{buildroot}" + tree + "\n"
	files := "%files\n"
	for _, name := range []string{"whole", "emptied", "cut", "lost", "moded"} {
		spec += fmt.Sprintf("echo content of %s >%%{buildroot}%s\n", name, at(name))
		files += at(name) + "\n"
	}
	for _, name := range []string{"edited.conf", "emptied.conf", "lost.conf"} {
		spec += fmt.Sprintf("echo content of %s >%%{buildroot}%s\n", name, at(name))
		files += "%config(noreplace) " + at(name) + "\n"
	}
	r.write("things.spec", spec+files)
	r.must("rpmbuild", "-bb", "--define", "_topdir "+r.dir, "--define", "_rpmdir "+r.dir, "--define",
		"_rpmfilename things.rpm", r.path("things.spec"))
	if _, stderr, status, err := r.run(bg, "", "rpm", "-i", "--nodeps", r.path("things.rpm")); err != nil ||
		status != 0 {
		t.Fatalf("rpm -i: %d, %v, %s", status, err, stderr)
	}
	if got, err := h.DB.Damaged(bg, "things"); err != nil || len(got) > 0 {
		t.Errorf("before: %v, %v", got, err)
	}

	r.write("tree/emptied", "")
	r.write("tree/cut", "cont")
	r.write("tree/edited.conf", "by hand\n")
	r.write("tree/emptied.conf", "")
	for _, name := range []string{"lost", "lost.conf"} {
		if err := os.Remove(at(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(at("moded"), 0o700); err != nil {
		t.Fatal(err)
	}
	damage := func(path string, empty bool) rpmdb.Damage {
		return rpmdb.Damage{Package: "things", Path: path, Empty: empty}
	}
	want := []rpmdb.Damage{
		damage(at("cut"), false), damage(at("emptied"), true), damage(at("emptied.conf"), true),
		damage(at("lost"), false), damage(at("lost.conf"), false),
	}
	if got, err := h.DB.Damaged(bg, "things"); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%v\n%s", err, cmp.Diff(want, got))
	}
}

// As rpm 4.11 writes its lines.
func TestDamageLines(t *testing.T) {
	f := newFake(t)
	f.write("/etc/nginx/nginx.conf", "")
	f.write("/usr/sbin/nginx", "x")
	for line, want := range map[string]bool{
		"S.5....T.  c /etc/nginx/nginx.conf":                        true,
		"S.5....T.    /usr/sbin/nginx":                              true,
		".......T.    /usr/sbin/nginx":                              false,
		"missing   c /etc/nginx/mime.types":                         true,
		"missing     /usr/share/nginx/html/index.html":              true,
		"package nosuch is not installed":                           false,
		"Unsatisfied dependencies for nginx-1:1.20.1-10.el7.x86_64": false,
	} {
		if _, got := f.host().DB.Damage("nginx", line); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}
