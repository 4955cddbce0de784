package ending

import (
	"slices"
	"sync"
	"time"

	"wsprovision/provision/engine"
)

// Partial is what is known of a run while it goes on: its report, should it be
// cut. Only one report is ever written.
type Partial struct {
	mu       sync.Mutex
	Agent    string // its version
	Began    time.Time
	steps    []engine.StepReport
	under    string // the step that was begun last, "" where it has ended
	answered bool
}

func (p *Partial) Started(n int, step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n == 1 {
		p.steps = nil // the first boot tries more than once
	}
	p.under = step
}

func (p *Partial) Finished(s engine.StepReport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under = ""
	p.steps = append(p.steps, s)
}

// Answer reports whether the caller is the first to write a report.
func (p *Partial) Answer() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := !p.answered
	p.answered = true
	return first
}

// Report is the run as far as it went: the step that was under way has failed.
func (p *Partial) Report(command, why string) *engine.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &engine.Report{Version: engine.ReportVersion, Command: command, Agent: p.Agent, Started: p.Began.UTC(),
		Millis: time.Since(p.Began).Milliseconds(), Result: engine.Failed, Interrupted: why,
		Steps: slices.Clone(p.steps)}
	if p.under != "" {
		r.Steps = append(r.Steps, engine.StepReport{Name: p.under, Status: engine.Failed, Error: why})
	}
	if r.Steps == nil {
		r.Steps = []engine.StepReport{}
	}
	return r
}
