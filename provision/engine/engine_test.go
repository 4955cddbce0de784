package engine

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// fakeStep is a step whose world is one value.
type fakeStep struct {
	name     string
	needs    []string
	differs  bool
	deferred bool
	stays    bool // Apply says that it worked, and it did not
	check    error
	after    error // of the check that follows Apply
	apply    error
	applied  int
	checked  int
	ended    bool // the context of the last check was ended
}

func (s *fakeStep) step(clock *time.Time) Step {
	return Step{Name: s.name, Needs: s.needs,
		Check: func(ctx context.Context) (Finding, error) {
			s.checked++
			s.ended = ctx.Err() != nil
			*clock = clock.Add(10 * time.Millisecond)
			if s.applied > 0 && s.after != nil {
				return Finding{}, s.after
			}
			f := Finding{Notes: []string{fmt.Sprintf("check %d", s.checked)}}
			if s.differs {
				f.Changes = append(f.Changes, Change{Object: s.name, From: "a", To: "b"})
			}
			if s.deferred {
				f.Changes = append(f.Changes, Change{Object: s.name, From: "a", To: "b", Deferred: "not here"})
			}
			return f, s.check
		},
		Apply: func(context.Context) error {
			s.applied++
			*clock = clock.Add(time.Second)
			if s.apply == nil && !s.stays {
				s.differs = false
			}
			return s.apply
		},
	}
}

func TestEngineApply(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name    string
		steps   []*fakeStep
		want    []Status
		why     map[string]string // of skipped steps
		errors  map[string]string
		applied []int
	}{
		{name: "nothing differs", steps: []*fakeStep{{name: "a"}, {name: "b"}}, want: []Status{Unchanged, Unchanged},
			applied: []int{0, 0}},
		{name: "one differs", steps: []*fakeStep{{name: "a"}, {name: "b", differs: true}},
			want: []Status{Unchanged, Changed}, applied: []int{0, 1}},
		{name: "a failing survey touches nothing",
			steps: []*fakeStep{{name: "a", differs: true}, {name: "b", check: broken}, {name: "c", deferred: true},
				{name: "d"}},
			want: []Status{Skipped, Failed, Skipped, Unchanged}, applied: []int{0, 0, 0, 0},
			errors: map[string]string{"b": "broken"},
			why: map[string]string{"a": "nothing was changed: a check failed beforehand",
				"c": "nothing was changed: a check failed beforehand"}},
		{name: "a failure skips what needs it, and no more", applied: []int{1, 0, 0, 1},
			steps: []*fakeStep{{name: "a", differs: true, apply: broken},
				{name: "b", needs: []string{"a"}, differs: true}, {name: "c", needs: []string{"b"}, differs: true},
				{name: "d", differs: true}},
			want: []Status{Failed, Skipped, Skipped, Changed}, errors: map[string]string{"a": "broken"},
			why: map[string]string{"b": `it needs "a", which failed`, "c": `it needs "b", which was skipped`}},
		{name: "what still differs is a failure", steps: []*fakeStep{{name: "a", differs: true, stays: true}},
			want: []Status{Failed}, applied: []int{1},
			errors: map[string]string{"a": "changed, but it still differs: a: a → b"}},
		{name: "what cannot be read back is a failure", steps: []*fakeStep{{name: "a", differs: true, after: broken}},
			want: []Status{Failed}, applied: []int{1},
			errors: map[string]string{"a": "changed, but reading it back: broken"}},
		{name: "all deferred", steps: []*fakeStep{{name: "a", deferred: true}}, want: []Status{Deferred},
			applied: []int{0}},
		{name: "partly deferred", steps: []*fakeStep{{name: "a", deferred: true, differs: true}},
			want: []Status{Deferred}, applied: []int{1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clock := time.Unix(0, 0)
			e := &Engine{Now: func() time.Time { return clock }, Pending: map[string]bool{}}
			for _, s := range tt.steps {
				e.Steps = append(e.Steps, s.step(&clock))
			}
			var told []string
			e.Finished = func(n, total int, s StepReport) {
				told = append(told, fmt.Sprintf("%d/%d %s %s", n, total, s.Name, s.Status))
			}
			reports := e.Apply(t.Context())
			var applied []int
			for i, r := range reports {
				if r.Status != tt.want[i] || r.Error != tt.errors[r.Name] || r.Why != tt.why[r.Name] {
					t.Errorf("%s: %s %q %q, want %s %q %q", r.Name, r.Status, r.Error, r.Why, tt.want[i],
						tt.errors[r.Name], tt.why[r.Name])
				}
				if want := fmt.Sprintf("%d/%d %s %s", i+1, len(reports), r.Name, r.Status); told[i] != want {
					t.Errorf("told %q, want %q", told[i], want)
				}
				applied = append(applied, tt.steps[i].applied)
			}
			if d := cmp.Diff(tt.applied, applied); d != "" {
				t.Errorf("applied (-want +got):\n%s", d)
			}
		})
	}
}

// What was warned of before a change is in the report after it, once.
func TestEngineKeepsWarnings(t *testing.T) {
	done := false
	s := Step{Name: "a", Check: func(context.Context) (Finding, error) {
		if done {
			return Finding{Warnings: []string{"always", "after"}}, nil
		}
		return Finding{Changes: []Change{{Object: "a"}}, Warnings: []string{"an edit is replaced", "always"}}, nil
	}, Apply: func(context.Context) error { done = true; return nil }}
	e := &Engine{Steps: []Step{s}, Now: time.Now, Pending: map[string]bool{}}
	got := e.Apply(t.Context())[0]
	if d := cmp.Diff([]string{"an edit is replaced", "always", "after"}, got.Warnings); d != "" ||
		got.Status != Changed {
		t.Errorf("%s (-want +got):\n%s", got.Status, d)
	}
}

func TestEnginePlan(t *testing.T) {
	clock := time.Unix(0, 0)
	steps := []*fakeStep{{name: "a", differs: true}, {name: "b", check: errors.New("broken")},
		{name: "c", deferred: true}, {name: "d"}}
	e := &Engine{Now: func() time.Time { return clock }, Pending: map[string]bool{"left": true}}
	for _, s := range steps {
		e.Steps = append(e.Steps, s.step(&clock))
	}
	want := []StepReport{
		{Name: "a", Status: Planned, Millis: 10}, {Name: "b", Status: Failed, Millis: 10, Error: "broken"},
		{Name: "c", Status: Deferred, Millis: 10}, {Name: "d", Status: Unchanged, Millis: 10},
	}
	got := e.Plan(t.Context())
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(StepReport{}, "Changes", "Notes", "Err"),
		cmpopts.IgnoreUnexported(StepReport{})); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]bool{"a": true, "b": true, "c": false, "d": false}, e.Pending); d != "" {
		t.Errorf("pending (-want +got):\n%s", d)
	}
	for _, s := range steps {
		if s.applied > 0 {
			t.Errorf("plan applied %s", s.name)
		}
	}
}

// A step after a change is read anew; one before it is not read twice.
func TestEngineReadsAgainAfterAChange(t *testing.T) {
	clock := time.Unix(0, 0)
	steps := []*fakeStep{{name: "a"}, {name: "b", differs: true}, {name: "c"}}
	e := &Engine{Now: func() time.Time { return clock }, Pending: map[string]bool{}}
	for _, s := range steps {
		e.Steps = append(e.Steps, s.step(&clock))
	}
	var started []string
	e.Started = func(n, total int, name string) { started = append(started, fmt.Sprint(n, total, name)) }
	r := e.Apply(t.Context())
	if d := cmp.Diff([]int{1, 2, 2}, []int{steps[0].checked, steps[1].checked, steps[2].checked}); d != "" {
		t.Errorf("checks (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]int64{10, 1020, 10}, []int64{r[0].Millis, r[1].Millis, r[2].Millis}); d != "" {
		t.Errorf("milliseconds (-want +got):\n%s", d)
	}
	if d := cmp.Diff([]string{"1 3a", "2 3b", "3 3c"}, started); d != "" {
		t.Errorf("started (-want +got):\n%s", d)
	}
}

// A run that is ended finishes the step that is under way, reads it back, and begins no further one.
func TestEngineEnded(t *testing.T) {
	clock := time.Unix(0, 0)
	ctx, cancel := context.WithCancelCause(t.Context())
	a, b := &fakeStep{name: "a", differs: true}, &fakeStep{name: "b", differs: true}
	first := a.step(&clock)
	apply := first.Apply
	first.Apply = func(ctx context.Context) error { cancel(errors.New("caught interrupt")); return apply(ctx) }
	e := &Engine{Now: func() time.Time {
		return clock
	}, Pending: map[string]bool{}, Steps: []Step{first, b.step(&clock)}}
	r := e.Apply(ctx)
	if r[0].Status != Changed || a.ended {
		t.Errorf("the step under way: %s, read back with an ended context: %v", r[0].Status, a.ended)
	}
	if r[1].Status != Skipped || r[1].Why != "the run was ended: caught interrupt" || b.applied > 0 {
		t.Errorf("the next step: %s %q, applied %d times", r[1].Status, r[1].Why, b.applied)
	}
}
