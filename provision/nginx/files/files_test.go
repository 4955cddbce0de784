package files

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHostileFiles: what cannot be told of a file is hidden, and nothing waits.
func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(filepath.Dir(dir), 0o755))
	must(os.Chmod(dir, 0o755))
	for _, sub := range []string{"open", "closed"} {
		must(os.Mkdir(filepath.Join(dir, sub), 0o755))
		must(os.WriteFile(filepath.Join(dir, sub, "file"), nil, 0o644))
	}
	must(os.WriteFile(filepath.Join(dir, "open", "private"), nil, 0o600))
	must(syscall.Mkfifo(filepath.Join(dir, "open", "pipe"), 0o644))
	must(os.Symlink(filepath.Join(dir, "closed", "file"), filepath.Join(dir, "open", "into")))
	must(os.Symlink("loop", filepath.Join(dir, "open", "loop")))
	must(os.Chmod(filepath.Join(dir, "closed"), 0o700))
	for name, want := range map[string]Found{
		"open/file": {Kind: Plain, Readable: true}, "open": {Kind: Directory, Readable: true},
		"open/none": {Kind: Absent}, "open/file/x": {Kind: Absent},
		"open/none/x": {Kind: Absent}, "closed/file": {}, "closed/none": {}, "open/private": {Kind: Plain},
		"open/pipe": {Kind: Special, Readable: true}, "open/into": {}, "open/loop": {},
		"open/" + strings.Repeat("x", 300): {Kind: Absent},
	} {
		got := Anywhere("")(filepath.Join(dir, name))
		if age := time.Since(got.Changed); got.Kind != Hidden && (age < 0 || age > time.Hour) {
			t.Errorf("%s was changed %s ago, want just now", name, age)
		}
		if got.Changed = want.Changed; got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// TestLabels: what nginx's domain may not read is hidden, and so is what lies where its unit has a /tmp of its own.
func TestLabels(t *testing.T) {
	for label, want := range map[string]bool{"system_u:object_r:httpd_sys_content_t:s0": true, "": false,
		"unconfined_u:object_r:user_home_t:s0": false, "system_u:object_r:usr_t:s0:c1,c2": true, "usr_t": false,
		"system_u:object_r:default_t": false} {
		if got := isServed(label); got != want {
			t.Errorf("%q: %v, want %v", label, got, want)
		}
	}
	for _, name := range []string{"/tmp", "/tmp/x", "/var/tmp/x/y", "/srv/../tmp/x"} {
		if got := OnDisk("")(name); got.Kind != Hidden {
			t.Errorf("%s: %+v, want it hidden", name, got)
		}
	}
	if got := OnDisk("")("/tmpx"); got.Kind != Absent {
		t.Errorf("/tmpx: %+v", got)
	}
}
