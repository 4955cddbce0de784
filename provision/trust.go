package provision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hostfile"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/state"
)

// ErrUntrusted says that somebody else than root could have written what a run
// goes by.
var ErrUntrusted = errors.New("somebody else than root could change what this run goes by")

// trustsItsState refuses to change the host by a ledger, a note of an owed
// reload or a report that somebody else than root could have written: a revert
// writes what they say, as root.
func (r *Run) trustsItsState() error {
	if r.Euid != 0 {
		return nil
	}
	var paths []string
	for _, path := range []string{state.LedgerPath, state.HistoryPath, state.OwedPath} {
		if _, err := os.Lstat(r.Root + path); err == nil {
			paths = append(paths, r.Root+path)
		}
	}
	err := hostfile.Trusted(paths...)
	switch {
	case err == nil:
		return nil
	case r.planning:
		r.notice("apply and revert will refuse this: " + err.Error())
		return nil
	}
	return fmt.Errorf("%w:\n%w", ErrUntrusted, err)
}

// sayGroup warns of a directory of nginx's in which a group may write: its
// members decide what nginx, which root starts, is configured to do.
func sayGroup(h *host.Host, f *engine.Finding, dir string) {
	fi, err := os.Lstat(h.Root + dir)
	if err != nil || !fi.IsDir() || fi.Mode().Perm()&0o020 == 0 {
		return
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	f.Warnings = append(f.Warnings,
		fmt.Sprintf("%s can be written by the group %s, whose members can change what nginx does: %s",
			dir, groupName(h, int(st.Gid)), plaintext.Command([]string{"chmod", "g-w", dir})))
}

// groupName is a group's name from the host's own file (group(5)), or its number.
func groupName(h *host.Host, gid int) string {
	number := strconv.Itoa(gid)
	text, err := fs.ReadFile(os.DirFS(h.Root+"/etc"), "group")
	if err != nil {
		return number
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(strings.TrimSpace(line), ":"); len(f) >= 3 && f[2] == number {
			return f[0]
		}
	}
	return number
}
