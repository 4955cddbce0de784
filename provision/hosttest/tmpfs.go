package hosttest

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Tmpfs mounts a file system of its own over a directory of the test, in a mount namespace that ends with the test's
// goroutine: the machine never has the mount. The directory lies below the temporary one; any other is refused.
func Tmpfs(t *testing.T, dir, options string) {
	t.Helper()
	if !strings.HasPrefix(dir, os.TempDir()+"/") {
		t.Fatalf("mount over %s: a test mounts over nothing but what lies below %s", dir, os.TempDir())
	}
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, and the namespace with it
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		Unable(t, "a mount namespace of its own: %v", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatalf("keep mounts from the machine: %v", err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755,"+options); err != nil {
		Unable(t, "mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
}
