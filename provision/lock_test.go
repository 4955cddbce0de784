package provision

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
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
		info, err := os.Stat(h.Root + lockPath)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	first := lock()
	if err := os.Chtimes(h.Root+lockPath, time.Unix(1, 0), time.Unix(1, 0)); err != nil {
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
	if _, err := h.Lock(t.Context(), 0); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", other.Process.Pid)) {
		t.Errorf("%v, want %v that names process %d", err, ErrLocked, other.Process.Pid)
	}
	start := time.Now()
	if _, err := h.Lock(t.Context(), 300*time.Millisecond); !errors.Is(err, ErrLocked) || time.Since(start) < 300*time.Millisecond {
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
	if err := errors.Join(os.Mkdir(root+"/run", 0o755), os.WriteFile(root+"/victim", []byte("mine"), 0o600), os.Symlink(root+"/victim", root+lockPath)); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Host{Root: root}).Lock(t.Context(), 0); err == nil {
		t.Errorf("locked through a link")
	}
	if text, _ := os.ReadFile(root + "/victim"); string(text) != "mine" {
		t.Errorf("the link's target holds %q", text)
	}
}
