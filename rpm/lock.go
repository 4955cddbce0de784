package rpm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"wsprovision/provision/hostfile"
)

// pidLock is a lock that is a file with its holder's pid in it.
type pidLock struct{ name, glob string }

// pidLocks are the locks of yum 3.4.3 (constants.py) and of dnf where it poses as yum (dnf/lock.py).
var pidLocks = []pidLock{
	{"yum lock", "/var/run/yum.pid"},
	{"dnf cache lock", "/var/cache/dnf/*_lock.pid"},
	{"dnf database lock", "/var/lib/dnf/*_lock.pid"},
}

// rpmLock is rpm's transaction lock, fcntl(2); rpm 4.11 waits for it for ever, without a word (lib/rpmlock.c).
const rpmLock = "/var/lib/rpm/.rpm.lock"

// holder is who keeps us from running yum now.
type holder struct {
	lock    string
	file    string
	process process
	reused  bool // the pid belongs to a program that cannot have taken the lock
}

func (o holder) String() string {
	if o.process.pid == 0 {
		return fmt.Sprintf("%s held by %s", o.lock, o.process.command)
	}
	return fmt.Sprintf("%s held by %s", o.lock, o.process)
}

// ReusedPidError says that yum.pid names a living program that is not yum: yum 3.4.3 would wait for it for ever.
type ReusedPidError struct {
	File, Program string
	Pid           int
}

func (e *ReusedPidError) Error() string {
	return fmt.Sprintf("%s names pid %d, which is now %s and not yum: yum would wait for it for ever; "+
		"make sure that no yum runs, then remove %s", e.File, e.Pid, e.Program, e.File)
}

// LockedError says that somebody else's yum or rpm outlasted LockWait.
type LockedError struct {
	Holder string // `yum lock held by pid 4711 (yum -y update)`
	Waited time.Duration
}

func (e *LockedError) Error() string { return fmt.Sprintf("%s for %s", e.Holder, e.Waited) }

// holder looks for a living holder of any lock; nil when there is none. Without /proc nobody can be named: yum itself,
// told exit_on_lock, then says who it is.
func (h Host) holder() (*holder, error) {
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

func (h Host) pidHolder(name, file string) (*holder, error) {
	shown := strings.TrimPrefix(file, h.Root)
	pid, written, err := readPid(file)
	if err != nil || pid == 0 {
		return nil, err
	}
	p, err := h.process(strconv.Itoa(pid))
	if errors.Is(err, fs.ErrNotExist) || err == nil && p.state == 'Z' {
		return nil, nil // stale: yum removes the file by itself
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shown, err)
	}
	return &holder{lock: name, file: shown, process: p, reused: h.reused(p, written)}, nil
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
	return parsePid(first[:n]), info.ModTime(), nil
}

func parsePid(text []byte) int {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	pid, err := strconv.Atoi(strings.TrimSpace(string(line)))
	if err != nil || pid <= 0 {
		return 0
	}
	return pid
}

// mayLock are programs that take yum's lock: yum and its relations, and anything in Python, because yum is a library
// there (PackageKit's backend, goferd, rhn_check, ansible's module).
var mayLock = regexp.MustCompile(`(?i)yum|dnf|packagekit|python|rhn|goferd|subscription|repoquery|rpm`)

// reused is true where the holder can have nothing to do with yum and started after the lock was written. Either alone
// may deceive: a name is only a name, and the clock may have been set between the two.
func (h Host) reused(p process, written time.Time) bool {
	if mayLock.MatchString(p.name + " " + p.command) {
		return false
	}
	boot, err := h.bootTime()
	if err != nil {
		return false
	}
	const slack = 2 * time.Second // btime is rounded to a second
	started := boot.Add(time.Duration(p.started) * (time.Second / 100))
	return started.After(written.Add(slack))
}

// rpmHolder is who holds rpm's lock. Anybody who can read the file can hold a read lock on it, and rpm waits for that
// one too.
func (h Host) rpmHolder() (*holder, error) {
	locks, err := h.fileLocks(rpmLock)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // no /proc
	}
	if err != nil {
		return nil, err
	}
	for _, l := range locks {
		p, err := h.locker(l.pid)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it has just ended
		}
		if err != nil {
			return nil, err
		}
		lock := "rpm transaction lock"
		if !l.write {
			lock = "read lock on " + rpmLock + ", which rpm waits for,"
		}
		return &holder{lock: lock, file: rpmLock, process: p}, nil
	}
	return nil, nil
}

// locker is the process that holds a lock, without a name where /proc/locks has none.
func (h Host) locker(pid int) (process, error) {
	if pid == 0 {
		return process{command: "a process that /proc/locks does not name: see lsof " + rpmLock}, nil
	}
	return h.process(strconv.Itoa(pid))
}

const lockPoll = 2 * time.Second // as often as yum itself looks

// waiting is how much of LockWait is used up. Time is counted in sleeps, so a suspended machine does not use it up.
type waiting struct {
	h      Host
	waited time.Duration
	told   string
}

// free returns once nobody holds a lock, or with a LockedError when LockWait is used up.
func (w *waiting) free(ctx context.Context) error {
	for {
		o, err := w.h.holder()
		if err != nil {
			return err
		}
		if o == nil {
			return nil
		}
		if o.reused {
			return &ReusedPidError{File: o.file, Pid: o.process.pid, Program: o.process.command}
		}
		if err := w.pause(ctx, o.String()); err != nil {
			return err
		}
	}
}

// pause sleeps once on account of holder and tells a person: at first, when the holder changes, and every minute.
func (w *waiting) pause(ctx context.Context, holder string) error {
	if w.waited >= w.h.LockWait {
		return &LockedError{Holder: holder, Waited: w.waited}
	}
	if w.told != holder || w.waited%time.Minute == 0 {
		w.h.notice("%s for %s; waiting up to %s", holder, w.waited, w.h.LockWait)
		w.told = holder
	}
	step := min(lockPoll, w.h.LockWait-w.waited)
	if err := w.h.sleep(ctx, step); err != nil {
		return fmt.Errorf("%s: %w", holder, err)
	}
	w.waited += step
	return nil
}
