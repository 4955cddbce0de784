package host

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// RelabelPath asks RHEL 7's own boot to label every file anew and to reboot
// (rhel-autorelabel.service). Its content is options for fixfiles(8).
const RelabelPath = "/.autorelabel"

// RelabelOrder has fixfiles(8) set whole contexts, not types alone.
const RelabelOrder = "-F\n"

// Unlabelable reports whether the kernel or the file system here cannot give a
// label: EINVAL is a context that the running policy does not know.
func Unlabelable(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EINVAL, syscall.ENOTSUP, syscall.EPERM, syscall.EACCES} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// RelabelScheduled reports whether the first boot labels everything anew.
func RelabelScheduled(h *Host) bool {
	_, err := os.Lstat(h.Root + RelabelPath)
	return err == nil
}

// ScheduleRelabel is the last resort, which costs the first boot a reboot. A
// host that runs is never made to reboot.
func ScheduleRelabel(h *Host) error {
	if !h.Where.Offline() {
		return fmt.Errorf("schedule a relabel (%s): this host runs, and only its administrator reboots it", RelabelPath)
	}
	if RelabelScheduled(h) {
		return nil
	}
	if h.RecordRelabel != nil {
		if err := h.RecordRelabel(); err != nil {
			return err
		}
	}
	plain := *h.Files
	plain.Label = nil
	return plain.Write(RelabelPath, []byte(RelabelOrder), 0o600)
}
