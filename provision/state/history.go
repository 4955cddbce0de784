package state

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

// HistoryPath keeps the reports of the runs that changed something or failed,
// for status and for whoever comes after an interrupted run. It is no input of
// any run, but for what need not be said again.
const HistoryPath = host.StateDir + "/report.json"

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

// Ended says how a marked run came to its end without saying so itself.
func (m Mark) Ended(boot string) string {
	how := "it was killed"
	if boot != m.Boot {
		how = "the machine went down"
	}
	return fmt.Sprintf("%s of %s was interrupted: %s", m.Command, m.Started.Format(time.RFC3339), how)
}

// ReadHistory reads the history; one that was never written is empty, and of a host that has been told of as many
// changed defaults as there are.
func ReadHistory(files *host.Files, told int) (*History, error) {
	h := &History{Version: 1, files: files, Defaults: told}
	have, err := files.Read(HistoryPath)
	if err != nil || have.Content == nil {
		return h, err
	}
	h.Defaults = 0 // of one that does not say
	if err := json.Unmarshal(have.Content, h); err != nil {
		return &History{Version: 1, files: files, Defaults: told},
			fmt.Errorf("read %s: %w", HistoryPath, err)
	}
	if v := h.Version; v != 1 {
		return &History{Version: 1, files: files, Defaults: told},
			fmt.Errorf("read %s: its version is %d and this agent knows 1: a newer agent wrote it", HistoryPath, v)
	}
	return h, nil
}

func (h *History) Save() error {
	if err := h.files.MakeDir(host.StateDir, 0o700); err != nil {
		return err
	}
	text, err := h.Text()
	if err != nil {
		return fmt.Errorf("record in %s: %w", HistoryPath, err)
	}
	return h.files.Write(HistoryPath, text, 0o600)
}

// Pauses reports whether the marked run is a first boot between two attempts:
// its process is there, and has let go of the lock.
func Pauses(h *host.Host, m *Mark) bool {
	if m == nil || m.Boot != host.BootID(h) {
		return false
	}
	name, err := os.ReadFile(fmt.Sprintf("%s/proc/%d/comm", h.Root, m.PID))
	return err == nil && strings.TrimSpace(string(name)) == "wsprovision"
}

// LastFailedAt reports whether the named step of the last run on this host failed.
func (h *History) LastFailedAt(step string, offline bool) bool {
	last := h.Last
	if offline || last == nil {
		last = h.Install
	}
	return last != nil && slices.ContainsFunc(last.Steps, func(s engine.StepReport) bool {
		return s.Name == step && s.Status == engine.Failed
	})
}

// DeferredPath is the durable promise of what an installer's chroot left to the first boot: while it is there, the host
// is not yet what this configuration asks for, and the first boot goes on.
const DeferredPath = host.StateDir + "/deferred.yaml"

// newest makes one report of both phases.
func (h *History) Newest() *engine.Report {
	switch {
	case h.Last == nil:
		return h.Install
	case h.Install == nil || h.Last.Phase != PhaseFirstBoot:
		return h.Last
	}
	merged := Merge(*h.Install, *h.Last)
	merged.Phase = PhaseInstall + "+" + PhaseFirstBoot
	return &merged
}
