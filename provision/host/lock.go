package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// LockPath is under /run, where a lock cannot outlive the boot. In an
// installer's chroot /run is the installer's, which serves as well.
const LockPath = "/run/wsprovision.lock"

// ErrLocked says that another run holds the lock.
var ErrLocked = errors.New("another run holds the lock")

// Lock takes the lock that keeps two runs apart, waiting at most wait for it.
// It is an flock(2): the kernel gives it up with the process, however that
// ends. Until it is released, every change of the host looks first whether the
// lock is still there. The returned function releases it.
func (h *Host) Lock(ctx context.Context, wait time.Duration) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(h.Root+LockPath), 0o755); err != nil {
		return nil, fmt.Errorf("lock %s: %w", LockPath, err)
	}
	l := &lock{root: h.Root}
	deadline := time.Now().Add(wait)
	for {
		if err = l.take(); err == nil {
			return h.guarded(l), nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
			l.release()
			return nil, fmt.Errorf("lock %s: %w", LockPath, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
	l.release()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		name, _, _ := h.Holder()
		return nil, fmt.Errorf("%w: %s (%s); wait for it with --wait DURATION", ErrLocked, name, LockPath)
	}
	return nil, err
}

// guarded has every change of the host look for the lock first.
func (h *Host) guarded(l *lock) (release func()) {
	if h.Seam == nil {
		return l.release
	}
	h.Seam.guard = l.keep
	return func() {
		h.Seam.guard = nil
		l.release()
	}
}

// lock is held on two things: on its file, and on the agent's own directory,
// which nobody removes to be rid of a lock. 1.0.0 knows the file alone.
type lock struct {
	root      string
	file, dir *os.File
	lost      error // another run has had it meanwhile
}

// take locks what is not locked yet, or was removed since and is another one by
// now. It waits for nobody: EWOULDBLOCK is another's lock.
func (l *lock) take() error {
	if err := l.takeOne(&l.file, LockPath, openLockFile); err != nil {
		return fmt.Errorf("lock %s: %w", LockPath, err)
	}
	err := l.takeOne(&l.dir, StateDir, openLockDir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EBADF) {
		return nil // not there yet, or on a file system that locks no directory
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", StateDir, err)
	}
	return nil
}

func (l *lock) takeOne(held **os.File, path string, open func(string) (*os.File, error)) error {
	if *held != nil && isAt(*held, l.root+path) {
		return nil
	}
	file, err := open(l.root + path)
	if err != nil {
		return err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil && !isAt(file, l.root+path) { // removed between the opening and the locking
		err = syscall.EWOULDBLOCK
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if *held != nil {
		(*held).Close()
	}
	*held = file
	return nil
}

// keep is asked before every change. A lock that was removed is taken again;
// where another run has it by now, this one changes nothing more.
func (l *lock) keep() error {
	if l.lost != nil {
		return l.lost
	}
	err := l.take()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		l.lost = fmt.Errorf("%w: the lock of this run was removed meanwhile (%s), and nothing more is changed: let "+
			"the other run end, then run again", ErrLocked, LockPath)
		return l.lost
	}
	return err
}

func (l *lock) release() {
	for _, file := range []*os.File{l.file, l.dir} {
		if file != nil {
			file.Close()
		}
	}
	l.file, l.dir = nil, nil
}

// isAt reports whether what was opened is what is at the path now.
func isAt(file *os.File, path string) bool {
	mine, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(mine, there)
}

func openLockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%w: remove it", ErrNotRegular), err, file.Close())
	}
	return file, nil
}

// openLockDir leaves a directory alone that others may open: they could lock it.
func openLockDir(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, syscall.ENOTDIR): // O_DIRECTORY comes before O_NOFOLLOW
		return nil, errors.New("it is a symbolic link or a file: put the directory here that the agent keeps its " +
			"state in, under this name")
	case err != nil:
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	dir := os.NewFile(uintptr(fd), path)
	if info, err := dir.Stat(); err != nil || info.Mode().Perm()&0o077 != 0 {
		return nil, errors.Join(errors.ErrUnsupported, err, dir.Close())
	}
	return dir, nil
}

// Holder names who holds the lock, for a person. Without an answer of the kernel there is an error, and nobody holds
// it.
func (h *Host) Holder() (name string, held bool, err error) {
	pid, held, err := LockHolder(h)
	if pid == 0 {
		return "an unknown process", held, err
	}
	return fmt.Sprintf("process %d", pid), held, err
}

// LockHolder looks for the lock in /proc/locks (proc(5)): to try the lock
// would make a run that begins just then believe in another one.
func LockHolder(h *Host) (pid int, held bool, err error) {
	text, err := os.ReadFile(h.Root + "/proc/locks")
	if err != nil {
		return 0, false, fmt.Errorf("who holds %s: %w", LockPath, err)
	}
	for _, path := range []string{LockPath, StateDir} {
		var st syscall.Stat_t
		if err := syscall.Stat(h.Root+path, &st); err != nil {
			continue
		}
		inode := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
		if pid, held = FlockHolder(string(text), inode); held {
			return pid, held, nil
		}
	}
	return 0, false, nil
}

// FlockHolder finds the holder of an inode's flock(2), 0 for one in another pid
// namespace; lines with -> only wait.
func FlockHolder(locks, inode string) (pid int, held bool) {
	for line := range strings.Lines(locks) {
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "FLOCK" || f[5] != inode {
			continue
		}
		pid, _ = strconv.Atoi(f[4])
		return max(pid, 0), true
	}
	return 0, false
}

// StateDir holds what must outlive a boot; only root may look inside.
const StateDir = "/var/lib/wsprovision"
