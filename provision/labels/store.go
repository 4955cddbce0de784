package labels

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"wsprovision/selinux"
)

func (l *Labels) LabelStore(wrong []mislabelled) error {
	for _, m := range wrong {
		if err := l.SELinux.Contexts().SetFileLabel(m.path, m.want); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("label what semanage wrote: %w: restorecon -Rv /etc/selinux does it by hand", err)
		}
	}
	return nil
}

// stamp is a file as it was: the change of its content or label, and its replacement, give another one.
type stamp struct {
	inode  uint64
	change syscall.Timespec
}

// StoreStamps are the files that semanage may replace, as they are now.
func (l *Labels) StoreStamps(status selinux.Status) (map[string]stamp, error) {
	paths, err := l.policyPaths(status)
	stamps := map[string]stamp{}
	for _, path := range paths {
		if s, ok := StampOf(l.Root + path); ok {
			stamps[path] = s
		}
	}
	return stamps, err
}

func StampOf(name string) (stamp, bool) {
	fi, err := os.Lstat(name)
	if err != nil {
		return stamp{}, false
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}, false
	}
	return stamp{st.Ino, st.Ctim}, true
}

// LeftMislabelled are the mislabelled files that a transaction has written. One that is as it was before is somebody
// else's affair. A file without a label is none of semanage's under a kernel that gives one to each.
func (l *Labels) LeftMislabelled(status selinux.Status, before map[string]stamp) ([]mislabelled, error) {
	wrong, err := l.storeLabels(status)
	return slices.DeleteFunc(wrong, func(m mislabelled) bool {
		now, ok := StampOf(l.Root + m.path)
		return !ok || m.have == "" || now == before[m.path]
	}), err
}
