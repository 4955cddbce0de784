package provision

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/firstboot"
	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
)

// chronicle keeps the history of one run.
type chronicle struct {
	run     *Run
	history *state.History
	// found is the mark of a run that was interrupted.
	found *state.Mark
	// resumes says that deferred work was recorded when the run began.
	resumes bool
	marked  bool
}

// chronicle reads the history for a run that may change the host.
func (r *Run) chronicle() *chronicle {
	h, err := state.ReadHistory(r.Files, len(changedDefaults))
	if err != nil && r.Euid == 0 {
		r.notice(err.Error() + "; a new one is begun")
	}
	c := &chronicle{run: r, history: h, resumes: firstboot.HasDeferred(r.Host)}
	if !state.Pauses(r.Host, h.Running) {
		c.found = h.Running
	}
	// Without /proc nobody can tell whether the machine went down.
	if c.found != nil && (c.found.Boot != host.BootID(r.Host) || c.found.Boot == "") && h.Unverified == nil {
		h.Unverified = c.found
	}
	return c
}

// id is that by which the report of the run is kept. The attempts of a first boot are one run.
func (c *chronicle) id(started time.Time) string {
	first := c.history.Last
	if !c.run.holdOut || !c.resumes || first == nil || first.Phase != state.PhaseFirstBoot {
		first = &engine.Report{Started: started}
	}
	return state.ReportID(first)
}

// marking has the steps mark the run before their first change.
func (c *chronicle) marking(command string, steps []engine.Step) []engine.Step {
	started := time.Now().UTC()
	marking := make([]engine.Step, len(steps))
	for i, s := range steps {
		marking[i] = s
		if s.Apply == nil || s.Name == stepnames.FirstBoot { // whose record is its own mark
			continue
		}
		marking[i].Apply = func(ctx context.Context) error {
			if err := c.mark(command, started); err != nil {
				return err
			}
			err := s.Apply(ctx)
			settleDisk(c.run.Host, c.run.holdOut)
			return err
		}
	}
	return marking
}

func (c *chronicle) mark(command string, started time.Time) error {
	if c.marked {
		return nil
	}
	c.history.Running = &state.Mark{Command: command, Started: started, PID: os.Getpid(), Boot: host.BootID(c.run.Host)}
	if err := c.history.Save(); err != nil {
		return err
	}
	c.marked = true
	return nil
}

// unmark says that all the run had to do is done, before it is struck off.
func (c *chronicle) unmark() error {
	if c.history.Running == nil {
		return nil
	}
	c.history.Running = nil
	return c.history.Save()
}

// settleDisk has what rpm and semanage wrote survive a power cut: they sync
// their databases and not the files that these speak of. A host that serves
// already is not held up by it.
func settleDisk(h *host.Host, holdOut bool) {
	if h.Where.Offline() || holdOut {
		host.SyncDisks(h)
	}
}

// conclude puts the report into the history where there is anything to keep. A
// plan leaves no trace, and holds no lock by which to tell an interrupted run
// from one that is at work.
func (c *chronicle) conclude(report *engine.Report) {
	if c.run.planning {
		return
	}
	if c.found != nil {
		report.Resumes = c.found.Ended(host.BootID(c.run.Host))
	}
	slot := &c.history.Last
	switch {
	case c.run.Where.Offline():
		slot, report.Phase = &c.history.Install, state.PhaseInstall
		if !c.resumes { // what served before was another host, of which this one is an image
			c.history.Last = nil
		}
	case c.resumes:
		report.Phase = state.PhaseFirstBoot
	}
	if c.run.pkgs.Damage != nil && len(c.run.pkgs.Damage) == 0 {
		c.history.Unverified = nil
	}
	if !c.worthKeeping(*slot, report) {
		return
	}
	err := c.keep(slot, report)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.run.notice(err.Error() + "; status will not know of this run")
	}
	c.log(*slot, report)
}

// log keeps the report among those of the last runs. The attempts of a first boot are one run.
func (c *chronicle) log(merged, report *engine.Report) {
	if c.run.holdOut && merged != nil {
		report = merged
	}
	if err := state.KeepReport(c.run.Files, report); err != nil {
		c.run.notice(err.Error() + "; wsprovision report will not know of this run")
	}
}

func (c *chronicle) worthKeeping(before, report *engine.Report) bool {
	switch {
	// struck off, and nothing was ever begun
	case c.found == nil && c.history.Newest() == nil && len(report.Steps) == 1:
		return false
	case c.marked, c.found != nil, report.Result == engine.Failed:
		return true
	case slices.ContainsFunc(report.Steps, func(s engine.StepReport) bool { return s.Status == engine.Changed }):
		return true
	case c.resumes && !c.run.Where.Offline():
		return true
	}
	return before != nil && before.Result == engine.Failed && report.Result != engine.Failed
}

func (c *chronicle) keep(slot **engine.Report, report *engine.Report) error {
	if c.run.reverting && report.Result != engine.Failed {
		return c.forget()
	}
	kept := *report
	if c.resumes && *slot != nil && (*slot).Phase == report.Phase {
		kept = state.Merge(**slot, kept)
	}
	*slot = &kept
	if !c.run.holdOut || !firstboot.HasDeferred(c.run.Host) {
		c.history.Running = nil
	}
	return c.history.Save()
}

// forget leaves of the history what a later run has to know: that packages
// which stay may have lost files.
func (c *chronicle) forget() error {
	if c.history.Unverified == nil || len(c.run.ledger.Names(state.KindPackage)) == 0 {
		return c.run.Files.Remove(state.HistoryPath)
	}
	c.history.Install, c.history.Last, c.history.Running = nil, nil, nil
	return c.history.Save()
}

// Rest says that this first boot makes no more attempts, and was not
// interrupted.
func Rest(files *host.Files) error {
	h, err := state.ReadHistory(files, len(changedDefaults))
	if err != nil || h.Running == nil || h.Running.PID != os.Getpid() {
		return err
	}
	h.Running = nil
	return h.Save()
}

func (r *Run) notice(line string) {
	if r.on.Notice != nil {
		r.on.Notice(line)
	}
}
