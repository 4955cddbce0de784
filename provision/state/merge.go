package state

import (
	"slices"

	"wsprovision/provision/engine"
	"wsprovision/provision/stepnames"
)

// The phases of a provisioning that began where the host was not running.
const (
	// PhaseInstall is what an installer's chroot, or an image's, allows.
	PhaseInstall = "install"
	// PhaseFirstBoot is the rest, on the booted host.
	PhaseFirstBoot = "first-boot"
)

// Merge makes one report of two that follow one another: the later one says
// how things are, and what the earlier one changed stays changed.
func Merge(earlier, later engine.Report) engine.Report {
	m := later
	m.Started, m.Millis = earlier.Started, earlier.Millis+later.Millis
	m.Steps = nil
	if m.Resumes == "" {
		m.Resumes = earlier.Resumes
	}
	for _, s := range earlier.Steps {
		there := slices.ContainsFunc(later.Steps, func(l engine.StepReport) bool { return l.Name == s.Name })
		// What came to nothing, and the later run did without, is no failure any more.
		moot := later.Result != engine.Failed && (s.Status == engine.Skipped || s.Status == engine.Failed)
		if !there && !moot {
			m.Steps = append(m.Steps, finishedStep(s, later))
		}
	}
	for _, s := range later.Steps {
		i := slices.IndexFunc(earlier.Steps, func(e engine.StepReport) bool { return e.Name == s.Name })
		if i >= 0 {
			s = mergeStep(earlier.Steps[i], s)
		}
		m.Steps = append(m.Steps, s)
	}
	slices.SortStableFunc(m.Steps, func(a, b engine.StepReport) int {
		return stepnames.Rank(a.Name) - stepnames.Rank(b.Name)
	})
	m.Settle()
	return m
}

// finished is a deferred step after the deferred work was struck off by a run
// that says nothing of it: the power was lost before the report of the one that
// did it was written.
func finishedStep(s engine.StepReport, later engine.Report) engine.StepReport {
	struck := func(l engine.StepReport) bool { return l.Name == stepnames.FirstBoot && l.Status == engine.Changed }
	if s.Status != engine.Deferred || later.Phase != PhaseFirstBoot || !slices.ContainsFunc(later.Steps, struck) {
		return s
	}
	s.Status, s.Changes = engine.Changed, slices.Clone(s.Changes)
	for i := range s.Changes {
		s.Changes[i].Deferred = ""
	}
	s.Notes = append(slices.Clone(s.Notes), "finished by a first boot whose report was lost with the power")
	return s
}

func mergeStep(earlier, later engine.StepReport) engine.StepReport {
	m := later
	m.Millis += earlier.Millis
	made := engine.Outstanding(earlier.Changes)
	if earlier.Status != engine.Changed && earlier.Status != engine.Deferred || len(made) == 0 {
		return m
	}
	m.Changes = append(made, later.Changes...)
	if later.Status == engine.Unchanged {
		m.Status = engine.Changed
	}
	return m
}
