package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"wsprovision/provision/nginx"
	"wsprovision/provision/plaintext"
	"wsprovision/selinux"
)

// relabelPath asks RHEL 7's own boot to label every file anew and to reboot
// (rhel-autorelabel.service). Its content is options for fixfiles(8).
const relabelPath = "/.autorelabel"

// offlineSELinux has SELinux's speakers get along with a kernel that is not
// this system's: one that has no SELinux, another policy or none.
func (h *Host) offlineSELinux() {
	set, get := h.Files.SetLabel, h.Files.FileLabel
	h.Files.SetLabel = func(path, label string) error {
		err := set(path, label)
		if !unlabelable(err) {
			return err
		}
		return scheduleRelabel(h)
	}
	h.Files.FileLabel = func(path string) (string, error) {
		label, err := get(path)
		// A kernel without a policy has one word for every file.
		if strings.Count(label, ":") < 3 || relabels(h) {
			return "", err
		}
		return label, err
	}
	h.SELinux.Change = withoutSELinuxfs(h.SELinux.Change)
}

// unlabelable reports whether the kernel or the file system here cannot give a
// label: EINVAL is a context that the running policy does not know.
func unlabelable(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EINVAL, syscall.ENOTSUP, syscall.EPERM, syscall.EACCES} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// relabels reports whether the first boot labels everything anew.
func relabels(h *Host) bool {
	_, err := os.Lstat(h.Root + relabelPath)
	return err == nil
}

// relabelOrder has fixfiles(8) set whole contexts, not types alone.
const relabelOrder = "-F\n"

// scheduleRelabel is the last resort, which costs the first boot a reboot. A
// host that runs is never made to reboot.
func scheduleRelabel(h *Host) error {
	if !h.Where.Offline() {
		return fmt.Errorf("schedule a relabel (%s): this host runs, and only its administrator reboots it", relabelPath)
	}
	if relabels(h) {
		return nil
	}
	if h.recordRelabel != nil {
		if err := h.recordRelabel(); err != nil {
			return err
		}
	}
	plain := *h.Files
	plain.Label = nil
	return plain.Write(relabelPath, []byte(relabelOrder), 0o600)
}

// noteRelabel has the ledger know that the relabel is the agent's doing.
func (r *Run) noteRelabel() error {
	return r.ledger.Record(Entry{Kind: KindFile, Name: relabelPath, Before: Absent, Left: digest([]byte(relabelOrder))})
}

// relabelIsOurs reports whether the agent scheduled the relabel that is
// scheduled. One of an administrator's stands, whatever the labels are.
func (r *Run) relabelIsOurs() (bool, error) {
	have, err := r.Files.Read(relabelPath)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) && r.Euid != 0 {
			err = nil
		}
		return false, err
	}
	e, recorded := r.ledger.Find(KindFile, relabelPath)
	return recorded && e.Before == Absent && digest(have.Content) == e.Left, nil
}

// promiseRelabel comes before anything that would be left without a label if
// the machine went down before the labels are given.
func (r *Run) promiseRelabel() error {
	status, err := r.SELinux.Status()
	if err != nil || status.Store == "" || status.Configured == selinux.Disabled || !labelsNothing(r.Host) {
		return err
	}
	return scheduleRelabel(r.Host)
}

// takeBackRelabel is for when every file has its label after all.
func (r *Run) takeBackRelabel() error {
	syncDisks(r.Host) // a label may lie on another file system than the promise
	if err := r.Files.Remove(relabelPath); err != nil {
		return err
	}
	return r.ledger.keep(slices.DeleteFunc(slices.Clone(r.ledger.Entries),
		Entry{Kind: KindFile, Name: relabelPath}.same))
}

// withoutSELinuxfs runs semanage where it sees no selinuxfs: it would set the
// running boolean of whichever kernel that is, also with -N.
func withoutSELinuxfs(run selinux.Run) selinux.Run {
	return func(ctx context.Context, stdin string, argv ...string) (stdout, stderr string, status int, err error) {
		if !seesSELinuxfs() {
			return run(ctx, stdin, argv...)
		}
		isolated := nginx.Isolated(func() error {
			if err := hideSELinuxfs(); err != nil {
				return err
			}
			stdout, stderr, status, err = run(ctx, stdin, argv...)
			return nil
		})
		if isolated != nil {
			return "", "", 0, fmt.Errorf("run %s: it would set a boolean of the running kernel, whose selinuxfs "+
				"could not be hidden: %w; unmount /sys/fs/selinux here and try again", plaintext.Command(argv), isolated)
		}
		return stdout, stderr, status, err
	}
}

// selinuxfsPlaces are where libselinux 2.5 looks for selinuxfs (init.c).
var selinuxfsPlaces = [...]string{"/sys/fs/selinux", "/selinux"}

func seesSELinuxfs() bool {
	for _, place := range selinuxfsPlaces {
		if isSELinuxfs(place) {
			return true
		}
	}
	return false
}

func isSELinuxfs(place string) bool {
	var st unix.Statfs_t
	return unix.Statfs(place, &st) == nil && uint32(st.Type) == unix.SELINUX_MAGIC
}

// hideSELinuxfs takes selinuxfs out of the calling thread's mount namespace,
// which must be its own.
func hideSELinuxfs() error {
	for _, place := range selinuxfsPlaces {
		for n := 0; isSELinuxfs(place); n++ {
			if err := unix.Unmount(place, unix.MNT_DETACH); err != nil || n > 16 {
				return fmt.Errorf("unmount %s: %w", place, err)
			}
		}
	}
	return nil
}
