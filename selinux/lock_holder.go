package selinux

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// lockHolder names the process that holds a flock on the file, "pid 123 (semodule)"; "another process" where /proc does
// not tell.
func (sy system) lockHolder(lock string) string {
	const nobody = "another process"
	var st unix.Stat_t
	if unix.Stat(sy.path(lock), &st) != nil {
		return nobody
	}
	b, err := os.ReadFile(sy.path("/proc/locks"))
	if err != nil {
		return nobody
	}
	pid := parseLocks(string(b), fileID(&st))
	if pid == 0 {
		return nobody
	}
	name, err := os.ReadFile(sy.path("/proc", strconv.Itoa(pid), "comm"))
	if err != nil {
		return fmt.Sprintf("pid %d", pid)
	}
	return fmt.Sprintf("pid %d (%s)", pid, strings.TrimSpace(string(name)))
}

// fileID is how /proc/locks names a file.
func fileID(st *unix.Stat_t) string {
	return fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
}

// parseLocks finds who holds a lock on the file, by lines of proc(5) locks; one that waits has an arrow after its
// number:
//
//	1: FLOCK  ADVISORY  WRITE 708 fd:00:13245 0 EOF
func parseLocks(text, file string) (pid int) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 6 || f[1] == "->" || f[5] != file {
			continue
		}
		if n, err := strconv.Atoi(f[4]); err == nil && n > 0 {
			return n
		}
	}
	return 0
}
