package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/hosttest"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

// TestReportsAreKept: the reports of runs that changed something or failed are there afterwards, the last twenty.
func TestReportsAreKept(t *testing.T) {
	needRoot(t)
	tr := newTree(t, executables(t))
	list := func() (all []summaryOf) {
		t.Helper()
		stdout, stderr, status := tr.agent("report", "--list", "-o", "json")
		if err := json.Unmarshal([]byte(stdout), &all); err != nil || status != exitOK {
			t.Fatalf("%v: exit status %d\n%s%s", err, status, stdout, stderr)
		}
		return all
	}
	tr.must(os.MkdirAll(tr.path("/var/log"), 0o755))
	if all := list(); len(all) != 0 {
		t.Errorf("%v", all)
	}
	if _, stderr, status := tr.agent("report"); status != exitFailed || !strings.Contains(stderr, "no run is kept") {
		t.Errorf("exit status %d: %s", status, stderr)
	}
	tr.write("/nopackage", "")
	tr.agent(applyArgs...)
	tr.remove("/nopackage")
	for range 2 { // the second changes nothing
		if stdout, stderr, status := tr.agent(applyArgs...); status != exitOK {
			t.Fatalf("exit status %d\n%s%s", status, stdout, stderr)
		}
	}
	tr.agent(append([]string{"plan"}, applyArgs[1:]...)...)
	all := list()
	if len(all) != 2 || all[0].Result != "failed" || all[1].Result != "deferred" || all[0].Command != "apply" {
		t.Fatalf("%+v", all)
	}
	stdout, _, status := tr.agent("report", all[0].ID)
	if status != exitOK || !strings.Contains(stdout, "packages: error: ") || !strings.Contains(stdout,
		"apply: failed") {
		t.Errorf("exit status %d\n%s", status, stdout)
	}
	if stdout, _, _ := tr.agent("report", "-o", "json"); !strings.Contains(stdout, `"result": "deferred"`) {
		t.Errorf("the last one: %s", stdout)
	}
	for _, id := range []string{"nosuch", "../../etc/passwd", "", ".."} {
		if _, stderr, status := tr.agent("report", id); status != exitFailed || !strings.Contains(stderr,
			"is kept; wsprovision") {
			t.Errorf("%q: exit status %d: %s", id, status, stderr)
		}
	}
	for i := range 25 {
		tr.write("/var/log/wsprovision/2000010"+string(rune('a'+i))+".json", "{}")
	}
	tr.agent(append(applyArgs, "--path", "/other/")...)
	if all := list(); len(all) != 20 || all[19].Result != "deferred" {
		t.Errorf("%d are kept", len(all))
	}
}

// kept is a host of which two runs are kept, and a file that is no report.
func kept(t *testing.T) (files *host.Files, ids []string) {
	t.Helper()
	files = &host.Files{Root: hosttest.StateRoot(t), Seam: &host.Seam{}}
	if err := os.MkdirAll(files.Root+"/var/log", 0o755); err != nil {
		t.Fatal(err)
	}
	for i, r := range []engine.Report{
		{Command: "apply", Result: engine.Failed, Millis: 1250, Steps: []engine.StepReport{
			{Name: stepnames.Packages, Status: engine.Failed, Error: "yum: no mirror"}}},
		{Command: "revert", Result: engine.Changed, Millis: 61_000, Steps: []engine.StepReport{
			{Name: stepnames.Platform, Status: engine.Unchanged}}},
	} {
		r.Started = time.Date(2026, 11, 30, 17, i, 0, 123e6, time.UTC)
		if err := state.KeepReport(files, &r); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, state.ReportID(&r))
	}
	return files, ids
}

func TestReportList(t *testing.T) {
	var stdout, stderr bytes.Buffer
	a := newApp(nil, &stdout, &stderr)
	a.output = "text"
	files, ids := kept(t)
	if err := os.WriteFile(files.Root+state.ReportsDir+"/broken.json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := ids[0] + "  apply        failed       1.2s\n" + ids[1] + "  revert       changed     61.0s\n"
	if err := a.listReports(files); err != nil || stdout.String() != want {
		t.Errorf("%v (-want +got):\n%s", err, cmp.Diff(want, stdout.String()))
	}
	if !strings.Contains(stderr.String(), "warning: read "+state.ReportsDir+"/broken.json: ") {
		t.Errorf("of the file that is none: %q", stderr.String())
	}
	stdout.Reset()
	a.output = "json"
	var all []summaryOf
	if err := errors.Join(a.listReports(files), json.Unmarshal(stdout.Bytes(), &all)); err != nil || len(all) != 2 ||
		all[1] != (summaryOf{ids[1], "revert", time.Date(2026, 11, 30, 17, 1, 0, 123e6, time.UTC), 61_000,
			engine.Changed}) {
		t.Errorf("%v, %+v", err, all)
	}
	stdout.Reset()
	a.output = "text"
	if err := a.listReports(&host.Files{Root: t.TempDir()}); err != nil ||
		stdout.String() != "no run is kept: none has changed this host, or failed\n" {
		t.Errorf("on a host of which none is kept: %v, %q", err, stdout.String())
	}
}

func TestReportShown(t *testing.T) {
	files, ids := kept(t)
	empty := &host.Files{Root: t.TempDir()}
	for name, tt := range map[string]struct {
		files       *host.Files
		args        []string
		output      string
		want, fails string
	}{
		"the last one": {files: files, want: "\nrevert: changed, 61.0s: 1 unchanged\n"},
		"by its id":    {files: files, args: ids[:1], want: "1/1 packages     failed      0.0s\n"},
		"json":         {files: files, args: ids[:1], output: "json", want: `"error": "yum: no mirror"`},
		"one digit off": {files: files, args: []string{ids[0][:len(ids[0])-2] + "4Z"},
			fails: "did you mean " + ids[0]},
		"another file": {files: files, args: []string{"../../lib/x"},
			fails: "no run ../../lib/x is kept; wsprovision"},
		"none":           {files: files, args: []string{""}, fails: "no run  is kept; wsprovision report --list"},
		"none is kept":   {files: empty, fails: "no run is kept: none has changed this host"},
		"none with this": {files: empty, args: ids, fails: "no run is kept: none has changed this host"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout bytes.Buffer
			a := newApp(nil, &stdout, io.Discard)
			a.output = tt.output
			err := a.showReport(tt.files, tt.args)
			if got := stdout.String(); (err != nil) != (tt.fails != "") || !strings.Contains(got, tt.want) ||
				err != nil && (!strings.Contains(err.Error(), tt.fails) || got != "") {
				t.Errorf("%v, want %q\n%s", err, tt.fails, got)
			}
		})
	}
}
