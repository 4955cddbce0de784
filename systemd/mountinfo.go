package systemd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Mount is what a line of /proc/PID/mountinfo (proc(5)) says of one mount, as seen from that process's root. A Root
// other than / is a bind mount, or a subvolume of btrfs.
type Mount struct {
	ID                        int
	Device, Root, Point, Type string
}

// Mounts lists what this process sees mounted. root prefixes /proc.
func Mounts(root string) ([]Mount, error) { return detector{root}.mounts("/proc/self/mountinfo") }

func parseMountinfo(text string) ([]Mount, error) {
	var list []Mount
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		dash := slices.Index(f, "-")
		if len(f) < 10 || dash < 6 || dash+1 >= len(f) {
			return nil, fmt.Errorf("not a line of mountinfo: %q", line)
		}
		id, err := strconv.Atoi(f[0])
		if err != nil {
			return nil, fmt.Errorf("not a line of mountinfo: %q", line)
		}
		list = append(list, Mount{ID: id, Device: f[2], Root: unescape(f[3]), Point: unescape(f[4]), Type: f[dash+1]})
	}
	return list, nil
}

// top gives what is mounted at a place now: the last of the mounts there covers the others.
func top(list []Mount, point string) (m Mount, ok bool) {
	for _, each := range list {
		if each.Point == point {
			m, ok = each, true
		}
	}
	return m, ok
}

// unescape undoes the kernel's \040 for blank, tab, newline and backslash.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
