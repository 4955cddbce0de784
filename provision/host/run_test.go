package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// script is a program of the given name that a shell runs.
func script(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRun(t *testing.T) {
	var logged []string
	r := &Runner{Seam: &Seam{}, Log: func(line string, changing bool) {
		logged = append(logged, fmt.Sprint(changing, " ", line))
	}}
	rpm := script(t, "rpm", `cat; echo "args: $*"; echo complaint >&2; exit 3`)
	stdout, stderr, status, err := r.Read(t.Context(), "from stdin\n", rpm, "-q", "a b")
	if stdout != "from stdin\nargs: -q a b\n" || stderr != "complaint\n" || status != 3 || err != nil {
		t.Errorf("%q, %q, %d, %v", stdout, stderr, status, err)
	}
	if len(logged) != 1 || !strings.HasPrefix(logged[0], "false run "+rpm+" -q 'a b': exit status 3, ") {
		t.Errorf("logged %q, want one line", logged)
	}
	if _, _, status, err = r.Change(t.Context(), "", rpm, "-e", "x"); status != 3 || err != nil || len(logged) != 2 ||
		!strings.HasPrefix(logged[1], "true run ") {
		t.Errorf("%d, %v, logged %q", status, err, logged)
	}
}

func TestRunRefuses(t *testing.T) {
	r := &Runner{Seam: &Seam{}}
	mark := filepath.Join(t.TempDir(), "ran")
	rpm, sh := script(t, "rpm", "touch "+mark), script(t, "sh", "touch "+mark)
	for name, call := range map[string]func() error{
		"a change called as reading": func() error {
			_, _, _, err := r.Read(t.Context(), "", rpm, "-e", "x")
			return err
		},
		"an unknown program": func() error { _, _, _, err := r.Read(t.Context(), "", sh, "-q"); return err },
		"an unknown one to change": func() error {
			_, _, _, err := r.Change(t.Context(), "", sh, "-c", "true")
			return err
		},
		"a run that was ended": func() error {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errors.New("caught interrupt"))
			_, _, _, err := r.Change(ctx, "", rpm, "-e", "x")
			if err != nil && !strings.Contains(err.Error(), "caught interrupt") {
				t.Errorf("the cause is not named: %v", err)
			}
			return err
		},
		"a seam that refuses": func() error {
			stopped := &Runner{Seam: &Seam{Hook: func(string) error { return errStopped }}}
			_, _, _, err := stopped.Change(t.Context(), "", rpm, "-e", "x")
			return err
		},
		"what is not installed": func() error {
			_, _, _, err := r.Read(t.Context(), "", filepath.Dir(rpm)+"/nowhere/rpm", "-q")
			return err
		},
	} {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := os.Stat(mark); err == nil {
			t.Errorf("%s: it was run", name)
		}
	}
}

// What a program that changes the host has begun is not ended with the run; one that only reads is.
func TestRunEnded(t *testing.T) {
	yum, rpm := script(t, "yum", "sleep 0.4; echo done"), script(t, "rpm", "exec sleep 20")
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupt := func() { cancel(errors.New("caught interrupt")) }
	r := &Runner{Seam: &Seam{Hook: func(string) error { time.AfterFunc(100*time.Millisecond, interrupt); return nil }}}
	stdout, _, status, err := r.Change(ctx, "", yum, "install", "x")
	if stdout != "done\n" || status != 0 || err != nil {
		t.Errorf("yum: %q, %d, %v; want it finished", stdout, status, err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	time.AfterFunc(100*time.Millisecond, func() { stop(errors.New("caught interrupt")) })
	start := time.Now()
	_, _, _, err = r.Read(ctx, "", rpm, "-q", "x")
	if err == nil || !strings.Contains(err.Error(), "caught interrupt") || time.Since(start) > 10*time.Second {
		t.Errorf("rpm after %s: %v, want it ended", time.Since(start), err)
	}
}

func TestRunKilled(t *testing.T) {
	r := &Runner{Seam: &Seam{}}
	_, _, status, err := r.Read(t.Context(), "", script(t, "nginx", "kill -SEGV $$"), "-t")
	if err == nil || status == 0 || !strings.Contains(err.Error(), "segmentation fault") {
		t.Errorf("%d, %v; want the signal named", status, err)
	}
}

func TestRunEnvironment(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("LANG", "de_DE.UTF-8")
	t.Setenv("LC_MESSAGES", "de_DE.UTF-8")
	t.Setenv("LD_PRELOAD", "")
	t.Setenv("https_proxy", "http://proxy.example.com:3128")
	r := &Runner{Seam: &Seam{}}
	stdout, _, _, err := r.Read(t.Context(), "", script(t, "rpm", "umask; pwd; env | sort"), "-q", "x")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	for _, want := range []string{"LC_ALL=C", "PATH=" + searchPath, "HOME=/root",
		"https_proxy=http://proxy.example.com:3128"} {
		if !slices.Contains(lines, want) {
			t.Errorf("the child does not have %s:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "de_DE") || strings.Contains(stdout, "LD_PRELOAD") {
		t.Errorf("the child has our language or preload:\n%s", stdout)
	}
	if len(lines) < 2 || lines[1] != "/" {
		t.Errorf("the child runs in %q, want /", lines)
	}
}

// ^C on the terminal goes to our process group, in which no child is.
func TestRunProcessGroup(t *testing.T) {
	r := &Runner{Seam: &Seam{}}
	stdout, _, _, err := r.Read(t.Context(), "", script(t, "rpm", "cut -d' ' -f5 /proc/$$/stat; echo $$"), "-q")
	f := strings.Fields(stdout)
	if err != nil || len(f) != 2 || f[0] != f[1] || f[0] == fmt.Sprint(syscall.Getpgrp()) {
		t.Errorf("group and pid %q, ours %d, %v; want a group of its own", f, syscall.Getpgrp(), err)
	}
}

// A flood of output is cut in the middle: the beginning says what was tried, the end what went wrong.
func TestRunOutput(t *testing.T) {
	r := &Runner{Seam: &Seam{}}
	stdout, _, _, err := r.Read(t.Context(), "",
		script(t, "rpm", "echo first; head -c 9000000 /dev/zero | tr '\\0' x; echo; echo last"), "-q")
	if err != nil || len(stdout) > outputLimit+100 || !strings.HasPrefix(stdout, "first\n") ||
		!strings.HasSuffix(stdout, "last\n") || !strings.Contains(stdout, "[…]") {
		t.Errorf("%d bytes, %v; want at most %d with both ends", len(stdout), err, outputLimit)
	}
	whole := strings.Repeat("y", outputLimit)
	var l limited
	for chunk := range slices.Chunk([]byte(whole), 70001) {
		if n, err := l.Write(chunk); n != len(chunk) || err != nil {
			t.Fatal(n, err)
		}
	}
	if l.String() != whole {
		t.Errorf("what just fits was cut to %d bytes", len(l.String()))
	}
}

// Root's PATH may hold wrappers and traps; programs are found where the system has them.
func TestFind(t *testing.T) {
	t.Setenv("PATH", filepath.Dir(script(t, "rpm", "true")))
	if path, err := find("sh"); err != nil || !strings.HasSuffix(path, "/bin/sh") {
		t.Errorf("sh: %q, %v", path, err)
	}
	if path, err := find("rpm"); err == nil && !strings.HasPrefix(path, "/usr/") && !strings.HasPrefix(path, "/bin/") {
		t.Errorf("rpm is taken from PATH: %s", path)
	}
	if _, err := find("no-such-program"); err == nil || !strings.Contains(err.Error(), searchPath) {
		t.Errorf("%v, want an error that says where it was looked for", err)
	}
}

// errStopped is a seam that stops the run.
var errStopped = errors.New("stopped")
