package provision

import "wsprovision/provision/engine"

// Listener is told what happens while it happens; any field may be nil.
type Listener struct {
	// Began is told of the run before its first step, and of the ID by which its report is kept.
	Began func(command, id string)
	// Log takes a line for every program run.
	Log func(line string, changing bool)
	// Notice takes what is being waited for: "yum lock held by …".
	Notice func(string)
	// Started and Finished are told of every step.
	Started  func(n, total int, step string)
	Finished func(n, total int, step engine.StepReport)
}
