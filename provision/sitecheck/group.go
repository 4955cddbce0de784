package sitecheck

import (
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
)

// Group warns of a directory of nginx's in which a group may write: its
// members decide what nginx, which root starts, is configured to do.
func Group(h *host.Host, f *engine.Finding, dir string) {
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
