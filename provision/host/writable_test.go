package host

import (
	"strings"
	"syscall"
	"testing"

	"wsprovision/provision/hosttest"

	"golang.org/x/sys/unix"
)

// What keeps root from writing is known before anything is changed, and the
// write itself says the same.
func TestWritable(t *testing.T) {
	for _, tt := range []struct {
		name   string
		mount  string // options of a tmpfs over the directory
		change func(t *testing.T, f *Files)
		says   []string // nothing where the file can be written
	}{
		{name: "as it should be", mount: "size=64k"},
		{name: "no space", mount: "size=4k", says: []string{"no space left on device", "/d is full", "free space"}},
		{name: "no inodes", mount: "nr_inodes=2",
			says: []string{"no space left on device", "no inode left", "remove files"}},
		{name: "read-only", mount: "size=64k", says: []string{"read-only file system", "read-write", "findmnt -T /d"},
			change: func(t *testing.T, f *Files) {
				if err := unix.Mount("", f.Root+"/d", "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
					t.Fatal(err)
				}
			}},
		{name: "immutable directory", says: []string{"/d is immutable", "chattr -i"},
			change: func(t *testing.T, f *Files) {
				hosttest.Chattr(t, f.Root+"/d")
			}},
		{name: "immutable file", says: []string{"/d/x is immutable", "chattr -i"},
			change: func(t *testing.T, f *Files) {
				hosttest.Chattr(t, f.Root+"/d/x")
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFiles(t)
			if tt.mount != "" {
				hosttest.Tmpfs(t, f.Root+"/d", tt.mount)
			}
			// One file: of 4 kB, or of two inodes (the directory has the other), it takes all.
			if err := f.stage("/d/x", "/d/x", File{Content: []byte("old"), Mode: 0o644}); err != nil {
				t.Fatal(err)
			}
			if tt.change != nil {
				tt.change(t, f)
			}
			for what, err := range map[string]error{"beforehand": f.Writable("/d/x"),
				"write": f.Write("/d/x", []byte("new"), 0o644)} {
				if (err == nil) != (len(tt.says) == 0) {
					t.Errorf("%s: %v", what, err)
				}
				for _, want := range tt.says {
					if err != nil && !strings.Contains(err.Error(), want) {
						t.Errorf("%s: %v, want %q", what, err, want)
					}
				}
			}
		})
	}
}

func TestWritableNothingThere(t *testing.T) {
	if err := newFiles(t).Writable("/missing/x"); err != nil {
		t.Errorf("in a directory that a package is still to bring: %v", err)
	}
}

// Of an immutable file access(2) says EACCES on old kernels, as of much else.
func TestHoldsFast(t *testing.T) {
	f := newFiles(t)
	for _, name := range []string{"/d/free", "/d/held"} {
		if err := f.stage(name, name, File{Content: []byte("old"), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
	}
	hosttest.Chattr(t, f.Root+"/d/held")
	for _, tt := range []struct {
		name  string
		err   error
		want  bool
		words string
	}{
		{"/d/held", syscall.EACCES, true, "chattr -i"},
		{"/d/held", syscall.EPERM, true, "chattr -i"},
		{"/d/free", syscall.EACCES, false, ""},
		{"/d/free", syscall.EROFS, true, "read-write"},
		{"/d/free", nil, false, ""},
	} {
		if got := holdsFast(f.Root+tt.name, tt.err); got != tt.want {
			t.Errorf("%s, %v: %v, want %v", tt.name, tt.err, got, tt.want)
		}
		if err := withRemedy(f.Root, tt.name, tt.err); tt.want && !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s, %v: %v, want %q", tt.name, tt.err, err, tt.words)
		}
	}
}
