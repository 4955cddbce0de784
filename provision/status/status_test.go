package status

import (
	"strings"
	"testing"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/systemd"
)

// Work that is still to be done is told from work that nobody does by himself.
func TestOutstanding(t *testing.T) {
	failed := &engine.Report{Result: engine.Failed, Steps: []engine.StepReport{
		{Name: stepnames.Platform, Status: engine.Unchanged},
		{Name: stepnames.Packages, Status: engine.Failed, Error: "no mirror\nand more"}}}
	deferred := &engine.Report{Result: engine.Deferred}
	killed := &state.Mark{Command: "apply"}
	enabled, disabled := systemd.State{Known: true, File: "enabled"}, systemd.State{Known: true, File: "disabled"}
	gaveUp := systemd.State{Known: true, File: "enabled", Active: "failed"}
	for name, tt := range map[string]struct {
		place   systemd.Place
		history state.History
		unit    systemd.State
		want    State
		says    string
	}{
		"in the chroot": {systemd.Chroot, state.History{Install: deferred}, enabled, Waiting,
			"does the rest"},
		"in the chroot, nothing begun": {systemd.Chroot, state.History{}, enabled, Waiting, "does the rest"},
		"in the chroot, failed": {systemd.Chroot, state.History{Install: failed}, enabled, Broken,
			"packages: no mirror;"},
		"in the chroot, killed": {systemd.Chroot, state.History{Running: killed}, enabled, Waiting,
			"the first boot goes on"},
		"in the chroot, failed, killed": {systemd.Chroot, state.History{Running: killed, Install: failed}, enabled,
			Waiting, "the first boot goes on"},
		"booted": {systemd.Host, state.History{Install: deferred}, enabled, Waiting,
			"has yet to be started"},
		"booted, killed": {systemd.Host, state.History{Running: killed}, enabled, Waiting,
			"has yet to be started"},
		"gave up": {systemd.Host, state.History{Last: failed}, gaveUp, Broken,
			"gave up, and tries again at the next boot: packages: no mirror"},
		"gave up, and says nothing": {systemd.Host, state.History{}, gaveUp, Broken, "see journalctl -u"},
		"gave up after a good run": {systemd.Host, state.History{Last: deferred}, gaveUp, Broken,
			"see journalctl -u"},
		"the unit is disabled": {systemd.Host, state.History{}, disabled, Broken,
			"systemctl start " + host.FirstBootUnit},
		"the unit is not known": {systemd.Host, state.History{}, systemd.State{}, Waiting,
			"has yet to be started"},
	} {
		h := &host.Host{Root: t.TempDir(), Where: systemd.Where{Place: tt.place, Systemd: true}}
		got, why := OutstandingState(h, &tt.history, tt.unit)
		if got != tt.want || !strings.Contains(why, tt.says) || strings.Contains(why, "\n") {
			t.Errorf("%s: %s, %q; want %s, %q", name, got, why, tt.want, tt.says)
		}
	}
}

// A line says what went wrong: the first line of a failure, what a first boot waits for, or why the run was ended.
func TestFailureOf(t *testing.T) {
	waits := engine.StepReport{Name: stepnames.FirstBoot, Status: engine.Deferred, Changes: []engine.Change{
		{Deferred: "not this"}, {Deferred: "the backend is not running yet"}}}
	for name, tt := range map[string]struct {
		report engine.Report
		want   string
	}{
		"nothing": {engine.Report{Steps: []engine.StepReport{{Name: "x", Status: engine.Changed}}}, ""},
		"failed": {engine.Report{Interrupted: "SIGTERM", Steps: []engine.StepReport{
			{Name: "x", Status: engine.Failed, Error: "a\nb"}, {Name: "y", Status: engine.Failed, Error: "c"}}},
			"x: a"},
		"waits": {engine.Report{Steps: []engine.StepReport{waits}}, "the backend is not running yet"},
		"waits for nothing": {engine.Report{Steps: []engine.StepReport{
			{Name: stepnames.FirstBoot, Status: engine.Deferred}}}, ""},
		"another step waits": {engine.Report{Steps: []engine.StepReport{
			{Name: "x", Status: engine.Deferred, Changes: waits.Changes}}}, ""},
		"ended": {engine.Report{Interrupted: "SIGTERM"}, "SIGTERM"},
	} {
		if got := failureOf(&tt.report); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// Everything has to be seen, and as asked; without root not everything is seen.
func TestJudge(t *testing.T) {
	unchanged := engine.StepReport{Name: "a", Status: engine.Unchanged}
	warned := engine.StepReport{Name: "b", Status: engine.Unchanged, Warnings: []string{"cannot tell without root: x",
		"another"}}
	planned := engine.StepReport{Name: "c", Status: engine.Planned, Changes: []engine.Change{{Object: "o", From: "f",
		To: "t"}}}
	failed := engine.StepReport{Name: "d", Status: engine.Failed, Error: "one\ntwo"}
	for name, tt := range map[string]struct {
		steps   []engine.StepReport
		root    bool
		want    Condition
		unknown int
		differs string
	}{
		"as asked":               {[]engine.StepReport{unchanged}, true, AsAsked, 0, ""},
		"root is warned of root": {[]engine.StepReport{unchanged, warned}, true, AsAsked, 0, ""},
		"seen by somebody else":  {[]engine.StepReport{unchanged}, false, Unseen, 0, ""},
		"warned somebody else":   {[]engine.StepReport{warned}, false, Unseen, 1, ""},
		"differs": {[]engine.StepReport{unchanged, planned}, true, Differs, 0,
			"c: o is f, and is to be t"},
		"differs, somebody else": {[]engine.StepReport{planned}, false, Differs, 0, "c: o is f, and is to be t"},
		"known to fail":          {[]engine.StepReport{failed, unchanged}, true, Differs, 0, "d: one"},
		"nothing was looked at":  {nil, true, AsAsked, 0, ""},
		"two differ, in a column": {[]engine.StepReport{planned, failed}, true, Differs, 0,
			"c: o is f, and is to be t|d: one"},
	} {
		n := Judge(ByLedger, tt.steps, tt.root)
		if n.State != tt.want || len(n.Unknown) != tt.unknown || n.By != ByLedger ||
			strings.Join(n.Differences(), "|") != tt.differs || (n.Why != "") != (tt.want == Unseen) {
			t.Errorf("%s: %+v, differences %q", name, n, n.Differences())
		}
	}
	for _, s := range []Report{{State: Complete}, {State: Broken, Now: Now{State: AsAsked}},
		{State: Complete, Now: Now{State: Differs}}} {
		if s.Whole() {
			t.Errorf("%+v is whole", s)
		}
	}
	if s := (Report{State: Complete, Now: Now{State: AsAsked}}); !s.Whole() {
		t.Errorf("%+v is not whole", s)
	}
}

// A host is surveyed where it runs and its provisioning has come to an end.
func TestSurveyable(t *testing.T) {
	for state, want := range map[State]bool{None: true, Complete: true, Broken: true, Untold: true, Waiting: false,
		Running: false} {
		if got := (Report{State: state}).Surveyable() == ""; got != want {
			t.Errorf("%s: %v, want %v", state, got, want)
		}
		if (Report{State: state, Offline: true}).Surveyable() == "" {
			t.Errorf("%s: a system that does not run is surveyed", state)
		}
	}
}
