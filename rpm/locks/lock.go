package locks

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/lazy"
	"wsprovision/provision/plaintext"
)

// pidLock is a lock that is a file with its holder's pid in it.
type pidLock struct{ name, glob string }

// pidLocks are the locks of yum 3.4.3 (constants.py) and of dnf where it poses as yum (dnf/lock.py).
var pidLocks = []pidLock{
	{"yum lock", "/var/run/yum.pid"},
	{"dnf cache lock", "/var/cache/dnf/*_lock.pid"},
	{"dnf database lock", "/var/lib/dnf/*_lock.pid"},
}

// RpmLock is rpm's transaction lock, fcntl(2); rpm 4.11 waits for it for ever, without a word (lib/rpmlock.c).
const RpmLock = "/var/lib/rpm/.rpm.lock"

// Holder is who keeps us from running yum now.
type Holder struct {
	lock    string
	File    string
	Process Process
	Reused  bool // the pid belongs to a program that cannot have taken the lock
}

func (o Holder) String() string {
	if o.Process.PID == 0 {
		return fmt.Sprintf("%s held by %s", o.lock, o.Process.Command)
	}
	return fmt.Sprintf("%s held by %s", o.lock, o.Process)
}

// ReusedPidError says that yum.pid names a living program that is not yum: yum 3.4.3 would wait for it for ever.
type ReusedPidError struct {
	File, Program string
	Pid           int
}

func (e *ReusedPidError) Error() string {
	return fmt.Sprintf("%s names pid %d, which is now %s and not yum: yum would wait for it for ever; make sure that "+
		"no yum runs, then remove %s", e.File, e.Pid, e.Program, e.File)
}

// LockedError says that somebody else's yum or rpm outlasted LockWait.
type LockedError struct {
	Holder string // `yum lock held by pid 4711 (yum -y update)`
	Waited time.Duration
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("%s for %s", e.Holder, plaintext.Duration(e.Waited))
}

// Holder looks for a living holder of any lock; nil when there is none. Without /proc nobody can be named: yum itself,
// told exit_on_lock, then says who it is.
func (h Locks) Holder() (*Holder, error) {
	for _, lock := range pidLocks {
		files, err := filepath.Glob(filepath.Join(h.Root, lock.glob))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			o, err := h.pidHolder(lock.name, file)
			if o != nil || err != nil {
				return o, err
			}
		}
	}
	return h.rpmHolder()
}

func (h Locks) pidHolder(name, file string) (*Holder, error) {
	shown := strings.TrimPrefix(file, h.Root)
	pid, written, err := readPid(file)
	if err != nil || pid == 0 {
		return nil, err
	}
	p, err := h.owned(strconv.Itoa(pid))
	if errors.Is(err, fs.ErrNotExist) || err == nil && p.state == 'Z' {
		return nil, nil // stale: yum removes the file by itself
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown, err)
	}
	return &Holder{lock: name, File: shown, Process: p, Reused: h.reused(p, written)}, nil
}

// readPid is the pid in a lock file and when it was written; 0 for a file that is gone or holds no pid, which yum takes
// for stale and removes (yum/__init__.py _get_locker reads the first line and strips it).
func readPid(file string) (int, time.Time, error) {
	f, err := hostfile.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, time.Time{}, err
	}
	first := make([]byte, 64)
	n, _ := f.Read(first)
	return ParsePid(first[:n]), info.ModTime(), nil
}

func ParsePid(text []byte) int {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	pid, err := strconv.Atoi(strings.TrimSpace(string(line)))
	if err != nil || pid <= 0 {
		return 0
	}
	return pid
}

// mayLock are programs that take yum's lock: yum and its relations, and anything in Python, because yum is a library
// there (PackageKit's backend, goferd, rhn_check, ansible's module).
var mayLock = lazy.Regexp(`(?i)yum|dnf|packagekit|python|rhn|goferd|subscription|repoquery|rpm`)

// reused is true where the holder can have nothing to do with yum and started after the lock was written. Either alone
// may deceive: a name is only a name, and the clock may have been set between the two.
func (h Locks) reused(p Process, written time.Time) bool {
	if mayLock().MatchString(p.Name + " " + p.Command) {
		return false
	}
	boot, err := h.BootTime()
	if err != nil {
		return false
	}
	const slack = 2 * time.Second // btime is rounded to a second
	started := boot.Add(time.Duration(p.Started) * (time.Second / 100))
	return started.After(written.Add(slack))
}

// rpmHolder is who holds rpm's lock. Anybody who can read the file can hold a read lock on it, and rpm waits for that
// one too.
func (h Locks) rpmHolder() (*Holder, error) {
	locks, err := h.FileLocks(RpmLock)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // no /proc
	}
	if err != nil {
		return nil, err
	}
	for _, l := range locks {
		p, err := h.locker(l.PID)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just ended
		}
		if err != nil {
			return nil, err
		}
		lock := "rpm transaction lock"
		if !l.Write {
			lock = "read lock on " + RpmLock + ", which rpm waits for,"
		}
		return &Holder{lock: lock, File: RpmLock, Process: p}, nil
	}
	return nil, nil
}

// locker is the process that holds a lock, without a name where /proc/locks has none.
func (h Locks) locker(pid int) (Process, error) {
	if pid == 0 {
		return Process{Command: "a process that /proc/locks does not name: see lsof " + RpmLock}, nil
	}
	return h.owned(strconv.Itoa(pid))
}
