package provision

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file of testdata; -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got); d != "" {
		t.Errorf("%s (-want +got; go test -update writes it):\n%s", path, d)
	}
}

// The JSON form is what other people's programs read: a field that is renamed or removed shows here.
func TestReportJSON(t *testing.T) {
	r := &engine.Report{Version: engine.ReportVersion, Command: "apply", Agent: "1.0",
		Started: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Millis: 12600, Place: "live",
		Interrupted: "caught terminated"}
	r.Steps = []engine.StepReport{
		{Name: stepnames.Site, Status: engine.Changed, Millis: 12,
			Changes: []engine.Change{{Object: "file /x", From: state.Absent, To: "written",
				Diff: "--- /dev/null\n+++ /x\n"}}, Notes: []string{"a note"}, Warnings: []string{"a warning"}},
		{Name: stepnames.Service, Status: engine.Deferred,
			Changes: []engine.Change{{Object: host.NginxUnit, From: "not running", To: "running",
				Deferred: "systemd does not run here"}}},
		{Name: stepnames.Proof, Status: engine.Skipped, Why: "it needs \"service\", which failed"},
	}
	failed := engine.StepReport{Name: stepnames.SELinux}
	failed.Fail(errors.New("semanage import: exit status 1"))
	r.Steps = append(r.Steps, failed)
	r.Settle()
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "report.golden.json", string(text)+"\n")
	var back engine.Report
	if err := json.Unmarshal(text, &back); err != nil || back.Result != engine.Failed || len(back.Steps) != 4 {
		t.Errorf("read back: %v, %+v", err, back)
	}
}

func TestResult(t *testing.T) {
	for _, tt := range []struct {
		steps       []engine.Status
		interrupted string
		want        engine.Status
		differs     bool
	}{
		{nil, "", engine.Unchanged, false},
		{[]engine.Status{engine.Unchanged, engine.Unchanged}, "", engine.Unchanged, false},
		{[]engine.Status{engine.Unchanged, engine.Changed}, "", engine.Changed, true},
		{[]engine.Status{engine.Planned, engine.Unchanged}, "", engine.Planned, true},
		{[]engine.Status{engine.Changed, engine.Deferred}, "", engine.Deferred, true},
		{[]engine.Status{engine.Deferred, engine.Unchanged}, "", engine.Deferred, false},
		{[]engine.Status{engine.Changed, engine.Failed, engine.Skipped}, "", engine.Failed, true},
		{[]engine.Status{engine.Unchanged, engine.Skipped}, "", engine.Failed, false},
		{[]engine.Status{engine.Unchanged}, "caught interrupt", engine.Failed, false},
	} {
		r := &engine.Report{Interrupted: tt.interrupted}
		for _, s := range tt.steps {
			r.Steps = append(r.Steps, engine.StepReport{Status: s})
		}
		r.Settle()
		if r.Result != tt.want || r.Differs() != tt.differs {
			t.Errorf("%v %q: %s, differs %v; want %s, %v", tt.steps, tt.interrupted, r.Result, r.Differs(), tt.want,
				tt.differs)
		}
	}
}

// Every failure comes back, each named once by its step.
func TestReportErr(t *testing.T) {
	r := &engine.Report{Steps: []engine.StepReport{{Name: "a"}, {Name: "b"}, {Name: "c"}}}
	if err := r.Err(); err != nil {
		t.Errorf("no failure: %v", err)
	}
	broken := errors.New("broken")
	r.Steps[0].Fail(broken)
	r.Steps[2].Fail(ErrNotRoot)
	err := r.Err()
	if !errors.Is(err, broken) || !errors.Is(err, ErrNotRoot) || strings.Count(err.Error(), "a: broken") != 1 {
		t.Errorf("%v, want both of them", err)
	}
	var s *engine.StepError
	if !errors.As(err, &s) || s.Step != "a" {
		t.Errorf("%v, want the step by errors.As", s)
	}
}

func TestChange(t *testing.T) {
	for want, c := range map[string]engine.Change{
		"port tcp/3000: ntop_port_t → http_port_t": {Object: "port tcp/3000", From: "ntop_port_t", To: "http_port_t"},
		"x: a → b (deferred: not here)":            {Object: "x", From: "a", To: "b", Deferred: "not here"},
	} {
		if got := c.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, tt := range []struct {
		from, to []byte
		want     string
	}{
		{nil, []byte("a\n"), "--- /dev/null\n+++ /x\n@@ -0,0 +1 @@\n+a\n"},
		{[]byte("a\n"), nil, "--- /x\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"},
		{[]byte("a"), []byte("a\n"), "--- /x\n+++ /x\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		{[]byte("a\n"), []byte("a\n"), ""},
	} {
		if got := engine.Unified("/x", tt.from, tt.to); got != tt.want {
			t.Errorf("%q to %q:\n%s\nwant\n%s", tt.from, tt.to, got, tt.want)
		}
	}
}
