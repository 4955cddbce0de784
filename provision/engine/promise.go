package engine

import (
	"errors"
	"slices"
	"strings"
)

// hold fails each step of a survey whose changes are not those that were promised: nothing is changed then.
func (e *Engine) hold(survey []StepReport) {
	if e.Promised == nil {
		return
	}
	for i := range survey {
		s := &survey[i]
		if promised := e.Promised[s.Name]; s.Status != Failed && !slices.Equal(s.Changes, promised) {
			s.Fail(otherwise(promised, s.Changes))
		}
	}
}

// broken is a failure where a step that is read again would now do what nobody was shown. What was there before may be
// another by then, because an earlier step has brought it.
func (e *Engine) broken(r StepReport) error {
	if e.Promised == nil {
		return nil
	}
	for _, c := range Outstanding(r.Changes) {
		if !slices.ContainsFunc(e.Promised[r.Name], func(p Change) bool {
			return p.Object == c.Object && p.To == c.To && (p.Diff == "" || p.Diff == c.Diff || p.From != c.From)
		}) {
			return otherwise(e.Promised[r.Name], r.Changes)
		}
	}
	return nil
}

// otherwise says what differs between what was shown and what would be done.
func otherwise(promised, now []Change) error {
	var lines []string
	for _, c := range promised {
		if !slices.Contains(now, c) {
			lines = append(lines, "the plan has, and it is so no more: "+c.String())
		}
	}
	for _, c := range now {
		if !slices.Contains(promised, c) {
			lines = append(lines, "the plan has not: "+c.String())
		}
	}
	if lines == nil {
		lines = []string{"the plan has the changes in another order"}
	}
	return NewDecision(errors.New("the host is not as it was when the plan was made; plan again:\n" +
		strings.Join(lines, "\n")))
}
