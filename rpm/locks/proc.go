package locks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"wsprovision/provision/hostfile"
	"wsprovision/rpm/said"
)

// Process is what /proc tells of one pid (proc(5)).
type Process struct {
	PID, Parent int
	Name        string // comm, at most 15 bytes
	Command     string // cmdline with blanks, or comm in brackets for a kernel thread
	state       byte   // Z is a zombie
	Started     uint64 // clock ticks after boot, 100 a second on Linux/amd64
	user        string // whose it is, by name or as "uid 1000"; "" where /proc does not say, or nobody asked
}

func (p Process) String() string {
	s := fmt.Sprintf("pid %d (%s)", p.PID, p.Command)
	if p.user != "" {
		s += " of " + p.user
	}
	return s
}

// Process reads /proc/PID; the error is fs.ErrNotExist for a process that is gone.
func (h Locks) Process(pid string) (Process, error) {
	stat, err := hostfile.Read(context.Background(), filepath.Join(h.Root, "/proc", pid, "stat"), 64<<10)
	if errors.Is(err, syscall.ESRCH) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Process{}, err
	}
	p, err := ParseStat(string(stat))
	if err != nil {
		return Process{}, fmt.Errorf("/proc/%s/stat: %w", pid, err)
	}
	// Its owner may make it long, or its reader wait.
	cmdline, err := hostfile.Head(context.Background(), filepath.Join(h.Root, "/proc", pid, "cmdline"), 4096)
	p.Command = strings.Join(strings.Fields(strings.ReplaceAll(said.Printable(string(cmdline)), "\x00", " ")), " ")
	if err != nil || p.Command == "" {
		p.Command = "[" + p.Name + "]"
	}
	p.Command = said.Clip(p.Command)
	return p, nil
}

// owned is Process, and whose it is.
func (h Locks) owned(pid string) (Process, error) {
	p, err := h.Process(pid)
	if err == nil {
		p.user = h.user(pid)
	}
	return p, err
}

// user is whose effective uid a process has: the second number of the line Uid in /proc/PID/status (proc(5)).
func (h Locks) user(pid string) string {
	status, err := os.ReadFile(filepath.Join(h.Root, "/proc", pid, "status"))
	if err != nil {
		return ""
	}
	for _, line := range said.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 2 && f[0] == "Uid:" {
			return h.userName(f[2])
		}
	}
	return ""
}

// userName looks only in /etc/passwd: whom another directory knows is named by number.
func (h Locks) userName(uid string) string {
	passwd, _ := os.ReadFile(filepath.Join(h.Root, "/etc/passwd"))
	for _, line := range said.Lines(string(passwd)) {
		if f := strings.Split(line, ":"); len(f) > 2 && f[2] == uid && f[0] != "" {
			return "user " + said.Clip(said.Printable(f[0]))
		}
	}
	return "uid " + said.Printable(uid)
}

// ParseStat reads /proc/PID/stat. The name stands in parentheses and may itself hold blanks and parentheses: the last
// one ends it.
func ParseStat(line string) (Process, error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return Process{}, fmt.Errorf("not understood: %s", said.Quote(line))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line[:open]))
	f := strings.Fields(line[end+1:])
	if err != nil || pid < 0 || len(f) < 20 || len(f[0]) != 1 {
		return Process{}, fmt.Errorf("not understood: %s", said.Quote(line))
	}
	parent, err1 := strconv.Atoi(f[1])
	started, err2 := strconv.ParseUint(f[19], 10, 64) // field 22, starttime
	if err1 != nil || err2 != nil {
		return Process{}, fmt.Errorf("not understood: %s", said.Quote(line))
	}
	return Process{PID: pid, Parent: parent, Name: said.Printable(line[open+1 : end]), state: f[0][0],
		Started: started}, nil
}

// BootTime is /proc/stat's btime, seconds after 1970.
func (h Locks) BootTime() (time.Time, error) {
	text, err := os.ReadFile(filepath.Join(h.Root, "/proc/stat"))
	if err != nil {
		return time.Time{}, err
	}
	for _, line := range said.Lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "btime "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			if err != nil {
				return time.Time{}, fmt.Errorf("/proc/stat: not understood: %s", said.Quote(line))
			}
			return time.Unix(n, 0), nil
		}
	}
	return time.Time{}, errors.New("/proc/stat: no btime")
}

// FileLock is one fcntl(2) lock on a file. The pid is 0 where /proc/locks names nobody: a holder in another pid
// namespace, or an open file description lock, which belongs to no process (-1 there).
type FileLock struct {
	PID   int
	Write bool
}

// FileLocks are the fcntl locks on file, from /proc/locks; the file need not exist. A read lock counts, because a
// transaction wants a write lock and waits for both.
func (h Locks) FileLocks(file string) ([]FileLock, error) {
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(h.Root, file), &st); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("stat %s: %w", file, err)
	}
	text, err := os.ReadFile(filepath.Join(h.Root, "/proc/locks"))
	if err != nil {
		return nil, err
	}
	want := fmt.Sprintf("%02x:%02x:%d", unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino)
	return ParseLocks(string(text), want)
}

// ParseLocks reads /proc/locks: `1: POSIX ADVISORY WRITE 4711 fd:00:67108995 0 EOF`. Processes that only wait for a
// lock (lines with ->) do not hold it. flock(2) and leases do not stand in the way of fcntl(2), which is what rpm uses
// (lib/rpmlock.c).
func ParseLocks(text, inode string) ([]FileLock, error) {
	var locks []FileLock
	for _, line := range said.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 6 || !strings.HasSuffix(f[0], ":") {
			if len(f) > 2 && f[1] == "->" || len(f) == 0 {
				continue
			}
			return nil, fmt.Errorf("/proc/locks: not understood: %s", said.Quote(line))
		}
		if f[1] != "POSIX" && f[1] != "OFDLCK" || f[5] != inode {
			continue
		}
		pid, err := strconv.Atoi(f[4])
		if err != nil {
			return nil, fmt.Errorf("/proc/locks: not understood: %s", said.Quote(line))
		}
		locks = append(locks, FileLock{PID: max(pid, 0), Write: f[3] == "WRITE"})
	}
	return locks, nil
}
