package nginx

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrNotRunning: there is no pid file, or no nginx master behind it.
var ErrNotRunning = errors.New("nginx is not running")

// Master is a running nginx. A pid may be used again; pid and start together are not, within one boot.
type Master struct {
	PID     int
	Start   uint64 // clock ticks (100 a second on Linux) since boot, proc(5) field 22
	Workers []Worker
}

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

// Master looks at a running nginx. With pid 0 it asks the configuration on the disk for the pid file, even where that
// configuration is broken. ErrNotRunning is for errors.Is.
func (n Nginx) Master(pid int) (Master, error) {
	if pid == 0 {
		var err error
		if pid, err = n.pid(); err != nil {
			return Master{}, err
		}
	}
	title, err := n.title(pid)
	if err != nil {
		return Master{}, err
	}
	if !strings.HasPrefix(title, "nginx: master process") {
		return Master{}, fmt.Errorf("%w: process %d is %q", ErrNotRunning, pid, title)
	}
	self, err := n.stat(pid)
	if err != nil {
		return Master{}, err
	}
	m := Master{PID: pid, Start: self.start}
	m.Workers, err = n.workers(pid)
	return m, err
}

func (n Nginx) pid() (int, error) {
	tree, _ := Load(n.Root, n.conf(), nil) // pid stands near the top; a broken rest is no reason not to find it
	name := tree.PidFile()
	content, err := os.ReadFile(n.Root + name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("%w: no %s", ErrNotRunning, name)
	}
	if err != nil {
		return 0, fmt.Errorf("pid of nginx: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil || pid <= 0 {
		return 0, fmt.Errorf("%w: %s holds %.20q", ErrNotRunning, name, content)
	}
	return pid, nil
}

func (n Nginx) workers(master int) ([]Worker, error) {
	pids, err := n.relatives(master)
	if err != nil {
		return nil, fmt.Errorf("workers of nginx: %w", err)
	}
	var all []Worker
	for _, pid := range pids {
		w, ok, err := n.worker(pid, master)
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

// relatives are the processes among which the workers are: those of the master's control group, where that can be told, or else every
// process. The list of a process's children is not compiled into every kernel, and leaves some out while others end (proc(5)).
func (n Nginx) relatives(master int) ([]int, error) {
	if group := n.controlGroup(master); slices.Contains(group, master) {
		return group, nil
	}
	entries, err := os.ReadDir(n.proc())
	if err != nil {
		return nil, err
	}
	var all []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			all = append(all, pid)
		}
	}
	return all, nil
}

// hierarchies is where systemd mounts the control groups that it keeps its units in, by the controllers that cgroups(7)'s
// /proc/PID/cgroup names: version 2, and version 1 (RHEL 7).
var hierarchies = map[string]string{"": "/sys/fs/cgroup", "name=systemd": "/sys/fs/cgroup/systemd"}

// controlGroup are the processes of a process's control group; none where it cannot be told.
func (n Nginx) controlGroup(pid int) []int {
	content, err := n.process(pid, "cgroup")
	if err != nil {
		return nil
	}
	for line := range strings.SplitSeq(string(content), "\n") {
		_, line, _ = strings.Cut(line, ":")
		controllers, group, ok := strings.Cut(line, ":")
		mount, known := hierarchies[controllers]
		if !ok || !known {
			continue
		}
		if list, err := os.ReadFile(path.Join(n.Root, mount, group, "cgroup.procs")); err == nil {
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

func (n Nginx) worker(pid, master int) (Worker, bool, error) {
	s, err := n.stat(pid)
	if err != nil || s.parent != master || s.state == 'Z' {
		return Worker{}, false, err
	}
	title, err := n.title(pid)
	if err != nil || !strings.HasPrefix(title, "nginx: worker process") {
		return Worker{}, false, err
	}
	return Worker{PID: pid, Start: s.start, ShuttingDown: strings.HasPrefix(title, "nginx: worker process is shutting down")}, true, nil
}

// title is what nginx wrote over its arguments; NULs and spaces may follow it.
func (n Nginx) title(pid int) (string, error) {
	content, err := n.process(pid, "cmdline")
	return parseTitle(content), err
}

func parseTitle(cmdline []byte) string {
	return strings.TrimSpace(string(bytes.ReplaceAll(cmdline, []byte{0}, []byte{' '})))
}

func (n Nginx) stat(pid int) (stat, error) {
	content, err := n.process(pid, "stat")
	if err != nil {
		return stat{}, err
	}
	return parseStat(string(content))
}

func (n Nginx) process(pid int, file string) ([]byte, error) {
	content, err := os.ReadFile(path.Join(n.proc(), strconv.Itoa(pid), file))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil, fmt.Errorf("%w: no process %d", ErrNotRunning, pid)
	}
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	return content, nil
}

type stat struct {
	state  byte
	parent int
	start  uint64
}

// parseStat reads proc(5)'s stat. The name, the 2nd field, may hold spaces and parentheses.
func parseStat(line string) (stat, error) {
	broken := fmt.Errorf("/proc: stat %.200q is not understood", line)
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if !strings.Contains(line, ")") || len(fields) < 20 || len(fields[0]) != 1 {
		return stat{}, broken
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil || parent < 0 {
		return stat{}, broken
	}
	start, err := strconv.ParseUint(fields[19], 10, 64)
	if err != nil {
		return stat{}, broken
	}
	return stat{fields[0][0], parent, start}, nil
}

// Started turns a start into a time, good to a second or so; a clock that was set since boot moves it along.
func (n Nginx) Started(start uint64) (time.Time, error) {
	content, err := os.ReadFile(path.Join(n.proc(), "stat"))
	if err != nil {
		return time.Time{}, fmt.Errorf("time of boot: %w", err)
	}
	for line := range strings.Lines(string(content)) {
		if seconds, ok := strings.CutPrefix(line, "btime "); ok {
			boot, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64)
			if err != nil {
				return time.Time{}, fmt.Errorf("time of boot: %q is not understood", line)
			}
			return time.Unix(boot, 0).Add(time.Duration(start) * 10 * time.Millisecond), nil
		}
	}
	return time.Time{}, fmt.Errorf("time of boot: no btime in %s/stat", n.proc())
}
