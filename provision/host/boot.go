package host

import (
	"context"
	"os"
	"slices"
	"strings"

	"wsprovision/provision/hostfile"
)

// BootID names this boot of the kernel (random(4)); "" without /proc.
func BootID(h *Host) string {
	text, err := os.ReadFile(h.Root + "/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

func SyncDisks(h *Host) {
	if h.Sync != nil {
		h.Sync()
	}
}

// ReadProc are the lines of a file of /proc.
func ReadProc(h *Host, path string) []string {
	b, err := hostfile.Read(context.Background(), h.Root+path, mostSockets)
	if err != nil {
		return nil
	}
	return strings.Split(string(b), "\n")
}

// LabelsNothing reports whether the kernel that runs here has no SELinux at
// all (selinux=0), so that nothing gets a label that is written without one:
// neither what rpm unpacks nor what scriptlets write, /etc/passwd among it.
// Without /proc nobody can tell.
func LabelsNothing(h *Host) bool {
	text, err := os.ReadFile(h.Root + "/proc/filesystems")
	return err != nil || !slices.Contains(strings.Fields(string(text)), "selinuxfs")
}

// The unit that goes on at the first boot where an installer's chroot ended, and the link that enables it.
const (
	FirstBootUnit = "wsprovision-firstboot.service"
	FirstBootLink = "/etc/systemd/system/multi-user.target.wants/" + FirstBootUnit
)
