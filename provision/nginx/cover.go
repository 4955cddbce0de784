package nginx

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// cover hides a directory behind a private one that looks the same, but for some files.
type cover struct {
	dir    string
	absent []string          // names that are not to be there
	files  map[string][]byte // names with other content
	wanted bool              // the directory has to exist
}

// plan says which directories to cover, parents first.
func plan(root string, overlay map[string][]byte, touched []string) []*cover {
	covers := map[string]*cover{}
	at := func(name string) *cover {
		dir := realPath(root + path.Dir(name))
		if covers[dir] == nil {
			covers[dir] = &cover{dir: dir, files: map[string][]byte{}}
		}
		return covers[dir]
	}
	for _, name := range touched {
		if info, err := os.Stat(root + name); err == nil && info.IsDir() {
			at(name + "/.") // nginx may change the owner of a directory that it finds
			continue
		}
		c := at(name)
		c.absent = append(c.absent, path.Base(name))
	}
	for name, content := range overlay {
		c := at(name)
		c.wanted = true
		c.absent = append(c.absent, path.Base(name))
		if content != nil {
			c.files[path.Base(name)] = content
		}
	}
	return sorted(covers)
}

func sorted(covers map[string]*cover) []*cover {
	all := make([]*cover, 0, len(covers))
	for _, c := range covers {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *cover) int { return strings.Compare(a.dir, b.dir) })
	return all
}

func realPath(name string) string {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		return real
	}
	return path.Clean(name)
}

// original is the name, in a covering directory, under which the covered one stays visible; globs skip the dot.
const original = ".wsprovision-original"

// marker names our mounts in mountinfo.
const marker = "wsprovision"

// apply works on the calling thread, which must have a mount namespace of its own. The private directory is built
// somewhere else and moved over the real one once it is whole. Every entry becomes a link to the real one, which costs
// the same for a rotated log of gigabytes, a socket and a directory, and keeps the SELinux label; links stay as they
// are.
func (c *cover) apply() error {
	var st unix.Stat_t
	err := unix.Stat(c.dir, &st)
	switch {
	case errors.Is(err, unix.ENOENT) && !c.wanted:
		return nil // nginx itself will say that its directory is missing
	case err != nil:
		return fmt.Errorf("cover %s: %w", c.dir, err)
	}
	stage, err := stageFor(c.dir)
	if err != nil {
		return fmt.Errorf("cover %s: %w", c.dir, err)
	}
	behind := path.Join(stage, original)
	// In this order, none after one that failed: without its mount a step would change the host.
	for _, step := range []func() error{
		func() error { return unix.Mount(marker, stage, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700") },
		func() error { relabel(stage, labelOf(c.dir)); return nil },
		func() error { return unix.Mkdir(behind, 0o700) },
		func() error { return unix.Mount(c.dir, behind, "", unix.MS_BIND|unix.MS_REC, "") },
		func() error { return c.fill(stage) },
		func() error { return unix.Chown(stage, int(st.Uid), int(st.Gid)) },
		func() error { return unix.Chmod(stage, st.Mode&0o7777) },
		func() error { return unix.Mount(stage, c.dir, "", unix.MS_MOVE, "") },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("cover %s: %w", c.dir, err)
		}
	}
	return nil
}

// selinuxLabel is the extended attribute that holds a file's SELinux context (selinux(8)).
const selinuxLabel = "security.selinux"

// labelOf is nil where there is no label.
func labelOf(dir string) []byte {
	label := make([]byte, 4096)
	n, err := unix.Lgetxattr(dir, selinuxLabel, label)
	if err != nil {
		return nil
	}
	return label[:n]
}

// relabel gives a cover the label of what it hides: nginx -t that a service starts runs as httpd_t, which may write its
// pid file and its logs into directories of their own types only. What is made in the cover inherits its label. Where
// none can be set, whoever is unconfined gets through all the same.
func relabel(dir string, label []byte) {
	if label != nil {
		_ = unix.Lsetxattr(dir, selinuxLabel, label, 0)
	}
}

// stageFor names a directory that neither holds dir nor lies in it.
func stageFor(dir string) (string, error) {
	for _, stage := range []string{"/tmp", "/mnt", "/usr", "/etc"} {
		info, err := os.Lstat(stage)
		if err == nil && info.IsDir() && dir != "/" && !strings.HasPrefix(dir+"/", stage+"/") {
			return stage, nil
		}
	}
	return "", errors.New("no directory to build the cover in (is it the root directory?)")
}

// mostEntries a covered directory may have: each costs memory, and the nginx user fills the ones of its logs as it
// likes.
const mostEntries = 100_000

func (c *cover) entries() ([]os.DirEntry, error) {
	dir, err := os.OpenFile(c.dir, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	all, err := dir.ReadDir(mostEntries + 1)
	switch {
	case errors.Is(err, io.EOF): // it is empty
		err = nil
	case len(all) > mostEntries:
		err = fmt.Errorf("more than %d files are in it: remove what does not belong there", mostEntries)
	}
	return all, err
}

func (c *cover) fill(stage string) error {
	entries, err := c.entries()
	if err != nil {
		return err
	}
	absent := map[string]bool{}
	for _, name := range c.absent {
		absent[name] = true
	}
	for _, e := range entries {
		if absent[e.Name()] {
			continue
		}
		target := original + "/" + e.Name()
		if e.Type()&fs.ModeSymlink != 0 {
			if target, err = os.Readlink(path.Join(c.dir, e.Name())); err != nil {
				return err
			}
		}
		if err := os.Symlink(target, path.Join(stage, e.Name())); err != nil {
			return err
		}
	}
	for name, content := range c.files {
		if err := os.WriteFile(path.Join(stage, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
