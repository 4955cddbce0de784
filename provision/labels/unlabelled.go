package labels

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"wsprovision/provision/host"
	"wsprovision/selinux"
	"wsprovision/systemd"
)

// manyUnlabelled files without a label are no leavings of a transaction: whoever
// installed this tree labelled nothing, and its own relabel is the quicker.
const manyUnlabelled = 2000

// unlabelled are the files of this tree that have no label and that the policy
// has one for, or many. Under a kernel with SELinux there are none to look for.
// Once they are being labelled, no others are looked for: every look is a walk.
func (l *Labels) unlabelled(store string) (wrong []mislabelled, many bool, err error) {
	if !host.LabelsNothing(l.Host) {
		return nil, false, nil
	}
	if !l.labelling {
		if l.bare, err = l.walkUnlabelled(store); err != nil {
			return nil, false, err
		}
	}
	if len(l.bare) > manyUnlabelled {
		return nil, true, nil
	}
	wrong, err = l.comparePaths(l.bare)
	return wrong, false, err
}

func (l *Labels) walkUnlabelled(store string) (bare []selinux.Path, err error) {
	foreign, err := l.foreignMounts()
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(l.Root+"/", func(name string, d fs.DirEntry, err error) error {
		path := "/" + strings.TrimPrefix(strings.TrimPrefix(name, l.Root), "/")
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission):
			return nil
		case err != nil:
			return err
		case d.IsDir() && (path == store || foreign(path, d)): // the store is compared as a whole
			return fs.SkipDir
		case len(bare) > manyUnlabelled:
			return fs.SkipAll
		}
		have, err := l.SELinux.Contexts().FileLabel(path)
		if err == nil && have == "" && path != host.RelabelPath {
			bare = append(bare, selinux.Path{Name: path, Mode: d.Type()})
		}
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) { // only a plan has no permission
			return nil
		}
		return err
	})
	return bare, err
}

// foreignMounts tells which directories are none of the tree's: everything
// mounted in an image's, and in an installer's chroot, where the tree may have
// several file systems, whatever keeps no labels or is bound from elsewhere.
func (l *Labels) foreignMounts() (func(path string, d fs.DirEntry) bool, error) {
	mounts, err := systemd.Mounts(l.Root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	foreign := map[string]bool{}
	for _, m := range mounts {
		ours := l.Where.Place == systemd.Installer && keepsLabels(m)
		foreign[m.Point] = m.Point != "/" && !ours
	}
	if len(mounts) > 0 {
		return func(path string, _ fs.DirEntry) bool { return foreign[path] }, nil
	}
	return otherDevice(l.Root)
}

// keepsLabels goes by the file systems that fixfiles(8) labels.
func keepsLabels(m systemd.Mount) bool {
	switch m.Type {
	case "ext2", "ext3", "ext4", "xfs", "jfs", "gfs2":
		return m.Root == "/"
	}
	return m.Type == "btrfs" // a subvolume has another root, too
}

// otherDevice serves where /proc does not list the mounts.
func otherDevice(root string) (func(path string, d fs.DirEntry) bool, error) {
	top, err := device(os.Lstat(root + "/"))
	if err != nil {
		return nil, err
	}
	return func(_ string, d fs.DirEntry) bool {
		here, err := device(d.Info())
		return err == nil && here != top
	}, nil
}

func device(fi fs.FileInfo, err error) (uint64, error) {
	if err != nil {
		return 0, err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, nil
	}
	return st.Dev, nil
}
