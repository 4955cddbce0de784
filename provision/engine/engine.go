package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/known"
)

// Engine runs steps in order and tells its listener what happens.
type Engine struct {
	Steps []Step
	// Now is the clock; durations are wall time.
	Now func() time.Time
	// Started and Finished are told of each step as it happens; n counts from
	// 1 to total. Either may be nil.
	Started  func(n, total int, name string)
	Finished func(n, total int, step StepReport)
	// Pending holds, by step name, whether a difference was found and not yet
	// brought about, or could not be told. Steps that depend on others read it.
	Pending map[string]bool

	// Known is believed from the survey on until something is changed; nil believes nothing.
	Known *known.Facts
	// Promised are the changes that somebody was shown, by the name of the step: Apply makes them and no others, or
	// fails. Nil promises nothing.
	Promised map[string][]Change
}

// survey checks every step without changing anything. Failures are all
// gathered: an administrator mends them together.
func (e *Engine) survey(ctx context.Context) []StepReport {
	e.Known.Believe()
	reports := make([]StepReport, len(e.Steps))
	clear(e.Pending)
	for i, s := range e.Steps {
		start := e.Now()
		reports[i] = e.check(ctx, s)
		reports[i].Millis = e.Now().Sub(start).Milliseconds()
		e.Pending[s.Name] = reports[i].Status == Failed || len(Outstanding(reports[i].Changes)) > 0
	}
	return reports
}

// check runs one Check and puts what it found into a report, whose status is
// Planned, Deferred, Unchanged or Failed.
func (e *Engine) check(ctx context.Context, s Step) StepReport {
	r := StepReport{Name: s.Name, Status: Unchanged}
	found, err := s.Check(ctx)
	r.Changes, r.Notes, r.Warnings, r.nextBoot = found.Changes, found.Notes, found.Warnings, found.NextBoot
	switch {
	case err != nil:
		r.Fail(err)
	case len(Outstanding(found.Changes)) > 0:
		r.Status = Planned
	case len(found.Changes) > 0:
		r.Status = Deferred
	}
	return r
}

func (r *StepReport) Fail(err error) {
	r.Status, r.Err, r.Error = Failed, err, err.Error()
}

// Plan surveys the host and reports what Apply would do.
func (e *Engine) Plan(ctx context.Context) []StepReport {
	reports := e.survey(ctx)
	for i, r := range reports {
		e.finished(i, r)
	}
	return reports
}

// Apply surveys the host, and where nothing is known to fail brings about
// what differs, step by step. A survey that fails ends the run with the host
// untouched: steps that had something to do are then reported as skipped.
func (e *Engine) Apply(ctx context.Context) []StepReport {
	plan := e.survey(ctx)
	e.hold(plan)
	if slices.ContainsFunc(plan, func(r StepReport) bool { return r.Status == Failed }) {
		return e.untouched(plan)
	}
	reports := make([]StepReport, 0, len(plan))
	dirty := false
	for i, s := range e.Steps {
		e.started(i, s.Name)
		start := e.Now()
		r := e.step(ctx, s, plan[i], reports, dirty)
		r.Millis = e.Now().Sub(start).Milliseconds()
		if !dirty {
			r.Millis += plan[i].Millis
		}
		dirty = dirty || r.Status != Unchanged && r.Status != Skipped
		e.Pending[s.Name] = false
		reports = append(reports, r)
		e.finished(i, r)
	}
	return reports
}

// untouched turns a failed survey into the report of a run that did nothing.
func (e *Engine) untouched(plan []StepReport) []StepReport {
	for i := range plan {
		if plan[i].Status == Planned || plan[i].Status == Deferred {
			plan[i].Status = Skipped
			plan[i].Why = "nothing was changed: a check failed beforehand"
			plan[i].nextBoot = nil
		}
		e.finished(i, plan[i])
	}
	return plan
}

// step brings about one step. Where an earlier step changed the host, what the
// survey found is stale and is read again.
func (e *Engine) step(ctx context.Context, s Step, planned StepReport, done []StepReport, dirty bool) StepReport {
	if why := e.unmet(ctx, s, done); why != "" {
		return StepReport{Name: s.Name, Status: Skipped, Why: why}
	}
	r := planned
	if dirty {
		// A step that only judges what others brought must not see its own
		// stale difference as pending.
		e.Pending[s.Name] = false
		if r = e.check(ctx, s); r.Status == Failed {
			return r
		}
		if err := e.broken(r); err != nil {
			r.Fail(err)
			return r
		}
	}
	if r.Status != Planned {
		return r
	}
	e.Known.Doubt()
	if err := s.Apply(ctx); err != nil {
		r.Fail(err)
		return r
	}
	e.Pending[s.Name] = false
	return e.confirm(ctx, s, r)
}

// confirm checks a step again after its Apply: what still differs is a
// failure, whatever the programs said that were run.
func (e *Engine) confirm(ctx context.Context, s Step, applied StepReport) StepReport {
	// Reading back is owed even where the run is being ended: a status must
	// not be a guess.
	after := e.check(context.WithoutCancel(ctx), s)
	// What was warned of before the change is true of what was replaced, and
	// nobody may have read it then.
	applied.Notes, applied.Warnings = after.Notes, joined(applied.Warnings, after.Warnings)
	applied.nextBoot = after.nextBoot
	switch after.Status {
	case Failed:
		applied.Fail(fmt.Errorf("changed, but reading it back: %w", after.Err))
	case Planned:
		applied.Fail(fmt.Errorf("changed, but it still differs: %s", join(Outstanding(after.Changes))))
	case Deferred:
		applied.Status = Deferred
	default:
		applied.Status = Changed
	}
	return applied
}

// unmet says why a step cannot be run: one that it needs did not succeed, or
// the run was ended.
func (e *Engine) unmet(ctx context.Context, s Step, done []StepReport) string {
	if err := context.Cause(ctx); err != nil {
		return "the run was ended: " + err.Error()
	}
	for _, r := range done {
		if slices.Contains(s.Needs, r.Name) && (r.Status == Failed || r.Status == Skipped) {
			return fmt.Sprintf("it needs %q, which %s", r.Name, past(r.Status))
		}
	}
	return ""
}

func past(s Status) string {
	if s == Skipped {
		return "was skipped"
	}
	return "failed"
}

func (e *Engine) started(i int, name string) {
	if e.Started != nil {
		e.Started(i+1, len(e.Steps), name)
	}
}

func (e *Engine) finished(i int, r StepReport) {
	if e.Finished != nil {
		e.Finished(i+1, len(e.Steps), r)
	}
}

func join(changes []Change) string {
	lines := make([]string, len(changes))
	for i, c := range changes {
		lines[i] = c.String()
	}
	return strings.Join(lines, "; ")
}

// joined are all warnings, each once.
func joined(before, after []string) []string {
	all := slices.Clone(before)
	for _, w := range after {
		if !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	return all
}
