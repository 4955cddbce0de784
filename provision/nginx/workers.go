package nginx

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/known"
)

// Worker is a child of a master that serves connections; cache managers and helpers are not listed.
type Worker struct {
	PID          int
	Start        uint64
	ShuttingDown bool // it finishes what it has, and takes nothing new
}

// Draining counts the workers that an earlier reload left with open connections, for a WebSocket as long as it is open.
func Draining(m Master) int {
	count := 0
	for _, w := range m.Workers {
		if w.ShuttingDown {
			count++
		}
	}
	return count
}

const (
	workerTitle   = "nginx: worker process"
	drainingTitle = "nginx: worker process is shutting down"
)

func (n Nginx) workers(ctx context.Context, master int) ([]Worker, error) {
	pids, err := n.table().relatives(ctx, master)
	if err != nil {
		return nil, fmt.Errorf("workers of nginx: %w", err)
	}
	var all []Worker
	for _, pid := range pids {
		w, ok, err := n.worker(ctx, pid, func(parent int) bool { return parent == master })
		if err != nil && !errors.Is(err, ErrNotRunning) { // a process may end while it is looked at
			return nil, err
		}
		if ok {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b Worker) int { return a.PID - b.PID })
	return slices.Compact(all), nil // version 1 of control groups may repeat a process
}

// worker looks at a process; it is one where its parent is and its title says so. The parent comes first: whoever owns
// a process decides on its title, and may make its reader wait.
func (n Nginx) worker(ctx context.Context, pid int, of func(parent int) bool) (Worker, bool, error) {
	s, err := n.table().stat(ctx, pid)
	if err != nil || !of(s.parent) || s.state == 'Z' {
		return Worker{}, false, err
	}
	title, err := n.table().title(ctx, pid)
	if err != nil || !strings.HasPrefix(title, workerTitle) {
		return Worker{}, false, err
	}
	return Worker{PID: pid, Start: s.start, ShuttingDown: strings.HasPrefix(title, drainingTitle)}, true, nil
}

// relatives are the processes among which the workers are: those of the master's control group, where that can be told,
// or else every process. The list of a process's children is not compiled into every kernel, and leaves some out while
// others end (proc(5)).
func (ta table) relatives(ctx context.Context, master int) ([]int, error) {
	if group := ta.controlGroup(ctx, master); slices.Contains(group, master) {
		return group, nil
	}
	return ta.processes()
}

// hierarchies is where systemd mounts the control groups that it keeps its units in, by the controllers that
// cgroups(7)'s /proc/PID/cgroup names: version 2, and version 1 (RHEL 7).
var hierarchies = map[string]string{"": "/sys/fs/cgroup", "name=systemd": "/sys/fs/cgroup/systemd"}

// controlGroup are the processes of a process's control group; none where it cannot be told.
func (ta table) controlGroup(ctx context.Context, pid int) []int {
	content, err := ta.process(ctx, pid, "cgroup")
	if err != nil {
		return nil
	}
	for line := range strings.SplitSeq(string(content), "\n") {
		_, line, _ = strings.Cut(line, ":")
		controllers, group, ok := strings.Cut(line, ":")
		mount, ours := hierarchies[controllers]
		if !ok || !ours {
			continue
		}
		list, err := known.File(ta.Known, path.Join(ta.Root, mount, group, "cgroup.procs"),
			func(name string) ([]byte, error) { return hostfile.Read(ctx, name, 4<<20) })
		if err == nil {
			return parsePIDs(string(list))
		}
	}
	return nil
}

// parsePIDs reads numbers; a process of another namespace is a 0.
func parsePIDs(list string) []int {
	var all []int
	for field := range strings.FieldsSeq(list) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 0 {
			all = append(all, pid)
		}
	}
	return all
}

// Orphans are workers that no master looks after any more: it was killed, and KillMode=process (EPEL 7's nginx.service)
// has systemd leave them. They go on serving what they have, and one that is not shutting down keeps its listening
// sockets, which no other nginx can bind meanwhile.
func (n Nginx) Orphans(ctx context.Context) ([]Worker, error) {
	pids, err := n.table().named(ctx)
	if err != nil {
		return nil, fmt.Errorf("workers without a master: %w", err)
	}
	var all []Worker
	for _, pid := range pids {
		w, ok, err := n.worker(ctx, pid, func(parent int) bool { return !n.table().isMaster(ctx, parent) })
		if ok && err == nil && !n.table().contained(ctx, pid) {
			all = append(all, w)
		}
	}
	return all, nil
}

func (ta table) isMaster(ctx context.Context, pid int) bool {
	title, err := ta.title(ctx, pid)
	return err == nil && strings.HasPrefix(title, masterTitle)
}

// named are the processes whose executable goes by the name of nginx's, as nginx-debug does.
func (ta table) named(ctx context.Context) ([]int, error) {
	all, err := ta.processes()
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(pid int) bool { // the list is shared
		s, err := ta.stat(ctx, pid)
		return err != nil || !strings.HasPrefix(s.name, "nginx") || s.state == 'Z'
	}), nil
}
