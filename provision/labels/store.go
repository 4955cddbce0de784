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

// KeepStore has commit write the policy's store. What that leaves with another label than the policy's gets the right
// one afterwards: RHEL 7's policy has semanage's new files labelled semanage_store_t for an administrator
// (unconfined_t), and for a unit (unconfined_service_t) not, which leaves them selinux_config_t (selinux-policy 3.13.1,
// selinuxutil.te).
func (l *Labels) KeepStore(status selinux.Status, commit func() error) error {
	before, err := l.storeStamps(status)
	if err != nil {
		return err
	}
	if err := commit(); err != nil {
		return err
	}
	wrong, err := l.leftMislabelled(status, before)
	if err != nil || len(wrong) == 0 {
		return err
	}
	return l.Seam.Do(fmt.Sprintf("label %d files of the policy store", len(wrong)), func() error {
		return l.labelStore(wrong)
	})
}

func (l *Labels) labelStore(wrong []mislabelled) error {
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

// storeStamps are the files that semanage may replace, as they are now.
func (l *Labels) storeStamps(status selinux.Status) (map[string]stamp, error) {
	paths, err := l.policyPaths(status)
	stamps := map[string]stamp{}
	for _, path := range paths {
		if s, ok := stampOf(l.Root + path); ok {
			stamps[path] = s
		}
	}
	return stamps, err
}

func stampOf(name string) (stamp, bool) {
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

// leftMislabelled are the mislabelled files that a transaction has written. One that is as it was before is somebody
// else's affair. A file without a label is none of semanage's under a kernel that gives one to each.
func (l *Labels) leftMislabelled(status selinux.Status, before map[string]stamp) ([]mislabelled, error) {
	wrong, err := l.storeLabels(status)
	return slices.DeleteFunc(wrong, func(m mislabelled) bool {
		now, ok := stampOf(l.Root + m.path)
		return !ok || m.have == "" || now == before[m.path]
	}), err
}
