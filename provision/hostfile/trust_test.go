package hostfile

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestHostileDoubts: every step of the way to a file is judged, and each doubt says what ends it.
func TestHostileDoubts(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files of others can be made by root alone")
	}
	const nobody = 65534
	for name, tt := range map[string]struct {
		make func(d string) error
		path string
		want []string // parts of the doubts, one each; D is the directory
	}{
		"root's": {},
		"everybody's file": {func(d string) error {
			return os.Chmod(d+"/a/f", 0o666)
		}, "", []string{"chmod go-w D/a/f"}},
		"a group's file": {func(d string) error {
			return os.Chmod(d+"/a/f", 0o660)
		}, "", []string{"chmod g-w D/a/f"}},
		"nobody's file": {func(d string) error {
			return os.Chown(d+"/a/f", nobody, 0)
		}, "", []string{"chown root D/a/f"}},
		"a directory above":  {func(d string) error { return os.Chmod(d+"/a", 0o777) }, "", []string{"chmod go-w D/a"}},
		"a sticky directory": {func(d string) error { return os.Chmod(d+"/a", 0o777|os.ModeSticky) }, "", nil},
		"nobody's sticky directory": {func(d string) error {
			return errors.Join(os.Chown(d+"/a", nobody, 0), os.Chmod(d+"/a", 0o777|os.ModeSticky))
		}, "", []string{"chown root D/a"}},
		"all at once": {func(d string) error {
			return errors.Join(os.Chmod(d+"/a", 0o775), os.Chown(d+"/a/f", nobody, 0), os.Chmod(d+"/a/f", 0o646))
		}, "", []string{"chmod g-w D/a", "chown root D/a/f", "chmod o-w D/a/f"}},
		"through a link": {func(d string) error {
			return errors.Join(os.Mkdir(d+"/b", 0o755), os.Chmod(d+"/b", 0o777), os.WriteFile(d+"/b/g", nil, 0o644),
				os.Symlink("../b/g", d+"/a/l"))
		}, "/a/l", []string{"chmod go-w D/b"}},
		"through a link and out again": {func(d string) error {
			return errors.Join(os.MkdirAll(d+"/b/c", 0o755), os.Chmod(d+"/b", 0o777), os.Symlink(d+"/b/c", d+"/a/l"),
				os.WriteFile(d+"/b/g", nil, 0o644))
		}, "/a/l/../g", []string{"chmod go-w D/b"}},
		"nobody's link": {func(d string) error {
			return errors.Join(os.Symlink("f", d+"/a/l"), os.Lchown(d+"/a/l", nobody, nobody))
		}, "/a/l", []string{"chown -h root D/a/l"}},
		"links in a circle": {func(d string) error {
			return errors.Join(os.Symlink("m", d+"/a/l"), os.Symlink("l", d+"/a/m"))
		}, "/a/l", []string{"too many symbolic links"}},
		"a name for a shell": {func(d string) error {
			return errors.Join(os.WriteFile(d+"/a/$(x) y", nil, 0o644), os.Chmod(d+"/a/$(x) y", 0o666))
		}, "/a/$(x) y", []string{"chmod go-w 'D/a/$(x) y'"}},
		"not there": {func(d string) error { return nil }, "/a/none", nil},
	} {
		t.Run(name, func(t *testing.T) {
			d := t.TempDir()
			err := errors.Join(os.Chmod(d, 0o755), os.Mkdir(d+"/a", 0o755), os.WriteFile(d+"/a/f", nil, 0o644))
			if err == nil && tt.make != nil {
				err = tt.make(d)
			}
			if err != nil {
				t.Fatal(err)
			}
			path := "/a/f"
			if tt.path != "" {
				path = tt.path
			}
			got := Doubts(d + path)
			if len(got) != len(tt.want) {
				t.Fatalf("%v, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				if want = strings.ReplaceAll(want, "D/", d+"/"); !strings.Contains(got[i].Error(), want) {
					t.Errorf("%s, want %q in it", got[i].Error(), want)
				}
			}
		})
	}
}

// TestHostileDeletedFile: a file that only a descriptor has is judged, too: sudo hands a user's standard input on.
func TestHostileDeletedFile(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("files of others can be made by root alone")
	}
	for name, tt := range map[string]struct {
		mode os.FileMode
		uid  int
		want string
	}{"root's": {0o600, 0, ""}, "everybody's": {0o666, 0, "can be written by everybody"},
		"nobody's": {0o600, 65534, "uid 65534"}} {
		f, err := os.Create(t.TempDir() + "/f")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		path := fmt.Sprintf("/dev/fd/%d", f.Fd())
		if err := errors.Join(f.Chmod(tt.mode), f.Chown(tt.uid, 0), os.Remove(f.Name())); err != nil {
			t.Fatal(err)
		}
		if got := Trusted(path); (got != nil) != (tt.want != "") || got != nil &&
			!strings.Contains(got.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, got, tt.want)
		}
	}
}
