package host

import (
	"os"
	"testing"
	"time"
)

// TestLastChanged: a file's older mtime does not hide that it was moved there, and a link that was turned is a change.
func TestLastChanged(t *testing.T) {
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	changed := func(name string) time.Time {
		t.Helper()
		at, err := lastChanged(dir + name)
		must(err)
		return at
	}
	must(os.Mkdir(dir+"/old", 0o755))
	must(os.WriteFile(dir+"/old/ca.pem", nil, 0o644))
	must(os.Chtimes(dir+"/old/ca.pem", time.Unix(1, 0), time.Unix(1, 0)))
	first := changed("/old/ca.pem")
	if time.Since(first) > time.Hour {
		t.Errorf("by an mtime of long ago the file was changed at %s", first)
	}
	time.Sleep(50 * time.Millisecond) // more than a tick of the clock that files have
	must(os.Symlink("old", dir+"/current"))
	must(os.Symlink(dir+"/current/ca.pem", dir+"/ca.pem"))
	if at := changed("/ca.pem"); !at.After(first) {
		t.Errorf("through new links %s, by itself %s", at, first)
	}
	if at := changed("/old/ca.pem"); !at.Equal(first) {
		t.Errorf("a link to it changes the file: %s, %s", at, first)
	}
	must(os.Symlink("round", dir+"/round"))
	for _, name := range []string{"/none", "/round", "/old/ca.pem/none"} {
		if at, err := lastChanged(dir + name); err == nil {
			t.Errorf("%s: %s", name, at)
		}
	}
	boot, err := bootTime()
	must(err)
	if boot.After(time.Now()) {
		t.Errorf("booted at %s", boot)
	}
}
