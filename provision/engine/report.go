package engine

import (
	"slices"
	"time"

	multierror "github.com/hashicorp/go-multierror"
)

// ReportVersion is the version of the report's JSON form. A field is never
// renamed or removed under the same version; new ones may come.
const ReportVersion = 1

// Report is what a run found and did, in the order of the steps.
type Report struct {
	Version int          `json:"report_version"`
	Command string       `json:"command"`
	Agent   string       `json:"agent_version"`
	Started time.Time    `json:"started"`
	Millis  int64        `json:"duration_ms"`
	Result  Status       `json:"result"`
	Place   string       `json:"place"`
	Steps   []StepReport `json:"steps"`
	// Interrupted is set where the run was ended by a signal or a deadline.
	Interrupted string `json:"interrupted,omitempty"`
	// Phase is "install" or "first-boot" where the work is done in two, and
	// "install+first-boot" in the status's report of both.
	Phase string `json:"phase,omitempty"`
	// Resumes tells of an earlier run that was interrupted, which this one
	// went on from.
	Resumes string `json:"resumes,omitempty"`
	// NextBoot is what this run has scheduled for the next boot or, for a plan,
	// would schedule.
	NextBoot []string `json:"next_boot,omitempty"`
	// ID and Host are in a report that is sent: the ID by which the host keeps it, and the host's name.
	ID   string `json:"id,omitempty"`
	Host string `json:"host,omitempty"`
}

// StepReport is one step's part of a Report.
type StepReport struct {
	Name     string   `json:"name"`
	Status   Status   `json:"status"`
	Millis   int64    `json:"duration_ms"`
	Changes  []Change `json:"changes,omitempty"`
	Notes    []string `json:"notes,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	Error    string   `json:"error,omitempty"`
	// Why says for a skipped step what it was skipped for.
	Why string `json:"why,omitempty"`

	Err      error `json:"-"`
	nextBoot []string
}

// Err gathers every step's failure, each named once by its step; nil where
// none failed.
func (r *Report) Err() error {
	var all *multierror.Error
	for _, s := range r.Steps {
		if s.Err != nil {
			all = multierror.Append(all, &StepError{Step: s.Name, Err: s.Err})
		}
	}
	return Lines(all)
}

// StepError is a failure of the named step.
type StepError struct {
	Step string
	Err  error `json:"-"`
}

func (e *StepError) Error() string { return e.Step + ": " + e.Err.Error() }

// Unwrap gives the failure itself.
func (e *StepError) Unwrap() error { return e.Err }

// Map is the report with each text that somebody wrote as show gives it.
func (r *Report) Map(show func(string) string) *Report {
	m := *r
	m.Interrupted, m.Resumes, m.NextBoot = show(r.Interrupted), show(r.Resumes), mapped(r.NextBoot, show)
	m.Steps = slices.Clone(r.Steps)
	for i := range m.Steps {
		s := &m.Steps[i]
		s.Error, s.Why = show(s.Error), show(s.Why)
		s.Notes, s.Warnings = mapped(s.Notes, show), mapped(s.Warnings, show)
		s.Changes = slices.Clone(s.Changes)
		for j, c := range s.Changes {
			s.Changes[j] = Change{Object: show(c.Object), From: show(c.From), To: show(c.To), Diff: show(c.Diff),
				Deferred: show(c.Deferred)}
		}
	}
	return &m
}

func mapped(all []string, show func(string) string) []string {
	all = slices.Clone(all)
	for i := range all {
		all[i] = show(all[i])
	}
	return all
}

// Differs reports whether the run changed the host or, for a plan, would.
func (r *Report) Differs() bool {
	for _, s := range r.Steps {
		if s.Status == Changed || s.Status == Planned {
			return true
		}
	}
	return false
}

// gatherNextBoot takes together what the steps have left to the next boot.
func (r *Report) GatherNextBoot() {
	for _, s := range r.Steps {
		for _, what := range s.nextBoot {
			if !slices.Contains(r.NextBoot, what) {
				r.NextBoot = append(r.NextBoot, what)
			}
		}
	}
}

// settle derives the run's result from its steps': the worst one tells.
func (r *Report) Settle() {
	r.Result = Unchanged
	rank := map[Status]int{Unchanged: 0, Planned: 1, Changed: 1, Deferred: 2, Skipped: 3, Failed: 4}
	for _, s := range r.Steps {
		if rank[s.Status] > rank[r.Result] {
			r.Result = s.Status
		}
	}
	if r.Result == Skipped {
		r.Result = Failed
	}
	if r.Interrupted != "" {
		r.Result = Failed
	}
}
