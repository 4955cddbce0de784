package facts

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/nginx"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/host"
)

// Neighbours are the sockets that take connections to that port, on whatever address; those of nginx, which is to pass
// nothing to itself, are left out.
func Neighbours(ctx context.Context, e *Evidence, port int) []host.Socket {
	return slices.DeleteFunc(host.Listening(e.Sockets, uint16(port)), func(s host.Socket) bool {
		return slices.ContainsFunc(host.Holders(ctx, e.Host, []host.Socket{s}), func(p host.Process) bool {
			return IsNginx(e, p)
		})
	})
}

// IsNginx: of the nginx that is ours. Another one, and what a killed one left, is a stranger.
func IsNginx(e *Evidence, p host.Process) bool {
	if p.Pid == e.Master.PID && p.Pid != 0 {
		return true
	}
	return slices.ContainsFunc(e.Master.Workers, func(w nginx.Worker) bool { return w.PID == p.Pid })
}

// Nearby says where sockets listen.
func Nearby(sockets []host.Socket) string {
	var at []string
	for _, s := range sockets {
		at = append(at, s.Local.String())
	}
	if len(at) == 0 {
		return ""
	}
	return "somebody listens on " + strings.Join(at, " and ")
}

// WhoListens names the command that shows who listens on an address.
func WhoListens(address string) cause.Mend {
	return cause.Do("ss", "-ltnp", fmt.Sprintf("sport = :%d", PortOf(address))).
		Note("names the program: start the backend there")
}
