package host

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"wsprovision/provision/known"
	"wsprovision/selinux"
)

// The limits on files, in bytes. A run writes no more than it can read again.
const (
	// MaxFile bounds a file for nginx or yum, and what is put away of one that was
	// there before: the survey holds it.
	MaxFile = 4 << 20
	// MaxTogether bounds what all the files hold together that one run changes.
	MaxTogether = 128 << 20
	// MaxRead bounds what is read. It is larger, because 1.0.0 held no limit where
	// it wrote, and because the note of an owed reload has all contents in it.
	MaxRead = 256 << 20
)

// Files reads, writes and removes files, so that at every instant either the old or
// the new content is at the path, with the label of its place. Root prefixes
// every path and is empty on a host.
type Files struct {
	Root  string
	Seam  *Seam
	Known *known.Facts // what was read already
	// Label gives the context that the policy has for a path, "" for none.
	Label func(path string, mode fs.FileMode) (string, error)
	// Labels is Label of many at once; nil where they are asked for one by one.
	Labels func(paths ...selinux.Path) ([]string, error)
	// SetLabel labels an existing file.
	SetLabel func(path, label string) error
	// FileLabel reads a file's context, "" where it has none.
	FileLabel func(path string) (string, error)
}

// File is what should be at a path, or what is there.
type File struct {
	// Content is nil where there is no file.
	Content []byte
	Mode    fs.FileMode // permission bits
	Owner
	Label string // "" where SELinux gives none or cannot tell
}

// Owner is whom a file belongs to. The zero one is root, whose are all files of
// ours; what was an administrator's goes back to whose it was.
type Owner struct {
	UID int `json:"uid,omitempty"`
	GID int `json:"gid,omitempty"`
}

func (o Owner) Words() string { return fmt.Sprintf("uid %d, gid %d", o.UID, o.GID) }

// ErrNotRegular says that something else than a plain file is where ours
// belongs; it is never followed or replaced.
var ErrNotRegular = errors.New("not a regular file")

// Read gives what is at path. A symbolic link or a directory is ErrNotRegular:
// the agent does not follow what it did not make.
func (f *Files) Read(path string) (File, error) {
	r := known.Once(f.Known, read(path), func() readFile {
		file, err := f.read(path)
		return readFile{file, err}
	})
	return r.file, r.err
}

// read is the key of a file that was read.
type read string

type readFile struct {
	file File
	err  error
}

func (f *Files) read(path string) (File, error) {
	name := f.Root + path
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return File{}, nil
	case errors.Is(err, syscall.ELOOP):
		return File{}, fmt.Errorf("read %s: %w: it is a symbolic link; remove it, or move the file that it names here",
			path, ErrNotRegular)
	case err != nil:
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	fi, err := file.Stat()
	if err != nil {
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	if !fi.Mode().IsRegular() {
		return File{}, fmt.Errorf("read %s: %w but a %s; remove it", path, ErrNotRegular, KindOf(fi.Mode()))
	}
	if fi.Size() > MaxRead {
		return File{}, fmt.Errorf("read %s: its %d bytes are more than any file of ours has (%d): move it away",
			path, fi.Size(), MaxRead)
	}
	return f.describe(path, file, fi)
}

func (f *Files) describe(path string, file *os.File, fi fs.FileInfo) (File, error) {
	content := make([]byte, fi.Size())
	if _, err := file.ReadAt(content, 0); err != nil && len(content) > 0 {
		return File{}, fmt.Errorf("read %s: %w", path, err)
	}
	got := File{Content: content, Mode: fi.Mode().Perm()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		got.Owner = Owner{UID: int(st.Uid), GID: int(st.Gid)}
	}
	if f.FileLabel != nil {
		label, err := f.FileLabel(path)
		if err != nil {
			return File{}, fmt.Errorf("read the label of %s: %w", path, err)
		}
		got.Label = label
	}
	return got, nil
}

func KindOf(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "directory"
	case m&fs.ModeSymlink != 0:
		return "symbolic link"
	default:
		return "special file"
	}
}

// Staging is the name under which a file waits beside its target. It is fixed,
// so that what a killed run left is found and replaced by the next; it begins
// with a dot and does not end in .conf, so that nginx's globs pass it by.
func Staging(path string) string {
	return filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+stagedSuffix)
}

// Write puts content of ours at path.
func (f *Files) Write(path string, content []byte, mode fs.FileMode) error {
	return f.Put(path, File{Content: content, Mode: mode})
}

// Put has the file at path: staged beside it, labelled as the policy has it
// for path, synced, renamed over it, and the directory synced.
func (f *Files) Put(path string, file File) error {
	if len(file.Content) > MaxRead {
		return fmt.Errorf("write %s: its %d bytes could not be read again, %d can", path, len(file.Content), MaxRead)
	}
	if err := f.trustDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	stage := Staging(path)
	err := f.Seam.Do("stage "+path, func() error { return withRemedy(f.Root, path, f.stage(path, stage, file)) })
	if err != nil {
		_ = f.drop(stage)
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = f.Seam.Do("install "+path, func() error {
		if err := os.Rename(f.Root+stage, f.Root+path); err != nil {
			return withRemedy(f.Root, path, err)
		}
		return f.SyncDir(filepath.Dir(path))
	})
	if err != nil {
		_ = f.drop(stage)
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// drop removes a staged file that came to nothing. A run that the seam has
// stopped is dead and drops nothing.
func (f *Files) drop(stage string) error {
	return f.Seam.Do("drop "+stage, func() error { return os.Remove(f.Root + stage) })
}

func (f *Files) stage(path, stage string, want File) error {
	if err := os.Remove(f.Root + stage); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL | unix.O_NOFOLLOW
	file, err := os.OpenFile(f.Root+stage, flags, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(want.Content); err != nil {
		return err
	}
	if want.Owner != (Owner{}) {
		if err := file.Chown(want.UID, want.GID); err != nil {
			return err
		}
	}
	// The umask of whoever called us must not decide who may read the file.
	if err := file.Chmod(want.Mode); err != nil {
		return err
	}
	if err := f.label(path, stage, want.Mode, want.Label); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}

// label gives the staged file a context of its own, or the one that its target's
// place has. Where the policy cannot tell, it keeps what its directory handed down.
func (f *Files) label(path, stage string, mode fs.FileMode, custom string) error {
	want, err := f.PolicyLabel(path, mode)
	if err != nil || want == "" {
		return err
	}
	want = cmp.Or(custom, want)
	if f.FileLabel != nil {
		if have, err := f.FileLabel(stage); err == nil && have == want {
			return nil
		}
	}
	return f.SetLabel(stage, want)
}

// SetKernel writes a value of the kernel's below /proc/sys, which is no file that could be put beside another.
func (f *Files) SetKernel(path, value string) error {
	err := f.Seam.Do("set "+path, func() error { return os.WriteFile(f.Root+path, []byte(value+"\n"), 0o644) })
	if err != nil {
		return fmt.Errorf("set %s to %s: %w", path, value, err)
	}
	return nil
}

// Remove takes the file at path away, durably. One that is not there is no
// error; anything but a plain file is left and named.
func (f *Files) Remove(path string) error {
	have, err := f.Read(path)
	if err != nil || have.Content == nil {
		return err
	}
	return f.Unlink(path)
}

// Unlink takes away the name, whatever it names but a directory: a link is not
// followed.
func (f *Files) Unlink(path string) error {
	err := f.Seam.Do("remove "+path, func() error {
		if err := os.Remove(f.Root + path); err != nil {
			return withRemedy(f.Root, path, err)
		}
		return f.SyncDir(filepath.Dir(path))
	})
	if err != nil {
		return fmt.Errorf("remove %s: %w", path, err)
	}
	return nil
}

// RemoveDir takes an empty directory of ours away.
func (f *Files) RemoveDir(path string) error {
	err := f.Seam.Do("remove directory "+path, func() error {
		if err := os.Remove(f.Root + path); err != nil {
			return err
		}
		return f.SyncDir(filepath.Dir(path))
	})
	if err != nil {
		return fmt.Errorf("remove directory %s: %w", path, err)
	}
	return nil
}

// MakeDir makes a directory of ours where it is missing.
func (f *Files) MakeDir(path string, mode fs.FileMode) error {
	fi, err := os.Lstat(f.Root + path)
	if err == nil && fi.IsDir() {
		return f.trustDir(path)
	}
	if err == nil {
		return fmt.Errorf("make directory %s: a %s is in its place; remove it", path, KindOf(fi.Mode()))
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("make directory %s: %w", path, err)
	}
	err = f.Seam.Do("make directory "+path, func() error {
		if err := os.MkdirAll(f.Root+path, mode); err != nil {
			return withRemedy(f.Root, path, err)
		}
		if err := os.Chmod(f.Root+path, mode); err != nil { // whatever the umask
			return err
		}
		if err := f.label(path, path, mode|fs.ModeDir, ""); err != nil {
			return err
		}
		return f.SyncDir(filepath.Dir(path))
	})
	if err != nil {
		return fmt.Errorf("make directory %s: %w", path, err)
	}
	return nil
}

// trustDir refuses a directory in which somebody else than root could swap our
// file for another, or that is a link to elsewhere.
func (f *Files) trustDir(dir string) error {
	fi, err := os.Lstat(f.Root + dir)
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return fmt.Errorf("%s is a %s, not a directory", dir, KindOf(fi.Mode()))
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if ok && int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to uid %d, who could replace what is written there; make it root's", dir, st.Uid)
	}
	if fi.Mode().Perm()&0o002 != 0 {
		return fmt.Errorf("%s can be written by everyone; take that away (chmod o-w %s)", dir, dir)
	}
	return nil
}

func (f *Files) SyncDir(dir string) error {
	d, err := os.Open(f.Root + dir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems cannot sync a directory and say EINVAL; the rename is
	// then as durable as they make it.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

// Same reports whether two contents are the same file or both absent.
func Same(a, b []byte) bool {
	return (a == nil) == (b == nil) && bytes.Equal(a, b)
}

const stagedSuffix = ".wsprovision-new"

// IsStaged reports whether a file's name is one under which Staging has a file wait.
func IsStaged(name string) bool { return name[0] == '.' && strings.HasSuffix(name, stagedSuffix) }
