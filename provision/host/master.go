package host

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/nginx"
	"wsprovision/provision/plaintext"
)

// MasterOf is the nginx of nginx.service, as systemd knows it; where systemd cannot be asked, or knows of none, the one
// that the pid file names.
func MasterOf(ctx context.Context, h *Host) (nginx.Master, error) {
	return h.Nginx.Master(ctx, MainPID(ctx, h))
}

// MainPID is the main process of nginx.service; 0 where systemd cannot be asked, or knows of none.
func MainPID(ctx context.Context, h *Host) int {
	units, err := Systemd(ctx, h)
	if err != nil {
		return 0
	}
	state, err := units.State(ctx, NginxUnit)
	if err != nil {
		return 0
	}
	return state.MainPID
}

// Orphans are the workers of nginx that no master looks after.
type Orphans []nginx.Worker

// OrphansOf are none where they cannot be looked for.
func OrphansOf(ctx context.Context, h *Host) Orphans {
	all, _ := h.Nginx.Orphans(ctx)
	return all
}

// Holding are those of the processes that are orphans.
func (o Orphans) Holding(processes []Process) []Process {
	return slices.DeleteFunc(slices.Clone(processes), func(p Process) bool {
		return !slices.ContainsFunc(o, func(w nginx.Worker) bool { return w.PID == p.Pid })
	})
}

// OrphansHold says what workers without a master are in the way of, and what ends them: on SIGQUIT a worker closes its
// listening sockets at once and ends with its last connection (ngx_worker_process_cycle).
func OrphansHold(all []Process, ports map[string]bool) error {
	return fmt.Errorf("workers of an nginx that was killed still run, and listen on port %s (process %s), so that "+
		"nginx cannot: %s frees the port at once; each finishes its open connections, WebSockets too, and ends with "+
		"the last one",
		sortedWords(ports), strings.Join(numbers(all), ", "), plaintext.Command(Quit(all)))
}

func sortedWords(set map[string]bool) string {
	var all []string
	for word := range set {
		all = append(all, word)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func numbers(all []Process) []string {
	var pids []string
	for _, p := range all {
		pids = append(pids, strconv.Itoa(p.Pid))
	}
	return pids
}

// Quit is the command that ends them when their connections have ended.
func Quit(all []Process) []string { return append([]string{"kill", "-QUIT"}, numbers(all)...) }
