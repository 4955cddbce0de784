package host

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"wsprovision/provision/hostfile"
)

// OpenFiles is how many files a process may have open: its soft limit (proc(5), limits). Not known is false.
func OpenFiles(ctx context.Context, h *Host, pid int) (most uint64, known bool) {
	text, err := hostfile.Read(ctx, fmt.Sprintf("%s/proc/%d/limits", h.Root, pid), 1<<14)
	if err != nil {
		return 0, false
	}
	for s := bufio.NewScanner(bytes.NewReader(text)); s.Scan(); {
		rest, found := strings.CutPrefix(s.Text(), "Max open files")
		if f := strings.Fields(rest); found && len(f) > 1 {
			most, err = strconv.ParseUint(f[0], 10, 64)
			return most, err == nil
		}
	}
	return 0, false
}

// SetOpenFiles raises the limit of a process that runs. What it forks from then on has it; what it has forked keeps its
// own.
func SetOpenFiles(h *Host, pid int, most uint64) error {
	return h.Seam.Do(fmt.Sprintf("raise the open files of process %d to %d", pid, most), func() error {
		return h.RaiseFiles(pid, most)
	})
}

func raiseFiles(pid int, most uint64) error {
	var now unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &now); err != nil {
		return err
	}
	return unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: max(now.Cur, most), Max: max(now.Max, most)}, nil)
}
