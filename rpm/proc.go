package rpm

import (
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
)

// process is what /proc tells of one pid (proc(5)).
type process struct {
	pid, parent int
	name        string // comm, at most 15 bytes
	command     string // cmdline with blanks, or comm in brackets for a kernel thread
	state       byte   // Z is a zombie
	started     uint64 // clock ticks after boot, 100 a second on Linux/amd64
}

func (p process) String() string { return fmt.Sprintf("pid %d (%s)", p.pid, p.command) }

// process reads /proc/PID; the error is fs.ErrNotExist for a process that is gone.
func (h Host) process(pid string) (process, error) {
	stat, err := os.ReadFile(filepath.Join(h.Root, "/proc", pid, "stat"))
	if errors.Is(err, syscall.ESRCH) {
		err = fs.ErrNotExist
	}
	if err != nil {
		return process{}, err
	}
	p, err := parseStat(string(stat))
	if err != nil {
		return process{}, fmt.Errorf("/proc/%s/stat: %w", pid, err)
	}
	cmdline, err := os.ReadFile(filepath.Join(h.Root, "/proc", pid, "cmdline"))
	p.command = strings.Join(strings.Fields(strings.ReplaceAll(printable(string(cmdline)), "\x00", " ")), " ")
	if err != nil || p.command == "" {
		p.command = "[" + p.name + "]"
	}
	p.command = clip(p.command)
	return p, nil
}

// parseStat reads /proc/PID/stat. The name stands in parentheses and may itself hold blanks and parentheses: the last one ends it.
func parseStat(line string) (process, error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 1 || end < open {
		return process{}, fmt.Errorf("not understood: %s", quote(line))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line[:open]))
	f := strings.Fields(line[end+1:])
	if err != nil || pid < 0 || len(f) < 20 || len(f[0]) != 1 {
		return process{}, fmt.Errorf("not understood: %s", quote(line))
	}
	parent, err1 := strconv.Atoi(f[1])
	started, err2 := strconv.ParseUint(f[19], 10, 64) // field 22, starttime
	if err1 != nil || err2 != nil {
		return process{}, fmt.Errorf("not understood: %s", quote(line))
	}
	return process{pid: pid, parent: parent, name: printable(line[open+1 : end]), state: f[0][0], started: started}, nil
}

// printable keeps another user's process name from writing escape sequences on the administrator's terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != 0 && (r < ' ' || r == 0x7f || (r >= 0x80 && r < 0xa0)) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// bootTime is /proc/stat's btime, seconds after 1970.
func (h Host) bootTime() (time.Time, error) {
	text, err := os.ReadFile(filepath.Join(h.Root, "/proc/stat"))
	if err != nil {
		return time.Time{}, err
	}
	for _, line := range lines(string(text)) {
		if v, ok := strings.CutPrefix(line, "btime "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			if err != nil {
				return time.Time{}, fmt.Errorf("/proc/stat: not understood: %s", quote(line))
			}
			return time.Unix(n, 0), nil
		}
	}
	return time.Time{}, errors.New("/proc/stat: no btime")
}

// writeLockers are the pids that hold a write lock on file, from /proc/locks; the file need not exist. Processes that only
// wait for the lock (lines with ->) do not hold it.
func (h Host) writeLockers(file string) ([]int, error) {
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
	return parseLocks(string(text), want)
}

// parseLocks reads /proc/locks: `1: POSIX  ADVISORY  WRITE 4711 fd:00:67108995 0 EOF`.
func parseLocks(text, inode string) ([]int, error) {
	var pids []int
	for _, line := range lines(text) {
		f := strings.Fields(line)
		if len(f) < 6 || !strings.HasSuffix(f[0], ":") {
			if len(f) > 2 && f[1] == "->" || len(f) == 0 {
				continue
			}
			return nil, fmt.Errorf("/proc/locks: not understood: %s", quote(line))
		}
		if f[1] == "->" || f[3] != "WRITE" || f[5] != inode {
			continue
		}
		pid, err := strconv.Atoi(f[4])
		if err != nil {
			return nil, fmt.Errorf("/proc/locks: not understood: %s", quote(line))
		}
		pids = append(pids, pid)
	}
	return pids, nil
}
