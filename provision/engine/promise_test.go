package engine

import (
	"context"
	"strings"
	"testing"
	"time"
)

// What was not shown is not done: neither where the survey already finds something else, nor where a step, once an
// earlier one has changed the host, would do more.
func TestEnginePromised(t *testing.T) {
	ab := Change{Object: "a", From: "x", To: "y"}
	cd := Change{Object: "c", From: "absent", To: "written", Diff: "+1\n"}
	for name, tt := range map[string]struct {
		promised map[string][]Change
		first    []Change // found by the survey
		later    []Change // found by the second step once the first was applied
		applied  int
		says     string // in the second step's error, or the first's
	}{
		"as promised": {map[string][]Change{"one": {ab}, "two": {cd}}, []Change{cd}, []Change{cd}, 2, ""},
		"nothing was promised": {map[string][]Change{}, []Change{cd}, nil, 0,
			"the plan has not: c: absent → written"},
		"less than was promised": {map[string][]Change{"one": {ab}, "two": {cd}}, nil, nil, 0,
			"it is so no more: c: absent"},
		"another value": {map[string][]Change{"one": {{Object: "a", From: "x", To: "z"}}, "two": {cd}}, []Change{cd},
			nil, 0,
			"the plan has not: a: x → y"},
		"another content": {map[string][]Change{"one": {ab}, "two": {{Object: "c", From: "absent", To: "written",
			Diff: "+2\n"}}}, []Change{cd}, nil, 0, "the plan has not: c"},
		"more, once something has changed": {map[string][]Change{"one": {ab}, "two": {cd}}, []Change{cd},
			[]Change{cd, {Object: "d", From: "x", To: "y"}}, 1, "the plan has not: d: x → y"},
		"from elsewhere, once something has changed": {map[string][]Change{"one": {ab}, "two": {cd}}, []Change{cd},
			[]Change{{Object: "c", From: "disabled", To: "written"}}, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			applied := 0
			one := Step{Name: "one", Check: func(context.Context) (Finding, error) {
				if applied > 0 {
					return Finding{}, nil
				}
				return Finding{Changes: []Change{ab}}, nil
			}, Apply: func(context.Context) error { applied++; return nil }}
			two := Step{Name: "two", Check: func(context.Context) (Finding, error) {
				switch applied {
				case 0:
					return Finding{Changes: tt.first}, nil
				case 1:
					return Finding{Changes: tt.later}, nil
				}
				return Finding{}, nil
			}, Apply: func(context.Context) error { applied++; return nil }}
			e := &Engine{Steps: []Step{one, two}, Now: time.Now, Pending: map[string]bool{}, Promised: tt.promised}
			r := &Report{Steps: e.Apply(t.Context())}
			r.Settle()
			said := ""
			if err := r.Err(); err != nil {
				said = err.Error()
			}
			if applied != tt.applied || !strings.Contains(said, tt.says) || (said == "") != (tt.says == "") {
				t.Errorf("%d steps applied, want %d; %q, want %q", applied, tt.applied, said, tt.says)
			}
		})
	}
}
