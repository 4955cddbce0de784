package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/coreos/go-systemd/v22/journal"

	"wsprovision/cmd/wsprovision/ending"
	"wsprovision/provision/engine"
	"wsprovision/provision/fleet"
	"wsprovision/systemd"
)

// TestJournalIsTold: what people are shown of a step is told to the log, without diffs; it is shown as ever, because
// standard output is no journal here, and nothing is told where the system does not run.
func TestJournalIsTold(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only what root does is told")
	}
	live := systemd.Where{Place: systemd.Host, Systemd: true}
	for name, tt := range map[string]struct {
		where systemd.Where
		log   error
		want  int
	}{"a host": {live, nil, 3}, "a log that fails": {live, errors.New("no"), 0}, "a chroot": {systemd.Where{
		Place: systemd.Chroot}, nil, 0}, "an installer": {systemd.Where{Place: systemd.Installer, Systemd: true},
		nil, 0},
	} {
		var told []string
		var shown bytes.Buffer
		a := newApp(nil, &shown, io.Discard)
		a.output, a.ender = "text", &ending.Ender{}
		a.hostLog = func() fleet.Sender {
			return func(message string, _ journal.Priority, fields map[string]string) error {
				if tt.log == nil {
					told = append(told, fields["WSPROVISION_RUN"]+" "+fields["WSPROVISION_STEP"]+" "+message)
				}
				return tt.log
			}
		}
		out := a.newOutput("apply")
		out.telling(tt.where)
		on := out.listener()
		on.Began("apply", "ID")
		step := engine.StepReport{Name: "server-block", Status: engine.Changed,
			Changes: []engine.Change{{Object: "file /x",
				From: "absent", To: "written", Diff: "+secret\n"}}}
		on.Finished(1, 1, step)
		if err := out.report(&engine.Report{Command: "apply", Result: engine.Changed,
			Steps: []engine.StepReport{step}}); err != nil {
			t.Fatal(err)
		}
		if len(told) != tt.want {
			t.Errorf("%s: told %q, want %d entries", name, told, tt.want)
		}
		if text := strings.Join(told, "\n"); tt.want > 0 && (strings.Contains(text, "+secret") ||
			!strings.Contains(text, "ID server-block 1/1 server-block changed") ||
			!strings.Contains(text, "ID  apply: changed")) {
			t.Errorf("%s: told %s", name, text)
		}
		if !strings.Contains(shown.String(), "1/1 server-block changed") ||
			!strings.Contains(shown.String(), "apply: changed") {
			t.Errorf("%s: shown %s", name, shown.String())
		}
	}
}
