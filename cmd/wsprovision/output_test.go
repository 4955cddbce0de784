package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"wsprovision/cmd/wsprovision/ending"
	"wsprovision/cmd/wsprovision/screen"
	"wsprovision/cmd/wsprovision/show"
	"wsprovision/provision/engine"
)

func exampleReport() *engine.Report {
	return &engine.Report{Version: engine.ReportVersion, Command: "apply", Agent: "1.0", Result: engine.Failed,
		Millis: 12640, Place: "live",
		Started: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
		Steps: []engine.StepReport{
			{Name: "platform", Status: engine.Unchanged, Millis: 2,
				Notes: []string{"CentOS Linux 7 (Core), PID 1 is systemd"}},
			{Name: "packages", Status: engine.Changed, Millis: 9340,
				Changes: []engine.Change{{Object: "package nginx", From: "absent", To: "installed"}}},
			{Name: "server-block", Status: engine.Changed, Millis: 12,
				Changes: []engine.Change{{Object: "file /etc/nginx/conf.d/websocket.conf", From: "absent",
					To:   "written",
					Diff: "--- /dev/null\n+++ /etc/nginx/conf.d/websocket.conf\n@@ -0,0 +1 @@\n+server {}\n"}}},
			{Name: "service", Status: engine.Failed, Millis: 2500,
				Error:    "reload nginx.service: refused\nthe previous configuration serves",
				Warnings: []string{"port 80 is crowded"}},
			{Name: "proof", Status: engine.Skipped, Why: `it needs "service", which failed`},
		}}
}

// golden compares with a file of testdata; -update writes it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
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

func TestTextGolden(t *testing.T) {
	var b bytes.Buffer
	r := exampleReport()
	for i, s := range r.Steps {
		show.Step(&screen.Screen{W: &b}, i+1, len(r.Steps), s)
	}
	_ = show.End(&screen.Screen{W: &b}, r)
	r.Interrupted = "caught terminated"
	_ = show.End(&screen.Screen{W: &b}, r)
	golden(t, "report.golden.txt", b.String())
}

// stdout is the answer and stderr the log, in both forms.
func TestOutputStreams(t *testing.T) {
	for _, form := range []string{"text", "json"} {
		for _, verbose := range []bool{false, true} {
			var out, log bytes.Buffer
			a := newApp(nil, &out, &log)
			a.output, a.verbose = form, verbose
			o := a.newOutput("apply")
			l := o.listener()
			l.Log("run rpm -q nginx: exit status 0, 0.1s", false)
			l.Log("run yum install: exit status 0, 9.1s", true)
			l.Notice("yum lock held by pid 123")
			if l.Started != nil {
				l.Started(1, 8, "platform")
				l.Finished(1, 8, exampleReport().Steps[0])
			}
			o.report(exampleReport())
			if got := strings.Contains(log.String(), "rpm -q"); got != verbose ||
				!strings.Contains(log.String(), "yum install") || !strings.Contains(log.String(), "pid 123") {
				t.Errorf("%s, verbose %v: stderr is\n%s", form, verbose, log.String())
			}
			for line := range strings.Lines(log.String()) {
				if !strings.HasPrefix(line, "wsprovision: ") {
					t.Errorf("a line of the log without its sender: %q", line)
				}
			}
			var back engine.Report
			if err := json.Unmarshal(out.Bytes(), &back); (err == nil) != (form == "json") {
				t.Errorf("%s on stdout: %v\n%s", form, err, out.String())
			}
		}
	}
}

// A report that could not be written is no plan; what a run did to the host it did. A reader that went away wants none.
func TestReportIsNotWritten(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	r, gone, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	r.Close()
	const complains = "wsprovision: the report is not on standard output: write /dev/full: no space left on device"
	for _, form := range []string{"text", "json"} {
		for _, tt := range []struct {
			name   string
			stdout *os.File
			plans  bool
			want   int
			says   string
		}{
			{"a plan, full", full, true, exitFailed, complains + "\n"},
			{"a run, full", full, false, exitChanged, complains + "; wsprovision status tells what was done\n"},
			{"a plan, gone", gone, true, exitChanged, ""},
			{"a run, gone", gone, false, exitChanged, ""},
		} {
			var log bytes.Buffer
			a := newApp(nil, tt.stdout, &log)
			a.output, a.ender = form, &ending.Ender{}
			err := a.answer(t.Context(), a.newOutput("apply"), applyOptions{detailed: true, plans: tt.plans},
				func(context.Context) (*engine.Report, error) {
					return &engine.Report{Result: engine.Changed,
						Steps: []engine.StepReport{{Name: "packages", Status: engine.Changed}}}, nil
				})
			a.complain(err)
			if got := exitStatus(err); got != tt.want || log.String() != tt.says {
				t.Errorf("%s, %s: %d, %q, want %d, %q", form, tt.name, got, log.String(), tt.want, tt.says)
			}
		}
	}
}

func TestLiveLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l := &screen.LiveLine{W: &b}
		l.Start("3/8 packages")
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		l.Clear() // for a line of the log
		l.Stop()
		want := screen.EraseLine + "3/8 packages … 1s" + screen.EraseLine + "3/8 packages … 2s" + screen.EraseLine +
			screen.EraseLine
		if got := b.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		l.Stop()
		l.Clear()
		if b.String() != want {
			t.Errorf("a stopped line writes: %q", b.String()[len(want):])
		}
		var none *screen.LiveLine // where the output is no terminal
		none.Start("x")
		none.Clear()
		none.Stop()
	})
}

// TestSummaryTellsOfTheNextBoot: what is left to the next boot stands in the last line, which everybody reads.
func TestSummaryTellsOfTheNextBoot(t *testing.T) {
	r := exampleReport()
	r.NextBoot = []string{"every file is labelled anew", "a unit goes on"}
	if got := show.Summary(r); !strings.Contains(got,
		"; at the next boot: every file is labelled anew; a unit goes on") {
		t.Errorf("%q", got)
	}
}
