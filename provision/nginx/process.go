package nginx

import (
	"bytes"
	"context"
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

	"wsprovision/provision/hostfile"
	"wsprovision/provision/known"
)

// mostOfProc bounds what is read of a process's file in /proc, in bytes: an administrator may give nginx long
// arguments, and whoever owns a process may make its title as long as he likes.
const mostOfProc = 16 << 10

// process is the beginning of a file of /proc/PID. ErrNotRunning is a process that has ended.
func (ta table) process(ctx context.Context, pid int, file string) ([]byte, error) {
	content, err := known.File(ta.Known, ta.procPath(pid, file), func(name string) ([]byte, error) {
		return hostfile.Head(ctx, name, mostOfProc)
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return nil, fmt.Errorf("%w: no process %d", ErrNotRunning, pid)
	}
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	return content, nil
}

func (ta table) procPath(pid int, file string) string {
	return path.Join(ta.proc(), strconv.Itoa(pid), file)
}

// listed is the key of processes.
type listed struct{}

// processes are the numbers of all processes. Nobody may change the list.
func (ta table) processes() ([]int, error) {
	type numbers struct {
		all []int
		err error
	}
	n := known.Once(ta.Known, listed{}, func() numbers {
		all, err := ta.list()
		return numbers{all, err}
	})
	return n.all, n.err
}

func (ta table) list() ([]int, error) {
	entries, err := os.ReadDir(ta.proc())
	if err != nil {
		return nil, err
	}
	var all []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			all = append(all, pid)
		}
	}
	slices.Sort(all)
	return all, nil
}

// title is what nginx wrote over its arguments; NULs and spaces may follow it.
func (ta table) title(ctx context.Context, pid int) (string, error) {
	content, err := ta.process(ctx, pid, "cmdline")
	return parseTitle(content), err
}

func parseTitle(cmdline []byte) string {
	return strings.TrimSpace(string(bytes.ReplaceAll(cmdline, []byte{0}, []byte{' '})))
}

func (ta table) stat(ctx context.Context, pid int) (stat, error) {
	content, err := ta.process(ctx, pid, "stat")
	if err != nil {
		return stat{}, err
	}
	return parseStat(string(content))
}

type stat struct {
	name   string // of the executable, 15 bytes at most; its owner may change it
	state  byte
	parent int
	start  uint64
}

// parseStat reads proc(5)'s stat. The name, the 2nd field, may hold spaces and parentheses.
func parseStat(line string) (stat, error) {
	broken := fmt.Errorf("/proc: stat %.200q is not understood", line)
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	fields := strings.Fields(line[end+1:])
	if open < 0 || end < open || len(fields) < 20 || len(fields[0]) != 1 {
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
	return stat{line[open+1 : end], fields[0][0], parent, start}, nil
}

// status is a field of proc(5)'s status; "" where it cannot be told.
func (ta table) status(ctx context.Context, pid int, name string) string {
	content, err := ta.process(ctx, pid, "status")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Started turns a start into a time, good to a second or so; a clock that was set since boot moves it along.
func (n Nginx) Started(start uint64) (time.Time, error) {
	content, err := hostfile.Read(context.Background(), path.Join(n.proc(), "stat"), 4<<20)
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

// table is the table of processes, as /proc shows it.
type table struct{ Nginx }

func (n Nginx) table() table { return table{n} }
