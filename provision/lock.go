package provision

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockPath is under /run, where a lock cannot outlive the boot. In an
// installer's chroot /run is the installer's, which serves as well.
const lockPath = "/run/wsprovision.lock"

// ErrLocked says that another run holds the lock.
var ErrLocked = errors.New("another run holds the lock")

// Lock takes the lock that keeps two runs apart, waiting at most wait for it.
// It is an flock(2): the kernel gives it up with the process, however that
// ends. The returned function releases it.
func (h *Host) Lock(ctx context.Context, wait time.Duration) (release func(), err error) {
	path := h.Root + lockPath
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("lock %s: %w", lockPath, err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", lockPath, err)
	}
	deadline := time.Now().Add(wait)
	for {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) {
			break
		}
		select {
		case <-ctx.Done():
			file.Close()
			return nil, fmt.Errorf("lock %s: %w", lockPath, context.Cause(ctx))
		case <-time.After(100 * time.Millisecond):
		}
	}
	defer file.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		name, _ := h.holder()
		return nil, fmt.Errorf("%w: %s (%s); wait for it with --wait DURATION", ErrLocked, name, lockPath)
	}
	return nil, fmt.Errorf("lock %s: %w", lockPath, err)
}

// holder names who holds the lock, for a person.
func (h *Host) holder() (name string, held bool) {
	pid, held := h.lockHolder()
	if pid == 0 {
		return "an unknown process", held
	}
	return fmt.Sprintf("process %d", pid), held
}
