package engine

import "context"

// Step is one thing that must hold on the host.
type Step struct {
	Name string
	// Needs are names of earlier steps; where one of them failed or was
	// skipped, this one is skipped.
	Needs []string
	// Check reads the host and says what differs. It changes nothing. What an
	// earlier step has yet to bring counts as absent, not as an error. An
	// error means: this can be known to fail.
	Check func(ctx context.Context) (Finding, error)
	// Apply makes the changes that Check found and that are not deferred.
	// A step that only proves something has none.
	Apply func(ctx context.Context) error
}

// Finding is what a Check saw.
type Finding struct {
	Changes []Change
	// Notes are facts an administrator wants to see beside the step.
	Notes []string
	// Warnings are what is not as it should be and no failure of the step.
	Warnings []string
	// NextBoot is what has been, or would be, left to happen at the next boot.
	NextBoot []string
}

// Status is what became of a step.
type Status string

const (
	// Unchanged: the host was as asked for, and was read, not assumed.
	Unchanged Status = "unchanged"
	// Changed: it differed, was changed, and was read back as asked for.
	Changed Status = "changed"
	// Planned: it differs; only plan reports it.
	Planned Status = "planned"
	// Deferred: all that can be done here is done; the rest is recorded
	// durably and is finished at the first boot.
	Deferred Status = "deferred"
	// Failed: it could not be read, changed, or read back as asked for.
	Failed Status = "failed"
	// Skipped: a step that it needs did not succeed, or the run was ended.
	Skipped Status = "skipped"
)

// Decision is a failure that only somebody's decision ends: no patience does.
type Decision struct{ error }

// NewDecision is err as a Decision.
func NewDecision(err error) error { return Decision{err} }

// Unwrap gives the failure itself.
func (d Decision) Unwrap() error { return d.error }
