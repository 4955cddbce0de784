package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/provision"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

func TestExitStatus(t *testing.T) {
	_, conf := config.Load(config.Input{Flags: map[string]string{"backend": "x"}})
	for _, tt := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, 0},
		{"a step failed", outcome(exitFailed), 1},
		{"something changed", outcome(exitChanged), 2},
		{"something is deferred", outcome(exitDeferred), 3},
		{"usage", cmdline.Misused(errors.New("x")), 64},
		{"usage, wrapped", fmt.Errorf("x: %w", cmdline.Misused(errors.New("x"))), 64},
		{"a lock", fmt.Errorf("x: %w", host.ErrLocked), 75},
		{"not root", provision.ErrNotRoot, 77},
		{"a configuration", conf, 78},
		{"anything else", io.ErrUnexpectedEOF, 1},
		{"what only looks like usage", errors.New("run: unknown command"), 1},
	} {
		if got := exitStatus(tt.err); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

// Each status is in the help, so that the two cannot part.
func TestExitStatusesAreDocumented(t *testing.T) {
	for _, code := range []int{exitOK, exitFailed, exitChanged, exitDeferred, exitUsage, exitLocked, exitNoPerm,
		exitConfig} {
		if !strings.Contains(exitStatusesDoc, fmt.Sprintf("\n  %-3d ", code)) {
			t.Errorf("the help does not speak of %d", code)
		}
	}
	a := newApp(nil, io.Discard, io.Discard)
	for _, c := range a.command().Commands() {
		runs := c.Name() == "apply" || c.Name() == "plan" || c.Name() == "revert"
		if runs && !strings.Contains(c.Long, "Exit status:") {
			t.Errorf("%s does not say what its exit status means", c.Name())
		}
	}
}

func TestOutcome(t *testing.T) {
	report := func(result engine.Status, steps ...engine.Status) *engine.Report {
		r := &engine.Report{Result: result}
		for _, s := range steps {
			r.Steps = append(r.Steps, engine.StepReport{Status: s})
		}
		return r
	}
	for _, tt := range []struct {
		report          *engine.Report
		plain, detailed int
	}{
		{report(engine.Unchanged, engine.Unchanged), 0, 0},
		{report(engine.Changed, engine.Changed), 0, 2},
		{report(engine.Planned, engine.Planned), 0, 2},
		{report(engine.Deferred, engine.Changed, engine.Deferred), 0, 3},
		{report(engine.Failed, engine.Changed, engine.Failed), 1, 1},
	} {
		plain, detailed := exitStatus(outcomeOf(tt.report, false)), exitStatus(outcomeOf(tt.report, true))
		if plain != tt.plain || detailed != tt.detailed {
			t.Errorf("%s: %d and %d, want %d and %d", tt.report.Result, plain, detailed, tt.plain, tt.detailed)
		}
	}
}

// The whole program, as far as it comes without touching the machine.
func TestRunStatus(t *testing.T) {
	good := []string{"--server-name", "ws.example.com", "--backend", "127.0.0.1:3000"}
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("sites: [\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		args    []string
		environ []string
		want    int
	}{
		{"help", []string{"apply", "--help"}, nil, 0},
		{"nothing", nil, nil, 64},
		{"an unknown command", []string{"aply"}, nil, 64},
		{"an unknown flag", append([]string{"apply", "--nosuch"}, good...), nil, 64},
		{"an argument", append([]string{"apply", "extra"}, good...), nil, 64},
		{"a flag without its value", []string{"plan", "--server-name"}, nil, 64},
		{"an unknown output", append([]string{"plan", "-o", "xml"}, good...), nil, 64},
		{"a configuration that a revert does not read", []string{"revert", "--plan", "--config", bad}, nil, 64},
		{"a configuration that status does not read", []string{"--config", bad, "status"}, nil, 64},
		{"a form that echo has not", []string{"echo", "--listen", "127.0.0.1:nosuch", "-o", "json"}, nil, 64},
		{"a place that connect does not ask for", []string{"--offline", "connect", "ws://127.0.0.1:1/"}, nil, 64},
		{"a broken file", []string{"apply", "--config", bad}, nil, 78},
		{"no such file", []string{"apply", "--config", bad + "x"}, nil, 78},
		{"a wrong flag", []string{"apply", "--server-name", "a b", "--backend", "127.0.0.1:3000"}, nil, 78},
		{"port 65536", []string{"plan", "--server-name", "ws.example.com", "--backend", "127.0.0.1:65536"}, nil, 78},
		{"a wrong variable", append([]string{"apply"}, good...), []string{"WSPROVISION_ON_DRIFT=perhaps"}, 78},
		{"an unknown variable", append([]string{"apply"}, good...), []string{"WSPROVISION_NO_SUCH=1"}, 78},
	} {
		var out, complaint bytes.Buffer
		if got := run(tt.args, tt.environ, &out, &complaint); got != tt.want {
			t.Errorf("%s: %d, want %d\n%s%s", tt.name, got, tt.want, out.String(), complaint.String())
		}
		if tt.want > 64 && (complaint.Len() == 0 || out.Len() > 0) {
			t.Errorf("%s: stdout %q, stderr %q; want a complaint on stderr alone", tt.name, out.String(),
				complaint.String())
		}
	}
}

// agent has the test's own program be the agent, see TestMain.
func agent(t *testing.T, uid uint32, args ...string) *exec.Cmd {
	t.Helper()
	dir, err := os.MkdirTemp("", "wsprovision-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = errors.Join(os.Chmod(dir, 0o755), os.WriteFile(dir+"/wsprovision", program, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(dir+"/wsprovision", args...)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin:/bin"}
	if covered := os.Getenv("GOCOVERDIR"); covered != "" && uid == 0 {
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+covered)
	}
	if uid != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	return cmd
}

func TestNotRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("run as an ordinary user already")
	}
	for _, name := range []string{"apply", "revert"} {
		args := []string{name}
		if name == "apply" {
			args = append(args, "--server-name", "ws.example.com", "--backend", "127.0.0.1:3000")
		}
		var complaint bytes.Buffer
		cmd := agent(t, 65534, args...)
		cmd.Stderr = &complaint
		_ = cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != exitNoPerm || !strings.Contains(complaint.String(), "root") {
			t.Errorf("%s as uid 65534: %d %q, want %d", name, got, complaint.String(), exitNoPerm)
		}
	}
}

// A terminal's end takes a backend along, unless by nohup(1), and nothing that changes the host.
func TestHangUp(t *testing.T) {
	handleHangUp(t)
	for _, ignored := range []bool{false, true} {
		cmd := agent(t, 0, "echo", "--listen", "127.0.0.1:0")
		if ignored {
			cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$0" "$@"`, cmd.Path},
				cmd.Args[1:]...)
		}
		stderr, err := cmd.StderrPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(stderr).ReadString('\n'); err != nil ||
			ignores(t, cmd, syscall.SIGHUP) != ignored {
			t.Errorf("echo says %q, %v, and ignores SIGHUP: %v, want %v", line, err, !ignored, ignored)
		}
		ending := syscall.SIGHUP
		if ignored {
			ending = syscall.SIGTERM
		}
		if t.Failed() {
			ending = syscall.SIGKILL
		}
		_ = cmd.Process.Signal(ending)
		if err := cmd.Wait(); err != nil {
			t.Errorf("echo ended by %s: %v, want exit status 0", ending, err)
		}
	}
	for _, c := range (newApp(nil, io.Discard, io.Discard)).command().Commands() {
		changes := slices.Contains([]string{"apply", "revert", "first-boot", "renew-hook"}, c.Name())
		if changes != (c.PreRun != nil) {
			t.Errorf("%s outlives its terminal: %v, want %v", c.Name(), !changes, changes)
		}
	}
}

// The terminal may go as soon as the configuration is read. Root takes none from a pipe, so that it is nobody who asks.
func TestApplyIgnoresHangUp(t *testing.T) {
	handleHangUp(t)
	const nobody = 65534
	for name, want := range map[string]bool{"apply": true, "plan": false} {
		dir, err := os.MkdirTemp("", "wsprovision-test-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		fifo := filepath.Join(dir, "config")
		err = errors.Join(os.Chmod(dir, 0o755), syscall.Mkfifo(fifo, 0o600), os.Chown(fifo, nobody, nobody))
		if err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(fifo, os.O_RDWR, 0) // there is a writer, who says nothing yet
		if err != nil {
			t.Fatal(err)
		}
		cmd := agent(t, nobody, name, "--config", fifo)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for range 3000 {
			if reads(cmd, fifo) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if got := ignores(t, cmd, syscall.SIGHUP); got != want {
			t.Errorf("%s ignores SIGHUP: %v, want %v", name, got, want)
		}
		_, _ = w.WriteString("sites: [")
		w.Close()
		if got := endedWith(t, cmd.Wait()); got != exitConfig {
			t.Errorf("%s: exit status %d, want %d", name, got, exitConfig)
		}
	}
}

// reads reports whether the process has the file open.
func reads(cmd *exec.Cmd, path string) bool {
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", cmd.Process.Pid))
	return slices.ContainsFunc(fds, func(fd string) bool {
		to, _ := os.Readlink(fd)
		return to == path
	})
}

// TestHostileConfiguration: root changes nothing by a file that somebody else could have written; a plan only warns.
func TestHostileConfiguration(t *testing.T) {
	dir := t.TempDir()
	file, fifo := dir+"/c.yaml", dir+"/fifo"
	err := errors.Join(os.WriteFile(file, []byte("sites: []\n"), 0o644), os.Chmod(file, 0o666),
		syscall.Mkfifo(fifo, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args, says string
	}{
		{"apply --config " + file, "chmod go-w " + file},
		{"apply --config " + fifo, "not a regular file"},
		{"plan --config " + file, "warning: apply will refuse"},
		{"plan --config " + fifo, "no site is configured"},
		{"apply --config /dev/null", "no site is configured"},
	} {
		var out bytes.Buffer
		cmd := agent(t, 0, strings.Fields(tt.args)...)
		cmd.Stdout, cmd.Stderr = &out, &out
		got := endedWith(t, cmd.Run())
		if got != exitConfig || !strings.Contains(out.String(), tt.says) {
			t.Errorf("%s: exit status %d, %s; want %d and %q", tt.args, got, out.String(), exitConfig, tt.says)
		}
	}
}

// handleHangUp keeps SIGHUP from being ignored in this process, by an apply in it or from its start, which children
// inherit.
func handleHangUp(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(caught) })
}

// ignores reads SigIgn of proc(5).
func ignores(t *testing.T, cmd *exec.Cmd, s syscall.Signal) bool {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "SigIgn:\t")
	mask, err := strconv.ParseUint(after[:16], 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return mask&(1<<(s-1)) != 0
}

// A reader that has gone away ends nothing: the host matters more than who watches.
func TestClosedPipe(t *testing.T) {
	for _, args := range [][]string{{"apply", "--help"}, {"nosuch"}} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		cmd := agent(t, 0, args...)
		cmd.Stdout, cmd.Stderr = w, w
		_ = cmd.Run()
		w.Close()
		want := map[string]int{"apply": exitOK, "nosuch": exitUsage}[args[0]]
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%q: %s, want exit status %d", args, cmd.ProcessState, want)
		}
	}
}
