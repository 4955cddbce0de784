package rpm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wsprovision/rpm/locks"
	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/rpmtest"

	"golang.org/x/sys/unix"
)

const bootTime = 1700000000

// proc makes /proc/PID of a process that started so many seconds after the boot.
func (f *fake) proc(pid, parent int, name, cmdline string, state byte, after int) {
	f.write("/proc/stat", fmt.Sprintf("cpu  1 2 3\nbtime %d\nprocesses 9\n", bootTime))
	zeros := strings.Repeat(" 0", 17)
	f.write(fmt.Sprintf("/proc/%d/stat", pid), fmt.Sprintf("%d (%s) %c %d%s %d 0 0\n", pid, name, state, parent, zeros,
		after*100))
	f.write(fmt.Sprintf("/proc/%d/cmdline", pid), strings.ReplaceAll(cmdline, " ", "\x00")+"\x00")
}

// lock writes yum.pid so many seconds after the boot.
func (f *fake) lock(path string, pid, after int) {
	f.write(path, fmt.Sprint(pid))
	at := time.Unix(bootTime+int64(after), 0)
	if err := os.Chtimes(filepath.Join(f.root, path), at, at); err != nil {
		f.t.Fatal(err)
	}
}

func TestLocks(t *testing.T) {
	const yumPid = "/var/run/yum.pid"
	tests := []struct {
		name    string
		set     func(*fake)
		wantErr string
		slept   time.Duration
		notice  string
	}{
		{name: "nobody", set: func(*fake) {}},
		{name: "dead", set: func(f *fake) { f.proc(1, 0, "systemd", "/sbin/init", 'S', 0); f.lock(yumPid, 4711, 10) }},
		{name: "zombie", set: func(f *fake) { f.proc(4711, 1, "yum", "", 'Z', 5); f.lock(yumPid, 4711, 10) }},
		{name: "no pid in it", set: func(f *fake) { f.write(yumPid, "\x00\x00garbage") }},
		{name: "empty", set: func(f *fake) { f.write(yumPid, "") }},
		{name: "yum stays", set: func(f *fake) {
			f.proc(4711, 1, "yum", "/usr/bin/python /usr/bin/yum -y update", 'S', 5)
			f.lock(yumPid, 4711, 10)
		}, slept: 3 * time.Minute,
			wantErr: "install nginx: yum lock held by pid 4711 (/usr/bin/python /usr/bin/yum -y update) for 3m",
			notice:  "for 1m; waiting up to 3m"},
		{name: "yum goes after 10 s", set: func(f *fake) {
			f.proc(4711, 1, "yum", "yum -y update", 'S', 5)
			f.lock(yumPid, 4711, 10)
			f.onSleep = func() {
				if f.slept == 10*time.Second {
					_ = os.Remove(filepath.Join(f.root, yumPid))
				}
			}
		}, slept: 10 * time.Second, notice: "yum lock held by pid 4711 (yum -y update) for 0s"},
		{name: "pid reused", set: func(f *fake) {
			f.proc(4711, 1, "sshd", "sshd: root@pts/0", 'S', 500)
			f.lock(yumPid, 4711, 10)
		},
			wantErr: "/var/run/yum.pid names pid 4711, which is now sshd: root@pts/0 and not yum: yum would wait for " +
				"it for ever; make sure that no yum runs, then remove /var/run/yum.pid"},
		{name: "a stranger that is older than the lock may be a wrapper", set: func(f *fake) {
			f.proc(4711, 1, "agentd", "agentd", 'S', 5)
			f.lock(yumPid, 4711, 10)
		},
			slept: 3 * time.Minute, wantErr: "held by pid 4711 (agentd) for 3m"},
		{name: "python that is younger than the lock may use yum's library", set: func(f *fake) {
			f.proc(4711, 1, "python2.7", "python2.7 goferd", 'S', 500)
			f.lock(yumPid, 4711, 10)
		},
			slept: 3 * time.Minute, wantErr: "held by pid 4711 (python2.7 goferd)"},
		{name: "dnf", set: func(f *fake) {
			f.proc(4711, 1, "dnf", "dnf makecache", 'S', 5)
			f.lock("/var/cache/dnf/metadata_lock.pid", 4711, 10)
		}, slept: 3 * time.Minute, wantErr: "dnf cache lock held by pid 4711 (dnf makecache)"},
		{name: "rpm", set: func(f *fake) { f.proc(99, 1, "rpm", "rpm -i x.rpm", 'S', 5); f.rpmLocked(99, "WRITE") },
			slept: 3 * time.Minute, wantErr: "rpm transaction lock held by pid 99 (rpm -i x.rpm)"},
		{name: "escape sequences stay out", set: func(f *fake) {
			f.proc(4711, 1, "yum", "yum \x1b[2J", 'S', 5)
			f.lock(yumPid, 4711, 10)
		}, slept: 3 * time.Minute, wantErr: "(yum ?[2J)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			tt.set(f)
			f.yum = f.brings("", 0, "nginx")
			h := f.host()
			h.LockWait = 3 * time.Minute
			_, err := h.Install(bg, Wants{Packages: []string{"nginx"}}, rpmdb.Inventory{}, Limits{})
			if !rpmtest.Matches(err, tt.wantErr) {
				t.Errorf("error is %v, want %q", err, tt.wantErr)
			}
			if f.slept != tt.slept {
				t.Errorf("slept %s, want %s", f.slept, tt.slept)
			}
			if !strings.Contains(strings.Join(f.notices, "\n"), tt.notice) {
				t.Errorf("notices %q lack %q", f.notices, tt.notice)
			}
		})
	}
}

// rpmLocked makes rpm's lock file and the line of /proc/locks for it.
func (f *fake) rpmLocked(pid int, mode string) {
	f.write(locks.RpmLock, "")
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(f.root, locks.RpmLock), &st); err != nil {
		f.t.Fatal(err)
	}
	f.write("/proc/locks", fmt.Sprintf("1: FLOCK  ADVISORY  WRITE 1 00:17:9 0 EOF\n2: POSIX  ADVISORY  %s %d "+
		"%02x:%02x:%d 0 EOF\n2: -> POSIX  ADVISORY  WRITE 77 %02x:%02x:%d 0 EOF\n",
		mode, pid, unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino, unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino))
}

func TestLockTakenAfterOurLook(t *testing.T) {
	for recording, pid := range map[string]string{"rhel7-locked-exit": "55", "dnf4-locked": "4711"} {
		f := newFake(t)
		held, free := f.brings(recording, 1), f.brings("", 0, "nginx")
		f.yum = func(argv []string) (string, string, int) {
			if len(f.ran) < 4 {
				return held(argv)
			}
			return free(argv)
		}
		if _, err := f.host().Install(bg, Wants{Packages: []string{"nginx"}}, rpmdb.Inventory{}, Limits{}); err != nil {
			t.Error(err)
		}
		if len(f.ran) != 4 || f.slept != 6*time.Second ||
			!strings.Contains(f.notices[0], "yum lock held by pid "+pid+" for 0s") {
			t.Errorf("%s: %d runs, %s of sleep, notices %q", recording, len(f.ran), f.slept, f.notices)
		}
		f = newFake(t)
		f.yum = f.brings(recording, 1)
		_, err := f.host().Install(bg, Wants{Packages: []string{"nginx"}}, rpmdb.Inventory{}, Limits{})
		var locked *locks.LockedError
		if !errors.As(err, &locked) || locked.Waited != 10*time.Minute {
			t.Errorf("%s: error is %v", recording, err)
		}
	}
}

// TestEraseWaitsForTheLock itself would wait for its lock for ever, and in silence.
func TestEraseWaitsForTheLock(t *testing.T) {
	for name, erase := range map[string]func(h Host) error{
		"package": func(h Host) error { return h.Erase(bg, "nginx") },
		"key":     func(h Host) error { return h.ForgetKey(bg, rpmtest.OnePrint) },
	} {
		f := newFake(t)
		f.proc(4711, 1, "yum", "yum update", 'S', 5)
		f.rpmLocked(4711, "WRITE")
		f.keys = []string{rpmtest.KeyFile(t, "one.asc")}
		var locked *locks.LockedError
		if err := erase(f.host()); !errors.As(err, &locked) || !strings.Contains(locked.Holder, "yum update") {
			t.Errorf("%s: error is %v", name, err)
		}
		if len(f.ran) > 0 {
			t.Errorf("%s: ran %q", name, f.ran)
		}
	}
}

func TestLockWaitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		f.proc(4711, 1, "yum", "yum update", 'S', 5)
		f.lock("/var/run/yum.pid", 4711, 10)
		ctx, cancel := context.WithCancel(t.Context())
		h := f.host()
		h.Sleep = nil
		time.AfterFunc(20*time.Millisecond, cancel)
		start := time.Now()
		_, err := h.Install(ctx, Wants{Packages: []string{"nginx"}}, rpmdb.Inventory{}, Limits{})
		if took := time.Since(start); !errors.Is(err, context.Canceled) || took != 20*time.Millisecond {
			t.Errorf("error is %v after %s, want canceled after 20ms", err, took)
		}
	})
}

// TestHolderHere reads this machine's own /proc: we hold an fcntl lock on a file and must find ourselves.
func TestHolderHere(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := unix.FcntlFlock(file.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	held, err := locks.Locks{}.FileLocks(file.Name())
	if err != nil || len(held) != 1 || held[0] != (locks.FileLock{PID: os.Getpid(), Write: true}) {
		t.Errorf("locks are %v, %v, want one of %d", held, err, os.Getpid())
	}
	self, err := locks.Locks{}.Process("self")
	if err != nil || self.PID != os.Getpid() || self.Parent != os.Getppid() {
		t.Errorf("self is %+v, %v", self, err)
	}
	boot, err := locks.Locks{}.BootTime()
	if err != nil {
		t.Fatal(err)
	}
	if age := time.Since(boot.Add(time.Duration(self.Started) * 10 * time.Millisecond)); age < -2*time.Second ||
		age > time.Hour {
		t.Errorf("we started %s ago", age)
	}
}

func TestInScriptlet(t *testing.T) {
	tests := []struct {
		name string
		set  func(*fake)
		want bool
	}{
		{"a shell", func(*fake) {}, false},
		{"below rpm, which holds its lock", func(f *fake) { f.rpmLocked(50, "WRITE") }, true},
		{"rpm elsewhere holds its lock", func(f *fake) {
			f.proc(60, 1, "rpm", "rpm -i", 'S', 5)
			f.rpmLocked(60, "WRITE")
		}, false},
		{"below yum, which holds its lock", func(f *fake) {
			f.proc(50, 1, "yum", "yum install", 'S', 5)
			f.lock("/var/run/yum.pid", 50, 10)
		}, true},
		{"a stale yum.pid names our shell", func(f *fake) { f.lock("/var/run/yum.pid", 70, 1) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.proc(1, 0, "systemd", "/sbin/init", 'S', 0)
			f.proc(50, 1, "rpm", "rpm -U wsprovision.rpm", 'S', 5)
			f.proc(70, 50, "sh", "/bin/sh /var/tmp/rpm-tmp.x", 'S', 6)
			f.write("/proc/locks", "")
			f.write(locks.RpmLock, "")
			f.write("/proc/self/stat", "71 (wsprovision) R 70"+strings.Repeat(" 0", 17)+" 700 0 0\n")
			tt.set(f)
			got, err := locks.Locks{Root: f.host().Root}.InScriptlet()
			if err != nil || got != tt.want {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
		})
	}
	if _, err := (locks.Locks{Root: newFake(t).host().Root}).InScriptlet(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without /proc the error is %v", err)
	}
}

func FuzzParsePid(f *testing.F) {
	for _, s := range []string{"4711", "4711\n", " 12 ", "", "-1", "0", "99999999999999999999", "12 34", "\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		pid := locks.ParsePid(text)
		first, _, _ := strings.Cut(string(text), "\n")
		if pid < 0 || pid > 0 && strings.TrimLeft(strings.TrimSpace(first), "+0") != strconv.Itoa(pid) {
			t.Errorf("%q gives pid %d", text, pid)
		}
		if pid > 0 && locks.ParsePid(fmt.Appendf(nil, " %d\nmore", pid)) != pid {
			t.Errorf("%d is not read back", pid)
		}
	})
}

func FuzzParseStat(f *testing.F) {
	f.Add("4711 (yum) S 1" + strings.Repeat(" 0", 17) + " 500 0 0\n")
	f.Add("1 (a) b) (c)) Z 0" + strings.Repeat(" 0", 17) + " 5\n")
	f.Add("1 (x) S")
	f.Fuzz(func(t *testing.T, line string) {
		p, err := locks.ParseStat(line)
		if err == nil && (p.PID < 0 || strings.ContainsAny(p.Name, "\x1b\n")) {
			t.Errorf("%q: %+v", line, p)
		}
	})
}

// Who writes is found behind whatever was understood; who reads or waits is not a holder.
func FuzzParseLocks(f *testing.F) {
	f.Add("1: POSIX  ADVISORY  WRITE 4711 fd:00:1 0 EOF\n1: -> POSIX  ADVISORY  WRITE 4712 fd:00:1 0 EOF\n")
	f.Fuzz(func(t *testing.T, text string) {
		const inode = "fd:00:1"
		held, err := locks.ParseLocks(text, inode)
		if err != nil {
			if len(held) > 0 || !strings.HasPrefix(err.Error(), "/proc/locks: not understood: ") {
				t.Errorf("%q: %v, %v", text, held, err)
			}
			return
		}
		if strings.Count(text, inode) < len(held) {
			t.Errorf("%q: %v", text, held)
		}
		more := text + "\n9: POSIX  ADVISORY  READ 1 " + inode + " 0 EOF\n9: -> POSIX  ADVISORY  WRITE 2 " + inode +
			" 0 EOF\n" +
			"9: OFDLCK ADVISORY  WRITE -1 " + inode + " 0 EOF\n9: FLOCK  ADVISORY  WRITE 4 " + inode + " 0 EOF\n"
		want := append(slices.Clone(held), locks.FileLock{PID: 1, Write: false}, locks.FileLock{PID: 0, Write: true})
		if got, err := locks.ParseLocks(more, inode); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q and two more: %v, %v, want %v", text, got, err, want)
		}
	})
}

// Anybody can open rpm's lock file and hold a read lock on it, for which rpm waits without end.
func TestHostileReadLockOnRPM(t *testing.T) {
	const passwd = "root:x:0:0::/root:/bin/bash\nmallory:x:1000:1000::/home/mallory:/bin/bash\n"
	for _, tt := range []struct {
		name, kind, mode, passwd string
		pid                      int
		want                     string // "" is free
	}{
		{"a read lock", "POSIX", "READ", passwd, 99,
			"read lock on /var/lib/rpm/.rpm.lock, which rpm waits for, held by pid 99 (hold it) of user mallory"},
		{"a user without a name", "POSIX", "READ", "", 99, "held by pid 99 (hold it) of uid 1000"},
		{"rpm", "POSIX", "WRITE", passwd, 99, "rpm transaction lock held by pid 99 (hold it) of user mallory"},
		{"of an open file description", "OFDLCK", "READ", passwd, -1,
			"held by a process that /proc/locks does not name"},
		{"from another pid namespace", "POSIX", "READ", passwd, 0, "held by a process that /proc/locks does not name"},
		{"has just ended", "POSIX", "READ", passwd, 98, ""},
		{"flock, for which rpm does not wait", "FLOCK", "WRITE", passwd, 99, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			f.proc(99, 1, "hold", "hold it", 'S', 5)
			f.write("/proc/99/status", "Name:\thold\nUid:\t0\t1000\t1000\t1000\n")
			f.write("/etc/passwd", tt.passwd)
			f.rpmLocked(tt.pid, tt.mode)
			held, err := os.ReadFile(filepath.Join(f.root, "/proc/locks"))
			if err != nil {
				t.Fatal(err)
			}
			f.write("/proc/locks", strings.Replace(string(held), "2: POSIX ", "2: "+tt.kind, 1))
			f.yum = f.brings("", 0, "nginx")
			_, err = f.host().Install(bg, Wants{Packages: []string{"nginx"}}, rpmdb.Inventory{}, Limits{})
			var locked *locks.LockedError
			if !rpmtest.Matches(err, tt.want) || tt.want != "" && (!errors.As(err, &locked) || len(f.ran) > 0) {
				t.Errorf("error is %v, want %q; ran %q", err, tt.want, f.ran)
			}
		})
	}
}

// TestHostileReadLockHere holds a read lock for real, on a file that is opened for reading only.
func TestHostileReadLockHere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := unix.FcntlFlock(file.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_RDLCK}); err != nil {
		t.Fatal(err)
	}
	held, err := locks.Locks{}.FileLocks(path)
	if err != nil || len(held) != 1 || held[0] != (locks.FileLock{PID: os.Getpid(), Write: false}) {
		t.Errorf("locks are %v, %v, want a read lock of %d", held, err, os.Getpid())
	}
}
