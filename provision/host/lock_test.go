package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// holdsLock makes the test's own program a second agent, see TestMain.
const holdsLock = "WSPROVISION_TEST_HOLDS_LOCK"

func TestMain(m *testing.M) {
	if root := os.Getenv(holdsLock); root != "" {
		h := &Host{Root: root}
		if _, err := h.Lock(context.Background(), 0); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("locked")
		time.Sleep(time.Minute)
		return
	}
	os.Exit(m.Run())
}

// withProc is a root with the kernel's own /proc, which knows the locks under it.
func withProc(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Symlink("/proc", root+"/proc"); err != nil {
		t.Fatal(err)
	}
	return root
}

// A run that finds the lock free leaves its file as it is: an unchanged apply changes no file's time.
func TestLockTouchesNothing(t *testing.T) {
	h := &Host{Root: t.TempDir()}
	lock := func() os.FileInfo {
		release, err := h.Lock(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		info, err := os.Stat(h.Root + LockPath)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	first := lock()
	if err := os.Chtimes(h.Root+LockPath, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if again := lock(); !again.ModTime().Equal(time.Unix(1, 0)) || again.Size() != first.Size() {
		t.Errorf("%s, %d bytes; want it untouched", again.ModTime(), again.Size())
	}
}

func TestLockBetweenProcesses(t *testing.T) {
	root := withProc(t)
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), holdsLock+"="+root)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Process.Kill() //nolint:errcheck // it may have ended
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		t.Fatalf("the other process: %q, %v", line, err)
	}
	h := &Host{Root: root}
	if _, err := h.Lock(t.Context(), 0); !errors.Is(err, ErrLocked) ||
		!strings.Contains(err.Error(), fmt.Sprintf("process %d", other.Process.Pid)) {
		t.Errorf("%v, want %v that names process %d", err, ErrLocked, other.Process.Pid)
	}
	start := time.Now()
	if _, err := h.Lock(t.Context(), 300*time.Millisecond); !errors.Is(err, ErrLocked) ||
		time.Since(start) < 300*time.Millisecond {
		t.Errorf("waited %s: %v", time.Since(start), err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("caught interrupt"))
	if _, err := h.Lock(ctx, time.Minute); err == nil || !strings.Contains(err.Error(), "caught interrupt") {
		t.Errorf("an ended wait: %v", err)
	}
	// The kernel gives the lock up with the process, however that ends.
	time.AfterFunc(200*time.Millisecond, func() { _ = other.Process.Kill() })
	release, err := h.Lock(t.Context(), 10*time.Second)
	if err != nil {
		t.Fatalf("after the other was killed: %v", err)
	}
	if _, err := h.Lock(t.Context(), 0); !errors.Is(err, ErrLocked) {
		t.Errorf("a second time in one process: %v", err)
	}
	release()
	release, err = h.Lock(t.Context(), 0)
	if err != nil {
		t.Fatalf("released, and then: %v", err)
	}
	release()
}

// A link in the lock's place is not followed: /run is root's, and a file elsewhere must not be truncated.
func TestLockIsNotALink(t *testing.T) {
	root := t.TempDir()
	if err := errors.Join(os.Mkdir(root+"/run", 0o755), os.WriteFile(root+"/victim", []byte("mine"), 0o600),
		os.Symlink(root+"/victim", root+LockPath)); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Host{Root: root}).Lock(t.Context(), 0); err == nil {
		t.Errorf("locked through a link")
	}
	if text, _ := os.ReadFile(root + "/victim"); string(text) != "mine" {
		t.Errorf("the link's target holds %q", text)
	}
}

// TestHostileLockRemoved: a lock file that is removed during a run lets no second run in, whatever of the two things
// that are locked is left, and the first run goes on.
func TestHostileLockRemoved(t *testing.T) {
	for name, tt := range map[string]struct {
		stateDir bool
		remove   []string
		// goesOn: the first run makes a change before the second one comes.
		goesOn bool
	}{
		"its file":                                {true, []string{LockPath}, false},
		"its file, and the run goes on":           {true, []string{LockPath}, true},
		"its directory":                           {true, []string{StateDir}, false},
		"both, and the run goes on":               {true, []string{LockPath, StateDir}, true},
		"its file, where there is no directory":   {false, []string{LockPath}, true},
		"nothing":                                 {true, nil, false},
		"its file, before the directory was made": {false, []string{LockPath}, true},
	} {
		t.Run(name, func(t *testing.T) {
			root := withProc(t)
			if tt.stateDir {
				if err := os.MkdirAll(root+StateDir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			first, second := &Host{Root: root, Seam: &Seam{}}, &Host{Root: root, Seam: &Seam{}}
			release, err := first.Lock(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			defer release()
			for _, path := range tt.remove {
				if err := os.RemoveAll(root + path); err != nil {
					t.Fatal(err)
				}
			}
			done := 0
			change := func() error { done++; return nil }
			if tt.goesOn {
				if err := first.Seam.Do("x", change); err != nil || done != 1 {
					t.Errorf("the first run does not go on: %v", err)
				}
			}
			if _, err := second.Lock(t.Context(), 0); !errors.Is(err, ErrLocked) {
				t.Errorf("the second run: %v, want %v", err, ErrLocked)
			}
			if _, held, _ := second.Holder(); !held {
				t.Errorf("nobody is said to hold the lock")
			}
			if err := first.Seam.Do("x", change); err != nil {
				t.Errorf("the first run afterwards: %v", err)
			}
		})
	}
}

// TestHostileLockLost: where another run has the lock by now, the first one changes nothing more.
func TestHostileLockLost(t *testing.T) {
	root := withProc(t)
	first, second := &Host{Root: root, Seam: &Seam{}}, &Host{Root: root, Seam: &Seam{}}
	release, err := first.Lock(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := os.Remove(root + LockPath); err != nil {
		t.Fatal(err)
	}
	releaseSecond, err := second.Lock(t.Context(), 0) // without a directory there is nothing to see the first run by
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	change := func() error { done++; return nil }
	if err := first.Seam.Do("x", change); !errors.Is(err, ErrLocked) || done != 0 {
		t.Errorf("%v, and changed %d times; want %v and no change", err, done, ErrLocked)
	}
	if err := second.Seam.Do("x", change); err != nil || done != 1 {
		t.Errorf("the second run: %v", err)
	}
	releaseSecond()
	if err := first.Seam.Do("x", change); !errors.Is(err, ErrLocked) || done != 1 {
		t.Errorf("once the second has ended: %v; what the first one has read of the host is not true any more", err)
	}
}

// TestHostileLockDirectory: who may open the agent's directory cannot hold it up by locking it.
func TestHostileLockDirectory(t *testing.T) {
	root := withProc(t)
	if err := errors.Join(os.MkdirAll(root+StateDir, 0o755), os.Chmod(root+StateDir, 0o755)); err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open(root + StateDir)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	release, err := (&Host{Root: root}).Lock(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	release()
}

// A state directory that is something else is not locked, and it is said what is there.
func TestLockOfALink(t *testing.T) {
	for name, put := range map[string]func(path string) error{
		"link": func(path string) error { return os.Symlink(t.TempDir(), path) },
		"file": func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		path := t.TempDir() + "/state"
		if err := put(path); err != nil {
			t.Fatal(err)
		}
		if f, err := openLockDir(path); err == nil || !strings.Contains(err.Error(), "symbolic link") {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
}
