package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

// historyPath keeps the reports of the runs that changed something or failed,
// for status and for whoever comes after an interrupted run. It is no input of
// any run, but for what need not be said again.
const historyPath = host.StateDir + "/report.json"

// History is what became of the last runs. A run that finds the host as asked
// for leaves it alone.
type History struct {
	Version int `json:"history_version"`
	// Install is what was done offline; Last is the last run on the booted
	// host. While deferred work is outstanding, the attempts to finish it are
	// one report.
	Install *engine.Report `json:"install,omitempty"`
	Last    *engine.Report `json:"last,omitempty"`
	// Running is there from a run's first change to its end, and through the
	// pauses between a first boot's attempts. A run that holds the lock and
	// finds it, and no process of it, knows that it was interrupted.
	Running *Mark `json:"running,omitempty"`
	// Unverified is the run under which the machine went down, until a later
	// one has found what it had yum bring to be whole.
	Unverified *Mark `json:"unverified,omitempty"`
	// Defaults counts the changed defaults that this host has been told of; what
	// 1.0.0 wrote has no such count.
	Defaults int `json:"defaults,omitempty"`

	files *host.Files
}

// Mark is a run that has begun to change the host.
type Mark struct {
	Command string    `json:"command"`
	Started time.Time `json:"started"`
	PID     int       `json:"pid"`
	// Boot is the kernel's boot_id; "" without /proc.
	Boot string `json:"boot_id,omitempty"`
}

// ended says how a marked run came to its end without saying so itself.
func (m Mark) ended(boot string) string {
	how := "it was killed"
	if boot != m.Boot {
		how = "the machine went down"
	}
	return fmt.Sprintf("%s of %s was interrupted: %s", m.Command, m.Started.Format(time.RFC3339), how)
}

// ReadHistory reads the history; one that was never written is empty.
func ReadHistory(files *host.Files) (*History, error) {
	h := &History{Version: 1, files: files, Defaults: len(changedDefaults)}
	have, err := files.Read(historyPath)
	if err != nil || have.Content == nil {
		return h, err
	}
	h.Defaults = 0 // of one that does not say
	if err := json.Unmarshal(have.Content, h); err != nil {
		return &History{Version: 1, files: files, Defaults: len(changedDefaults)},
			fmt.Errorf("read %s: %w", historyPath, err)
	}
	if v := h.Version; v != 1 {
		return &History{Version: 1, files: files, Defaults: len(changedDefaults)},
			fmt.Errorf("read %s: its version is %d and this agent knows 1: a newer agent wrote it", historyPath, v)
	}
	return h, nil
}

func (h *History) save() error {
	if err := h.files.MakeDir(host.StateDir, 0o700); err != nil {
		return err
	}
	text, err := h.text()
	if err != nil {
		return fmt.Errorf("record in %s: %w", historyPath, err)
	}
	return h.files.Write(historyPath, text, 0o600)
}

// chronicle keeps the history of one run.
type chronicle struct {
	run     *Run
	history *History
	// found is the mark of a run that was interrupted.
	found *Mark
	// resumes says that deferred work was recorded when the run began.
	resumes bool
	marked  bool
}

// chronicle reads the history for a run that may change the host.
func (r *Run) chronicle() *chronicle {
	h, err := ReadHistory(r.Files)
	if err != nil && r.Euid == 0 {
		r.notice(err.Error() + "; a new one is begun")
	}
	c := &chronicle{run: r, history: h, resumes: hasDeferred(r.Host)}
	if !pauses(r.Host, h.Running) {
		c.found = h.Running
	}
	// Without /proc nobody can tell whether the machine went down.
	if c.found != nil && (c.found.Boot != host.BootID(r.Host) || c.found.Boot == "") && h.Unverified == nil {
		h.Unverified = c.found
	}
	return c
}

// marking has the steps mark the run before their first change.
func (c *chronicle) marking(command string, steps []engine.Step) []engine.Step {
	started := time.Now().UTC()
	marking := make([]engine.Step, len(steps))
	for i, s := range steps {
		marking[i] = s
		if s.Apply == nil || s.Name == StepFirstBoot { // whose record is its own mark
			continue
		}
		marking[i].Apply = func(ctx context.Context) error {
			if err := c.mark(command, started); err != nil {
				return err
			}
			err := s.Apply(ctx)
			c.run.settleDisk()
			return err
		}
	}
	return marking
}

func (c *chronicle) mark(command string, started time.Time) error {
	if c.marked {
		return nil
	}
	c.history.Running = &Mark{Command: command, Started: started, PID: os.Getpid(), Boot: host.BootID(c.run.Host)}
	if err := c.history.save(); err != nil {
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
	return c.history.save()
}

// settleDisk has what rpm and semanage wrote survive a power cut: they sync
// their databases and not the files that these speak of. A host that serves
// already is not held up by it.
func (r *Run) settleDisk() {
	if r.Where.Offline() || r.holdOut {
		host.SyncDisks(r.Host)
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
		report.Resumes = c.found.ended(host.BootID(c.run.Host))
	}
	slot := &c.history.Last
	switch {
	case c.run.Where.Offline():
		slot, report.Phase = &c.history.Install, PhaseInstall
		if !c.resumes { // what served before was another host, of which this one is an image
			c.history.Last = nil
		}
	case c.resumes:
		report.Phase = PhaseFirstBoot
	}
	if c.run.pkgs.damage != nil && len(c.run.pkgs.damage) == 0 {
		c.history.Unverified = nil
	}
	if !c.worthKeeping(*slot, report) {
		return
	}
	err := c.keep(slot, report)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.run.notice(err.Error() + "; status will not know of this run")
	}
}

func (c *chronicle) worthKeeping(before, report *engine.Report) bool {
	switch {
	// struck off, and nothing was ever begun
	case c.found == nil && c.history.report() == nil && len(report.Steps) == 1:
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
		kept = merge(**slot, kept)
	}
	*slot = &kept
	if !c.run.holdOut || !hasDeferred(c.run.Host) {
		c.history.Running = nil
	}
	return c.history.save()
}

// forget leaves of the history what a later run has to know: that packages
// which stay may have lost files.
func (c *chronicle) forget() error {
	if c.history.Unverified == nil || len(c.run.pkgs.entries(KindPackage)) == 0 {
		return c.run.Files.Remove(historyPath)
	}
	c.history.Install, c.history.Last, c.history.Running = nil, nil, nil
	return c.history.save()
}

// pauses reports whether the marked run is a first boot between two attempts:
// its process is there, and has let go of the lock.
func pauses(h *host.Host, m *Mark) bool {
	if m == nil || m.Boot != host.BootID(h) {
		return false
	}
	name, err := os.ReadFile(fmt.Sprintf("%s/proc/%d/comm", h.Root, m.PID))
	return err == nil && strings.TrimSpace(string(name)) == "wsprovision"
}

// Rest says that this first boot makes no more attempts, and was not
// interrupted.
func (r *Run) Rest() error {
	h, err := ReadHistory(r.Files)
	if err != nil || h.Running == nil || h.Running.PID != os.Getpid() {
		return err
	}
	h.Running = nil
	return h.save()
}

func (r *Run) notice(line string) {
	if r.on.Notice != nil {
		r.on.Notice(line)
	}
}
