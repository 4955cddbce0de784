package main

import (
	"slices"
	"sync"
	"time"

	"wsprovision/provision/engine"
)

// partial is what is known of a run while it goes on: its report, should it be
// cut. Only one report is ever written.
type partial struct {
	mu       sync.Mutex
	began    time.Time
	steps    []engine.StepReport
	under    string // the step that was begun last, "" where it has ended
	answered bool
}

func (p *partial) started(n int, step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n == 1 {
		p.steps = nil // the first boot tries more than once
	}
	p.under = step
}

func (p *partial) finished(s engine.StepReport) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.under = ""
	p.steps = append(p.steps, s)
}

// answer reports whether the caller is the first to write a report.
func (p *partial) answer() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := !p.answered
	p.answered = true
	return first
}

// report is the run as far as it went: the step that was under way has failed.
func (p *partial) report(command, why string) *engine.Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &engine.Report{Version: engine.ReportVersion, Command: command, Agent: version, Started: p.began.UTC(),
		Millis: time.Since(p.began).Milliseconds(), Result: engine.Failed, Interrupted: why,
		Steps: slices.Clone(p.steps)}
	if p.under != "" {
		r.Steps = append(r.Steps, engine.StepReport{Name: p.under, Status: engine.Failed, Error: why})
	}
	if r.Steps == nil {
		r.Steps = []engine.StepReport{}
	}
	return r
}
