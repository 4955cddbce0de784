package status

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
)

// mostBeside bounds what is told of other masters.
const mostBeside = 5

// beside says what of nginx runs that is not nginx.service's, or not with its own configuration.
func beside(ctx context.Context, h *host.Host, mainPID int) []string {
	var all []string
	var other *nginx.OtherError
	if _, err := h.Nginx.Master(ctx, mainPID); mainPID != 0 && errors.As(err, &other) {
		all = append(all, host.NginxUnit+" runs "+other.Other.String())
	}
	others, _ := h.Nginx.Others(ctx, mainPID)
	for i, o := range others {
		if i == mostBeside {
			all = append(all, fmt.Sprintf("%d more of them run", len(others)-i))
			break
		}
		all = append(all, "another nginx runs: "+o.String())
	}
	if left := host.OrphansOf(ctx, h); len(left) > 0 {
		var pids []string
		for _, w := range left[:min(len(left), mostBeside)] {
			pids = append(pids, strconv.Itoa(w.PID))
		}
		all = append(all, fmt.Sprintf("%d workers of an nginx that was killed run on (process %s)",
			len(left), strings.Join(pids, ", ")))
	}
	return all
}
