package planfile

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
)

var here = Host{Name: "web1", MachineID: "m1", BootID: "b1", Place: "live"}

// asked is a configuration, with the defaults of every other key.
func asked(t *testing.T, drift string) config.Config {
	t.Helper()
	c, err := config.Load(config.Input{Flags: map[string]string{"on-drift": drift}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func made(t *testing.T) Plan {
	t.Helper()
	p := Plan{Agent: "1.1.0", Commit: "abc", Host: here, Inputs: Inputs{Options: map[string]string{"backend": "a:1"}}}
	r := &engine.Report{Started: time.Date(2026, 11, 30, 12, 0, 0, 5, time.UTC), Result: engine.Planned,
		Steps: []engine.StepReport{{Name: "site", Changes: []engine.Change{{Object: "file /a", From: "absent",
			To:   "written",
			Diff: "+<&>\n"}}}, {Name: "proof"}}}
	if err := p.Set(r, asked(t, config.DriftFail)); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReadsWhatWasWritten(t *testing.T) {
	p := made(t)
	text, err := p.Text()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Read(t.Context(), path, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Is("1.1.0", "abc", here); err != nil {
		t.Error(err)
	}
	if got.Digest == "" {
		t.Error("it has no digest")
	}
	got.Digest = ""
	if d := cmp.Diff(&p, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestHostilePlans: a file that is no plan, or was changed, is refused, and so is a plan of somewhere else.
func TestHostilePlans(t *testing.T) {
	text, err := made(t).Text()
	if err != nil {
		t.Fatal(err)
	}
	whole := string(text)
	for name, tt := range map[string]struct{ content, says string }{
		"empty":    {"", "is no plan"},
		"a report": {`{"report_version": 1}`, "is no plan"},
		"another version": {strings.Replace(whole, `"plan_version": 1`, `"plan_version": 2`, 1),
			"has the version 2"},
		"an older version's": {`{"plan_version": -1}`, "which this agent does not know"},
		"an edited change":   {strings.Replace(whole, `"file /a"`, `"file /b"`, 1), "was edited"},
		"an edited input":    {strings.Replace(whole, `a:1`, `b:1`, 1), "was edited"},
		"edited blanks":      {strings.Replace(whole, "\n  ", "\n   ", 1), "was edited"},
		"a key that is new": {strings.Replace(whole, `"made"`, `"adopt": true, "made"`, 1),
			"not as this agent writes"},
		"cut off":             {whole[:len(whole)/2], "is no plan"},
		"another behind it":   {whole + whole, "is no plan"},
		"something behind it": {whole + "]", "is no plan"},
		"a blank behind it":   {whole + " ", "was edited"},
	} {
		path := filepath.Join(t.TempDir(), "plan.json")
		if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(t.Context(), path, false); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(),
			tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		}
	}
	p := made(t)
	for name, tt := range map[string]struct {
		agent, commit string
		here          Host
		says          string
	}{
		"another version": {"1.0.0", "abc", here, "this is 1.0.0"}, "another build": {"1.1.0", "x", here, "commit x"},
		"another host": {"1.1.0", "abc", Host{MachineID: "m2", BootID: "b1", Place: "live"}, "of another host, web1"},
		"another boot": {"1.1.0", "abc", Host{MachineID: "m1", BootID: "b2", Place: "live"},
			"before the host was booted"},
		"elsewhere": {"1.1.0", "abc", Host{MachineID: "m1", BootID: "b1", Place: "chroot"},
			"in another place (live)"},
	} {
		if err := p.Is(tt.agent, tt.commit, tt.here); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(),
			tt.says) {
			t.Errorf("%s: %v, want %q", name, err, tt.says)
		}
	}
	if err := p.AsksFor(asked(t, config.DriftKeep)); !errors.Is(err, ErrRefused) {
		t.Errorf("another configuration: %v", err)
	}
}

// TestHostileOwner: a plan that somebody else could have written is not read at all.
func TestHostileOwner(t *testing.T) {
	text, err := made(t).Text()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plan.json")
	if err := errors.Join(os.WriteFile(path, text, 0o600), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(t.Context(), path, true); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(),
		"chmod go-w") {
		t.Errorf("%v", err)
	}
}
