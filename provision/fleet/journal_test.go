package fleet

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/coreos/go-systemd/v22/journal"
	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/engine"
)

type entry struct {
	message  string
	priority journal.Priority
	fields   map[string]string
}

// collected is a journal that keeps what it is told.
func collected(to *[]entry) Sender {
	return func(message string, priority journal.Priority, fields map[string]string) error {
		*to = append(*to, entry{message, priority, fields})
		return nil
	}
}

func TestJournal(t *testing.T) {
	var told []entry
	j := NewJournal(collected(&told), "1.1.0")
	r := applied()
	r.Result = engine.Failed
	j.Began("apply", "ID")
	j.Began("apply", "ID") // another attempt of a first boot
	j.Step(r.Steps[0], "1/8 packages changed 1.0s\n      a: b → c\n")
	j.Step(engine.StepReport{Name: "site", Status: engine.Skipped,
		Changes: []engine.Change{{Object: "a"}}, Why: "it needs \"selinux\", which failed"}, "")
	j.Step(engine.StepReport{Name: "selinux", Status: engine.Failed, Error: "see http://u:s3cret@h/"},
		"4/8 selinux failed\n")
	j.Step(engine.StepReport{Name: "proof", Status: engine.Unchanged, Warnings: []string{"w"}}, "w")
	j.Ended(r, "apply: failed\n")
	with := func(id string, more ...string) map[string]string {
		fields := map[string]string{"MESSAGE_ID": id, "SYSLOG_IDENTIFIER": "wsprovision", "WSPROVISION_RUN": "ID",
			"WSPROVISION_COMMAND": "apply", "WSPROVISION_AGENT": "1.1.0"}
		for i := 0; i < len(more); i += 2 {
			fields["WSPROVISION_"+more[i]] = more[i+1]
		}
		return fields
	}
	step := func(id, name, status, millis, changes string) map[string]string {
		return with(id, "STEP", name, "STATUS", status, "DURATION_MS", millis, "CHANGES", changes)
	}
	want := []entry{
		{"apply began", journal.PriInfo, with(RunBegan)},
		{"1/8 packages changed 1.0s\n      a: b → c", journal.PriNotice, step(StepEnded, "packages", "changed", "0",
			"2")},
		{`site skipped: it needs "selinux", which failed`, journal.PriInfo, step(StepEnded, "site", "skipped", "0",
			"0")},
		{"4/8 selinux failed\n      error: see http://…@h/", journal.PriErr, step(StepFailed, "selinux", "failed",
			"0", "0")},
		{"w", journal.PriWarning, step(StepEnded, "proof", "unchanged", "0", "0")},
		{"apply: failed", journal.PriErr, with(RunFailed, "STATUS", "failed", "DURATION_MS", "12600", "CHANGES", "2")},
	}
	if d := cmp.Diff(want, told, cmp.AllowUnexported(entry{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if got, want := oneLine(told[1].message, told[1].fields),
		"1/8 packages changed 1.0s a: b → c run=ID command=apply step=packages status=changed duration_ms=0 "+
			"changes=2 agent=1.1.0"; got != want {
		t.Errorf("for syslog %q, want %q", got, want)
	}
}

// TestHostileJournal: a log that does not answer holds a run up once, one that fails never, and none is no matter.
func TestHostileJournal(t *testing.T) {
	var none *Journal
	none.Began("apply", "ID")
	if none.Step(engine.StepReport{}, "x") || none.Ended(applied(), "x") || NewJournal(nil, "") != nil {
		t.Error("somebody was told where there is no log")
	}
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		never := make(chan struct{})
		j := NewJournal(func(string, journal.Priority, map[string]string) error {
			calls.Add(1)
			<-never
			return nil
		}, "")
		for range 10 {
			if j.Step(engine.StepReport{Name: "a"}, "x") {
				t.Error("what was not taken counts as told")
			}
		}
		if calls.Load() != 1 {
			t.Errorf("waited %d times", calls.Load())
		}
		close(never)
	})
	fails := NewJournal(func(string, journal.Priority, map[string]string) error { return errors.New("no") }, "")
	if fails.Step(engine.StepReport{Name: "a"}, "x") {
		t.Error("what failed counts as told")
	}
	var told []entry
	j := NewJournal(collected(&told), "")
	j.Step(engine.StepReport{Name: "a"}, strings.Repeat("é", mostMessage)+"\xff")
	if n := len(told[0].message); n > mostMessage+20 {
		t.Errorf("a message of %d bytes", n)
	}
}

// TestCatalog: each message ID is explained, and nothing else is; journalctl takes the file.
func TestCatalog(t *testing.T) {
	const file = "../../packaging/wsprovision.catalog"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, m := range regexp.MustCompile(`(?m)^-- ([0-9a-f]{32})$`).FindAllStringSubmatch(string(text), -1) {
		have = append(have, m[1])
	}
	want := []string{RunBegan, StepEnded, StepFailed, RunEnded, RunFailed}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("IDs (-want +got):\n%s", d)
	}
	for _, m := range regexp.MustCompile(`@([A-Z_]+)@`).FindAllStringSubmatch(string(text), -1) {
		if !slices.Contains(fieldNames, m[1]) {
			t.Errorf("%s is no field of an entry", m[1])
		}
	}
	if _, err := exec.LookPath("journalctl"); err != nil {
		t.Skip("there is no journalctl to judge the file")
	}
	root := t.TempDir()
	dir := root + "/usr/lib/systemd/catalog"
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "wsprovision.catalog"), text, 0o644),
		os.MkdirAll(root+"/var/lib/systemd/catalog", 0o755)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("journalctl", "--root", root, "--update-catalog").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command("journalctl", "--root", root, "--list-catalog").CombinedOutput()
	if err != nil || strings.Count(string(out), "wsprovision") < 3 || strings.Count(string(out), "\n") != len(want) {
		t.Errorf("%v: %s", err, out)
	}
}
