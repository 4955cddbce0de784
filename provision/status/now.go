package status

import (
	"slices"
	"strings"

	"wsprovision/provision/engine"
)

// Condition is how a host stands now against what was asked of it.
type Condition string

// The conditions of a host.
const (
	// AsAsked: everything was looked at, and is as asked for.
	AsAsked Condition = "as-asked"
	// Differs: something is not as asked for, or is known to fail.
	Differs Condition = "differs"
	// Unseen: what is known is as asked for, and not everything could be looked at.
	Unseen Condition = "unknown"
)

// What a host is compared with.
const (
	ByConfiguration = "configuration" // the host's own files
	ByLedger        = "ledger"        // what the agent left, where no file says what is asked for
)

// Now is a survey of the host as it stands. It only reads.
type Now struct {
	State Condition `json:"state"`
	By    string    `json:"by,omitempty"`
	Why   string    `json:"why,omitempty"` // no survey was made, or it came to no end
	// Steps are what was looked at; a step that is planned differs.
	Steps []engine.StepReport `json:"steps,omitempty"`
	// Unknown is what could not be looked at.
	Unknown []string `json:"unknown,omitempty"`
}

// NotSurveyed is a survey that was not made.
func NotSurveyed(why string) Now { return Now{State: Unseen, Why: why} }

// Judge derives the condition from what a survey found. Without root a step warns of what it could not see.
func Judge(by string, steps []engine.StepReport, root bool) Now {
	n := Now{State: AsAsked, By: by, Steps: steps}
	for _, s := range steps {
		if s.Status != engine.Unchanged {
			n.State = Differs
		}
		for _, w := range s.Warnings {
			if !root && strings.Contains(w, "root") {
				n.Unknown = append(n.Unknown, s.Name+": "+w)
			}
		}
	}
	if n.State == AsAsked && (!root || len(n.Unknown) > 0) {
		n.State = Unseen
		n.Why = "only root sees everything"
	}
	return n
}

// Differences are what is not as asked for, in words.
func (n Now) Differences() (all []string) {
	for _, s := range n.Steps {
		if s.Status == engine.Failed {
			first, _, _ := strings.Cut(s.Error, "\n")
			all = append(all, s.Name+": "+first)
			continue
		}
		for _, c := range s.Changes {
			all = append(all, s.Name+": "+c.Object+" is "+c.From+", and is to be "+c.To)
		}
	}
	return all
}

// Whole reports whether the last run is complete and the host is as it was asked to be.
func (s Report) Whole() bool { return s.State == Complete && s.Now.State == AsAsked }

// Surveyable says why a host in that state is not surveyed; "" where it is.
func (s Report) Surveyable() string {
	switch {
	case s.Offline:
		return "this system does not run"
	case slices.Contains([]State{Waiting, Running}, s.State):
		return "the provisioning has not come to its end"
	}
	return ""
}
