package host

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"wsprovision/provision/nginx"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/running"
)

// OfflineSELinux has SELinux's speakers get along with a kernel that is not
// this system's: one that has no SELinux, another policy or none.
func (h *Host) OfflineSELinux() {
	set, get := h.Files.SetLabel, h.Files.FileLabel
	h.Files.SetLabel = func(path, label string) error {
		err := set(path, label)
		if !Unlabelable(err) {
			return err
		}
		return ScheduleRelabel(h)
	}
	h.Files.FileLabel = func(path string) (string, error) {
		label, err := get(path)
		// A kernel without a policy has one word for every file.
		if strings.Count(label, ":") < 3 || RelabelScheduled(h) {
			return "", err
		}
		return label, err
	}
	h.SELinux.Change = WithoutSELinuxfs(h.SELinux.Change)
}

// WithoutSELinuxfs runs semanage where it sees no selinuxfs: it would set the
// running boolean of whichever kernel that is, also with -N.
func WithoutSELinuxfs(run running.Run) running.Run {
	return func(ctx context.Context, stdin string, argv ...string) (stdout, stderr string, status int, err error) {
		if !SeesSELinuxfs() {
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
				"could not be hidden: %w; unmount /sys/fs/selinux here and try again", plaintext.Command(argv),
				isolated)
		}
		return stdout, stderr, status, err
	}
}

// selinuxfsPlaces are where libselinux 2.5 looks for selinuxfs (init.c).
var selinuxfsPlaces = [...]string{"/sys/fs/selinux", "/selinux"}

func SeesSELinuxfs() bool {
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
