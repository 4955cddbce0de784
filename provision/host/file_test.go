package host

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wsprovision/provision/hosttest"

	"golang.org/x/sys/unix"
)

// newFiles writes below a directory of its own, without labels.
func newFiles(t *testing.T) *Files {
	t.Helper()
	f := &Files{Root: t.TempDir(), Seam: &Seam{}}
	if err := os.Mkdir(f.Root+"/d", 0o755); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFileWriteAndRead(t *testing.T) {
	f := newFiles(t)
	old := syscall.Umask(0o077) // of a careful root shell; it must not decide who may read the file
	defer syscall.Umask(old)
	for _, content := range []string{"one\n", "", "two\n"} {
		if err := f.Write("/d/x.conf", []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := f.Read("/d/x.conf")
		if err != nil || string(got.Content) != content || got.Content == nil || got.Mode != 0o644 ||
			got.UID != os.Geteuid() {
			t.Errorf("read %q, mode %o, uid %d, %v; want %q, 644, %d", got.Content, got.Mode, got.UID, err, content,
				os.Geteuid())
		}
	}
	if got, err := f.Read("/d/missing"); err != nil || got.Content != nil {
		t.Errorf("a missing file: %+v, %v; want neither content nor error", got, err)
	}
	if names := list(t, f.Root+"/d"); names != "x.conf" {
		t.Errorf("the directory holds %q, want x.conf alone", names)
	}
	if err := errors.Join(f.Remove("/d/x.conf"), f.Remove("/d/x.conf")); err != nil || list(t, f.Root+"/d") != "" {
		t.Errorf("removed twice: %v, left %q", err, list(t, f.Root+"/d"))
	}
}

func list(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// Whatever is not a plain file is neither followed nor replaced nor removed.
func TestFileInPlace(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	for _, tt := range []struct {
		name string
		make func(path string) error
		says string
	}{
		{"a symbolic link", func(path string) error { return os.Symlink(outside, path) }, "symbolic link"},
		{"a dangling link", func(path string) error { return os.Symlink("nowhere", path) }, "symbolic link"},
		{"a directory", func(path string) error { return os.Mkdir(path, 0o755) }, "directory"},
		{"a fifo", func(path string) error { return unix.Mkfifo(path, 0o644) }, "special file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFiles(t)
			if err := tt.make(f.Root + "/d/x.conf"); err != nil {
				t.Fatal(err)
			}
			_, err := f.Read("/d/x.conf")
			if !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), tt.says) ||
				!strings.Contains(err.Error(), "/d/x.conf") {
				t.Errorf("read: %v, want %v that says %q", err, ErrNotRegular, tt.says)
			}
			if err := f.Remove("/d/x.conf"); !errors.Is(err, ErrNotRegular) {
				t.Errorf("remove: %v, want %v", err, ErrNotRegular)
			}
			if fi, err := os.Lstat(f.Root + "/d/x.conf"); err != nil || fi.Mode().IsRegular() {
				t.Errorf("it was replaced: %v, %v", fi, err)
			}
		})
	}
}

// What an earlier run left under the staging name is replaced, a link there is not written through.
func TestFileLeftStaging(t *testing.T) {
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, leave := range []func(path string) error{
		func(path string) error { return os.WriteFile(path, []byte("half"), 0o600) },
		func(path string) error { return os.Symlink(victim, path) },
	} {
		f := newFiles(t)
		if err := leave(f.Root + Staging("/d/x.conf")); err != nil {
			t.Fatal(err)
		}
		if err := f.Write("/d/x.conf", []byte("whole"), 0o644); err != nil {
			t.Fatal(err)
		}
		got, _ := f.Read("/d/x.conf")
		mine, _ := os.ReadFile(victim)
		if string(got.Content) != "whole" || string(mine) != "mine" || list(t, f.Root+"/d") != "x.conf" {
			t.Errorf("wrote %q, the link's target holds %q, left %q", got.Content, mine, list(t, f.Root+"/d"))
		}
	}
	if name := filepath.Base(Staging("/etc/nginx/conf.d/x.conf")); name[0] != '.' || strings.HasSuffix(name, ".conf") {
		t.Errorf("nginx would read the staged file %s", name)
	}
}

func TestFileLabel(t *testing.T) {
	f := newFiles(t)
	labels := map[string]string{}
	f.Label = func(path string, _ fs.FileMode) (string, error) { return "u:r:for_" + filepath.Base(path) + ":s0", nil }
	f.SetLabel = func(path, label string) error { labels[path] = label; return nil }
	f.FileLabel = func(path string) (string, error) { return labels[path], nil }
	if err := f.Write("/d/x.conf", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	// The rename takes the staged file's label along.
	if want, got := "u:r:for_x.conf:s0", labels[Staging("/d/x.conf")]; got != want {
		t.Errorf("the staged file is labelled %q, want %q: that of its place", got, want)
	}
	for name, spoil := range map[string]func(){
		"the policy cannot be read": func() {
			f.Label = func(string, fs.FileMode) (string, error) { return "", errors.New("broken") }
		},
		"the label cannot be set": func() {
			labels = map[string]string{}
			f.Label = func(string, fs.FileMode) (string, error) { return "u:r:t:s0", nil }
			f.SetLabel = func(string, string) error { return errors.New("broken") }
		},
	} {
		spoil()
		if err := f.Write("/d/x.conf", []byte("y"), 0o644); err == nil || !strings.Contains(err.Error(), "broken") {
			t.Errorf("%s: %v", name, err)
		}
		if got, _ := os.ReadFile(f.Root + "/d/x.conf"); string(got) != "x" || list(t, f.Root+"/d") != "x.conf" {
			t.Errorf("%s: the file holds %q, the directory %q", name, got, list(t, f.Root+"/d"))
		}
	}
}

func TestFileDirectories(t *testing.T) {
	f := newFiles(t)
	if err := errors.Join(f.MakeDir("/d/state", 0o700), f.MakeDir("/d/state", 0o700)); err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(f.Root + "/d/state"); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v; want mode 0700", fi.Mode(), err)
	}
	for _, tt := range []struct {
		name string
		make func(dir string) error
		says string
	}{
		{"written by everyone", func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o755), os.Chmod(dir, 0o777))
		}, "chmod o-w"},
		{"somebody else's", func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o755), os.Chown(dir, 1234, 0))
		}, "uid 1234"},
		{"a link", func(dir string) error { return os.Symlink(f.Root+"/d", dir) }, "symbolic link"},
		{"a file", func(dir string) error { return os.WriteFile(dir, nil, 0o644) }, "not a directory"},
		{"missing", func(string) error { return nil }, "no such file"},
	} {
		dir := "/d/" + strings.ReplaceAll(tt.name, " ", "-")
		if err := tt.make(f.Root + dir); err != nil {
			t.Fatal(err)
		}
		if err := f.Write(dir+"/x", []byte("x"), 0o644); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("write into a directory that is %s: %v, want %q", tt.name, err, tt.says)
		}
	}
}

// A refused seam changes nothing, and what it was to do is not done half.
func TestFileSeamRefuses(t *testing.T) {
	f := newFiles(t)
	if err := f.Write("/d/x", []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, point := range []string{"before stage /d/x", "after stage /d/x", "before install /d/x"} {
		f.Seam.Hook = func(p string) error {
			if p == point {
				return errStopped
			}
			return nil
		}
		if err := f.Write("/d/x", []byte("new"), 0o644); !errors.Is(err, errStopped) {
			t.Errorf("%s: %v, want %v", point, err, errStopped)
		}
		if got, _ := os.ReadFile(f.Root + "/d/x"); string(got) != "old" || list(t, f.Root+"/d") != "x" {
			t.Errorf("%s: holds %q, directory %q", point, got, list(t, f.Root+"/d"))
		}
	}
}

// A full disk is what a write that fails looks like.
func TestFileNoSpace(t *testing.T) {
	f := newFiles(t)
	if err := os.WriteFile(f.Root+"/d/x", []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	hosttest.Tmpfs(t, f.Root+"/d", "size=4k")
	if err := f.Write("/d/x", []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := f.Write("/d/x", make([]byte, 64<<10), 0o644)
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write: %v, want %v", err, syscall.ENOSPC)
	}
	if got, _ := os.ReadFile(f.Root + "/d/x"); string(got) != "old" || list(t, f.Root+"/d") != "x" {
		t.Errorf("holds %q, directory %q; want the old one alone", got, list(t, f.Root+"/d"))
	}
}

func TestFileImmutable(t *testing.T) {
	f := newFiles(t)
	path := f.Root + "/d/x"
	if err := f.Write("/d/x", []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chattr", "+i", path).CombinedOutput(); err != nil {
		hosttest.Unable(t, "chattr +i: %v: %s", err, out)
	}
	defer exec.Command("chattr", "-i", path).Run() //nolint:errcheck // the test's own file
	if err := f.Write("/d/x", []byte("new"), 0o644); err == nil || !strings.Contains(err.Error(), "chattr -i") {
		t.Errorf("write: %v, want the way out of it", err)
	}
	if err := f.Remove("/d/x"); err == nil || !strings.Contains(err.Error(), "chattr -i") {
		t.Errorf("remove: %v, want the way out of it", err)
	}
	if names := list(t, f.Root+"/d"); names != "x" {
		t.Errorf("the directory holds %q, want x alone", names)
	}
}
