package provision

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"wsprovision/provision/capacity"
)

const somaxconnPath = "/proc/sys/net/core/somaxconn"

// limitFiles is a process's limits, as proc(5) has them.
func (h *fakeHost) limitFiles(pid int, most uint64) {
	h.write(fmt.Sprintf("/proc/%d/limits", pid), fmt.Sprintf(
		"Limit                     Soft Limit           Hard Limit           Units     \n"+
			"Max processes             7144                 7144                 processes \n"+
			"Max open files            %-20d %-20d files     \n", most, max(most, 4096)))
}

// filesOf is what a process hands down; systemd starts nginx with what it has read of its unit.
func (h *fakeHost) filesOf(pid int) uint64 {
	for line := range strings.Lines(h.content(fmt.Sprintf("/proc/%d/limits", pid))) {
		if f := strings.Fields(line); len(f) > 3 && f[1] == "open" {
			n, err := strconv.ParseUint(f[3], 10, 64)
			h.must(err)
			return n
		}
	}
	return max(h.unitFiles, 1024)
}

func (h *fakeHost) raiseFiles(pid int, most uint64) error {
	if h.noPrlimit {
		return unix.EPERM
	}
	h.limitFiles(pid, most)
	return nil
}

// DaemonReload has systemd read the drop-in.
func (u *fakeUnits) DaemonReload(context.Context) error {
	return u.mutate("systemd: daemon-reload", func() error {
		u.h.readUnit()
		return nil
	})
}

// readUnit is what systemd does at boot and when it is told to; the agent tells it before a start.
func (h *fakeHost) readUnit() {
	_, value, _ := strings.Cut(h.content(capacity.DropInPath), "LimitNOFILE=")
	h.unitFiles, _ = strconv.ParseUint(strings.TrimSpace(value), 10, 64)
}
