package nginx

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNeedsRoot: a mount namespace takes CAP_SYS_ADMIN, which a container's root may lack too.
var ErrNeedsRoot = errors.New("a private mount namespace needs root with CAP_SYS_ADMIN")

// Isolated does the work on a thread with a mount namespace and a working directory of its own, which programs that it
// starts from its own goroutine share. The thread ends with the work, and the namespace and all that was mounted in it
// with the thread and its children. Test stands on it; nothing in it is nginx's.
func Isolated(work func() error) error {
	done := make(chan error, 1)
	onOwnThread(func() {
		err := errors.New("ended early") // by runtime.Goexit
		defer func() { done <- err }()
		if failed := private(); failed != nil {
			err = failed
			return
		}
		err = work()
	})
	return <-done
}

// onOwnThread never unlocks the thread, so the runtime ends it. The main thread cannot be ended, and /proc/self shows
// its namespace: it is held back until another thread has been found.
func onOwnThread(work func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			work()
			return
		}
		found := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(found)
			work()
		}()
		<-found
		runtime.UnlockOSThread()
	}()
}

func private() error {
	err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS)
	switch {
	case errors.Is(err, unix.EPERM):
		return ErrNeedsRoot
	case err != nil:
		return fmt.Errorf("unshare the mount namespace: %w", err)
	}
	return withoutPropagation()
}

// withoutPropagation keeps our mounts from the host. Only a mount's own root can be told so, and the root of a bare
// chroot (an image being built) is no mount: this thread, whose root is its own, goes to the namespace's root and back.
func withoutPropagation() error {
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, "")
	if errors.Is(err, unix.EINVAL) {
		err = atNamespaceRoot(func() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, "") })
	}
	if err != nil {
		return fmt.Errorf("keep mounts from the host: %w", err)
	}
	return unix.Chdir("/")
}

// atNamespaceRoot leaves the chroot upwards: above a root that is not the thread's own, .. goes on to the very top.
func atNamespaceRoot(work func() error) error {
	home, err := unix.Open("/", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(home)
	below, err := anyDirectory()
	if err != nil {
		return err
	}
	if err := errors.Join(unix.Chroot(below), unix.Fchdir(home)); err != nil {
		return err
	}
	for range 64 { // more than deep enough; at the top .. stays there
		err = errors.Join(err, unix.Chdir(".."))
	}
	if err = errors.Join(err, unix.Chroot(".")); err == nil {
		err = work()
	}
	return errors.Join(err, unix.Fchdir(home), unix.Chroot("."))
}

func anyDirectory() (string, error) {
	entries, err := os.ReadDir("/")
	for _, e := range entries {
		if e.IsDir() {
			return path.Join("/", e.Name()), nil
		}
	}
	return "", errors.Join(err, errors.New("no directory in /"))
}

// local are the file systems on which nginx could leave something and whose mount points can be looked up without
// waiting for a server or an automounter.
var local = []string{"ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "overlay"}

// makeReadOnly is the second line of defence: what a module that we do not know writes elsewhere fails, instead of
// staying behind. Without /proc (a bare chroot) there is no list of mounts, and the covers have to do.
func makeReadOnly(proc string) error {
	// Not /proc/self, which is the main thread; /proc/thread-self is not in Linux 3.10.
	f, err := os.Open(fmt.Sprintf("%s/self/task/%d/mountinfo", proc, unix.Gettid()))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the list of mounts: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		m, err := parseMount(lines.Text())
		if err != nil {
			return err
		}
		if !slices.Contains(local, m.kind) {
			continue
		}
		// ENOENT and EINVAL: hidden below a later mount, so out of nginx's reach as well.
		err = unix.Mount("", m.point, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, "")
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("make %s read-only: %w", m.point, err)
		}
	}
	return lines.Err()
}

type mount struct{ point, kind string }

// parseMount reads a line of proc(5)'s mountinfo: the mount point is the 5th field, the type follows a lone "-".
func parseMount(line string) (mount, error) {
	fields := strings.Fields(line)
	dash := slices.Index(fields, "-")
	if dash < 6 || len(fields) < dash+3 {
		return mount{}, fmt.Errorf("mountinfo: %q is not understood", line)
	}
	return mount{point: unoctal(fields[4]), kind: fields[dash+1]}, nil
}

// unoctal reads the \040 that the kernel writes for a space.
func unoctal(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
