package rpm

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/yumconf"

	"golang.org/x/sys/unix"
)

// inMessage are the paths that yum or dnf names in an error about space.
var inMessage = []func() *regexp.Regexp{
	lazy.Regexp(`download directory (/\S+)`),
	lazy.Regexp(`unpacking of archive failed on file (/[^;\s]+)`),
	lazy.Regexp(`on the (/\S*) filesystem`),
	lazy.Regexp(`SQLite error on "(/[^"]+)"`),
	lazy.Regexp(`Read-only file system: '(/[^']+)'`),
}

// fullFileSystem names the file system that has no room, how much is free there, and what to do: the one of the path
// that yum names, else those of yum's directories that have next to nothing, else the cache's.
func (k disk) fullFileSystem(text string) string {
	for _, re := range inMessage {
		if m := re().FindStringSubmatch(text); m != nil {
			return k.room(m[1]).advice()
		}
	}
	var all, mounts []string
	for _, dir := range k.writes() {
		if r := k.room(dir); r.none() && !slices.Contains(mounts, r.mount) {
			all, mounts = append(all, r.advice()), append(mounts, r.mount)
		}
	}
	if len(all) == 0 {
		all = []string{k.room(k.cacheDir()).advice()}
	}
	return strings.Join(all, "; ")
}

// writes are the directories that yum and rpm write in: yum.conf's cachedir and persistdir (yum.conf(5)), dnf's, and
// rpm's database.
func (k disk) writes() []string {
	main, _, _ := k.Yum.Definitions()
	persist := main.Keys["persistdir"]
	if !filepath.IsAbs(persist) {
		persist = "/var/lib/yum"
	}
	return []string{k.cacheDir(), persist, "/var/lib/dnf", "/var/lib/rpm", "/var/tmp"}
}

// cacheDir is yum.conf's cachedir up to the first variable that only yum knows ($releasever).
func (k disk) cacheDir() string {
	main, _, _ := k.Yum.Definitions()
	dir, _, _ := strings.Cut(main.Keys["cachedir"], "$")
	if !filepath.IsAbs(dir) {
		return "/var/cache/yum" // yum/config.py
	}
	return filepath.Clean(dir)
}

// room is what is free for a directory.
type room struct {
	path, mount string
	free        uint64 // bytes that root may write
	inodes      uint64 // that are free; a file system without inodes counts as one that has some
	readOnly    bool
	known       bool
}

// almostNothing is less than any download of yum's.
const almostNothing = 1 << 20

func (r room) none() bool { return r.known && (r.free < almostNothing || r.inodes == 0 || r.readOnly) }

func (r room) advice() string {
	switch {
	case !r.known:
		return "free space on the file system of " + r.path
	case r.readOnly:
		return fmt.Sprintf("the file system %s, on which %s is, is mounted read-only: mount it read-write (findmnt "+
			"-T %s shows it)", r.mount, r.path, r.path)
	case r.inodes == 0:
		return fmt.Sprintf("the file system %s, on which %s is, has no inode left: remove files there (df -i %s)",
			r.mount, r.path, r.path)
	}
	return fmt.Sprintf("free space on the file system %s, on which %s is: it has %s free (df %s)", r.mount, r.path,
		size(r.free), r.path)
}

// size is a number of bytes for a person.
func size(n uint64) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%d kB", n>>10)
	case n < 10<<30:
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d GB", n>>30)
}

// room asks the file system of the directory, or of the nearest one above it that is there.
func (k disk) room(path string) room {
	r := room{path: path}
	there := path
	for there != "/" && !k.exists(there) {
		there = filepath.Dir(there)
	}
	var fs unix.Statfs_t
	if k.statfs(filepath.Join(k.Root, there), &fs) != nil {
		return r
	}
	r.known, r.mount = true, k.mountPoint(there)
	r.free = fs.Bavail * uint64(max(fs.Bsize, 1)) // what yum and rpm go by; root's reserve is not counted
	if r.inodes = fs.Ffree; fs.Files == 0 {
		r.inodes = 1 // btrfs, vfat: no limit
	}
	r.readOnly = fs.Flags&unix.ST_RDONLY != 0
	return r
}

func (k disk) exists(path string) bool {
	_, err := os.Stat(filepath.Join(k.Root, path))
	return err == nil
}

func (k disk) statfs(path string, to *unix.Statfs_t) error {
	if k.freeSpace != nil {
		return k.freeSpace(path, to)
	}
	return unix.Statfs(path, to)
}

// mountPoint is the highest directory above path that is on the same device.
func (k disk) mountPoint(path string) string {
	device, ok := k.device(path)
	for ok && path != "/" {
		above, known := k.device(filepath.Dir(path))
		if !known || above != device {
			break
		}
		path = filepath.Dir(path)
	}
	return path
}

func (k disk) device(path string) (uint64, bool) {
	info, err := os.Stat(filepath.Join(k.Root, path))
	if err != nil {
		return 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return st.Dev, true
}

type disk struct {
	Root      string
	Yum       yumconf.Conf
	freeSpace func(path string, to *unix.Statfs_t) error
}
