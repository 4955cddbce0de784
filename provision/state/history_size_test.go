package state

import (
	"fmt"
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
)

// TestHostileReport: whatever a run has to tell, its report is kept in a file that can be read.
func TestHostileReport(t *testing.T) {
	text := strings.Repeat("ä\x00<", 300<<10)
	var lines []string
	var changes []engine.Change
	for i := range 20000 {
		lines = append(lines, fmt.Sprint(i, " ", strings.Repeat("x", 100)))
		changes = append(changes, engine.Change{Object: lines[i], From: text[:100], To: "b"})
	}
	long := engine.StepReport{Name: "server-block", Status: engine.Failed, Error: "begin" + text + "end",
		Notes:    []string{text},
		Warnings: lines, Changes: append(changes, engine.Change{Object: text, From: text, To: text, Diff: text,
			Deferred: text})}
	for name, s := range map[string]engine.StepReport{
		"all long": long,
		"a diff": {Name: "server-block", Status: engine.Changed,
			Changes: []engine.Change{{Object: "x", Diff: text}}},
		"many lines":   {Name: "server-block", Status: engine.Changed, Warnings: lines},
		"many changes": {Name: "server-block", Status: engine.Changed, Changes: changes},
	} {
		f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
		h := &History{Version: 1, files: f}
		h.Install = &engine.Report{Result: engine.Failed, Steps: []engine.StepReport{s, s}}
		h.Last = &engine.Report{Result: engine.Failed, Steps: []engine.StepReport{s}, Interrupted: text}
		if err := h.Save(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		have, _ := f.Read(HistoryPath)
		again, err := ReadHistory(f, 0)
		if err != nil || len(have.Content) > historyLimit {
			t.Fatalf("%s: %d bytes, %v", name, len(have.Content), err)
		}
		if got := again.Last.Steps[0]; got.Status != s.Status || !strings.Contains(string(have.Content), "not kept") {
			t.Errorf("%s: %s, want %s, and a word about what was cut", name, got.Status, s.Status)
		}
		e := again.Last.Steps[0].Error
		if s.Error != "" && (!strings.HasPrefix(e, "begin") || !strings.HasSuffix(e, "end")) {
			t.Errorf("%s: %q, want its beginning and its end", name, clipped(e))
		}
		if len(h.Last.Steps[0].Warnings) != len(s.Warnings) || len(h.Last.Steps[0].Changes) != len(s.Changes) {
			t.Errorf("%s: the run's own report was cut, too", name)
		}
	}
}

func clipped(s string) string { return s[:min(len(s), 80)] }

// TestHistoryOfALaterAgent is told of, and not taken for one's own.
func TestHistoryOfALaterAgent(t *testing.T) {
	f := &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	if err := f.MakeDir(host.StateDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.Write(HistoryPath, []byte(`{"history_version": 2, "last": {"result": "changed"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if h, err := ReadHistory(f, 0); err == nil || !strings.Contains(err.Error(), "version is 2") || h.Last != nil {
		t.Errorf("%+v, %v", h, err)
	}
}
