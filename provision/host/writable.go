package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Writable finds beforehand what would keep root from replacing or removing
// the file at path: a file system that is read-only or full, chattr(1), and a
// directory that is not to be trusted. What it does not find, the write does.
func (f *Files) Writable(path string) error {
	dir := filepath.Dir(path)
	if err := f.trustDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write %s: %w", path, err)
	}
	for _, name := range []string{dir, path} {
		err := unix.Access(f.Root+name, unix.W_OK)
		if holdsFast(f.Root+name, err) {
			return fmt.Errorf("write %s: %w", path, withRemedy(f.Root, path, err))
		}
	}
	var st unix.Statfs_t
	if err := unix.Statfs(f.Root+dir, &st); err != nil {
		return nil
	}
	// Some file systems count neither blocks nor inodes: 0 of 0 is not full.
	// ext4 calls free what it holds back for itself, so that only the write
	// finds it full.
	if st.Blocks > 0 && st.Bfree == 0 || st.Files > 0 && st.Ffree == 0 {
		return fmt.Errorf("write %s: %w", path, withRemedy(f.Root, path, syscall.ENOSPC))
	}
	return nil
}

// holdsFast reports whether access(2) failed of what keeps root from writing
// too. For an immutable file it is EACCES on RHEL 7's 3.10 and EPERM on later
// kernels; EACCES alone may be any module's or file system's.
func holdsFast(name string, err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) &&
		Immutable(name)
}

// withRemedy says what to do where the file system, and not the agent, is why
// path cannot be written.
func withRemedy(root, path string, err error) error {
	dir := filepath.Dir(path)
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return full(root, dir, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: mount the file system of %s read-write (findmnt -T %s shows it), then run again", err,
			dir, dir)
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		for _, name := range []string{path, dir} {
			if Immutable(root + name) {
				return fmt.Errorf("%s is immutable (see lsattr); chattr -i -a it if the agent may write it: %w", name,
					err)
			}
		}
	}
	return err
}

// full tells a file system without space from one without inodes: the kernel
// has one error for both.
func full(root, dir string, err error) error {
	var st unix.Statfs_t
	if unix.Statfs(root+dir, &st) == nil && st.Files > 0 && st.Ffree == 0 {
		return fmt.Errorf("%w: the file system of %s has no inode left (df -i %s): remove files there, then run again",
			err, dir, dir)
	}
	return fmt.Errorf("%w: the file system of %s is full (df %s): free space there, then run again", err, dir, dir)
}

// Immutable reports whether chattr(1) keeps even root from a file.
func Immutable(name string) bool {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	const immutableFlag, appendFlag = 0x10, 0x20 // FS_IMMUTABLE_FL, FS_APPEND_FL: linux/fs.h
	flags, err := unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS)
	return err == nil && flags&(immutableFlag|appendFlag) != 0
}
