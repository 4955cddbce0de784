package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"wsprovision/provision"
	"wsprovision/provision/config"
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
		{"usage", usageError{errors.New("x")}, 64},
		{"usage, wrapped", fmt.Errorf("x: %w", usageError{errors.New("x")}), 64},
		{"a lock", fmt.Errorf("x: %w", provision.ErrLocked), 75},
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
	for _, code := range []int{exitOK, exitFailed, exitChanged, exitDeferred, exitUsage, exitLocked, exitNoPerm, exitConfig} {
		if !strings.Contains(exitStatusesDoc, fmt.Sprintf("\n  %-3d ", code)) {
			t.Errorf("the help does not speak of %d", code)
		}
	}
	a := &app{stdout: io.Discard, stderr: io.Discard}
	for _, c := range a.command().Commands() {
		runs := c.Name() == "apply" || c.Name() == "plan" || c.Name() == "revert"
		if runs && !strings.Contains(c.Long, "Exit status:") {
			t.Errorf("%s does not say what its exit status means", c.Name())
		}
	}
}

func TestOutcome(t *testing.T) {
	report := func(result provision.Status, steps ...provision.Status) *provision.Report {
		r := &provision.Report{Result: result}
		for _, s := range steps {
			r.Steps = append(r.Steps, provision.StepReport{Status: s})
		}
		return r
	}
	for _, tt := range []struct {
		report          *provision.Report
		plain, detailed int
	}{
		{report(provision.Unchanged, provision.Unchanged), 0, 0},
		{report(provision.Changed, provision.Changed), 0, 2},
		{report(provision.Planned, provision.Planned), 0, 2},
		{report(provision.Deferred, provision.Changed, provision.Deferred), 0, 3},
		{report(provision.Failed, provision.Changed, provision.Failed), 1, 1},
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
			t.Errorf("%s: stdout %q, stderr %q; want a complaint on stderr alone", tt.name, out.String(), complaint.String())
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
