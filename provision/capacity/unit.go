package capacity

import (
	"context"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/systemd"
)

// unitLimit is the open files that nginx.service gets by what others have written, 0 where that is systemd's own. It is
// an error where a drop-in goes behind ours, and lowers it.
func (c *Capacity) unitLimit(ctx context.Context) (set uint64, err error) {
	all, err := systemd.ManagerAssignments(ctx, c.Root, "DefaultLimitNOFILE")
	if err != nil {
		return 0, err
	}
	for _, a := range all {
		set = limit(a.Value)
	}
	if all, err = systemd.Assignments(ctx, c.Root, host.NginxUnit, "Service", "LimitNOFILE"); err != nil {
		return 0, err
	}
	need := uint64(c.Config.Connections.OpenFiles())
	for _, a := range all {
		if a.File == DropInPath {
			continue
		}
		set = limit(a.Value)
		behind := strings.HasSuffix(path.Dir(a.File), ".d") && path.Base(a.File) > path.Base(DropInPath)
		if set < need && behind {
			return 0, fmt.Errorf("%s sets LimitNOFILE=%s, and is read behind %s: raise it there to %d, or take it out",
				a.File, a.Value, DropInPath, need)
		}
	}
	return set, nil
}

// limit is a value of LimitNOFILE=: a number, soft:hard since systemd 228, or infinity.
func limit(value string) uint64 {
	soft, _, _ := strings.Cut(value, ":")
	if soft == "infinity" {
		return math.MaxUint64
	}
	n, _ := strconv.ParseUint(soft, 10, 64)
	return n
}
