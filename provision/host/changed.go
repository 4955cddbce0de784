package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lastChanged is when a file, or a link on the way to it, was changed last, by the time that nothing sets back (ctime,
// inode(7)): a file that was moved there may have an older mtime.
func lastChanged(path string) (time.Time, error) { return changedBehind(path, 40) }

func changedBehind(path string, links int) (time.Time, error) {
	if links == 0 {
		return time.Time{}, fmt.Errorf("%s: too many links", path)
	}
	parts := strings.Split(strings.TrimPrefix(filepath.Clean(path), "/"), "/")
	at := "/"
	for i, part := range parts {
		at = filepath.Join(at, part)
		fi, err := os.Lstat(at)
		if err != nil {
			return time.Time{}, err
		}
		if fi.Mode()&os.ModeSymlink == 0 {
			continue
		}
		target, err := os.Readlink(at)
		if err != nil {
			return time.Time{}, err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(at), target)
		}
		behind, err := changedBehind(filepath.Join(append([]string{target}, parts[i+1:]...)...), links-1)
		return later(ctime(fi), behind), err
	}
	fi, err := os.Lstat(at)
	if err != nil {
		return time.Time{}, err
	}
	return ctime(fi), nil
}

func ctime(fi os.FileInfo) time.Time {
	s, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return fi.ModTime()
	}
	return time.Unix(s.Ctim.Unix())
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// bootTime is when the kernel began to count the ticks in which proc(5) tells a process's start, by the clock as it
// goes now.
func bootTime() (time.Time, error) {
	var since unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &since); err != nil {
		return time.Time{}, fmt.Errorf("time of boot: %w", err)
	}
	return time.Now().Add(-time.Duration(since.Nano())), nil
}
