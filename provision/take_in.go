package provision

import (
	"context"
	"slices"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/state"
)

// takeIn has the ledger know what the agent would have written: files that stand
// there as wanted, and edits that are what the configuration asks for by now.
func (r *Run) takeIn(steps []engine.StepReport) {
	if r.planning || r.reverting || r.Euid != 0 {
		return
	}
	whole := !slices.ContainsFunc(steps, func(s engine.StepReport) bool {
		return s.Status == engine.Failed || s.Status == engine.Skipped
	})
	var entries []state.Entry
	for _, s := range r.ours() {
		now := state.Digest(s.Have.Content)
		e, recorded := r.ledger.Find(state.KindFile, s.Path)
		switch {
		case s.Lines != nil || s.Content == nil || !host.Same(s.Have.Content, s.Content):
		case !recorded && whole:
			entries = append(entries, state.Entry{Kind: state.KindFile, Name: s.Path, Before: state.Absent, Left: now})
		case recorded && !e.IsAgents(now):
			entries = append(entries, state.Entry{Kind: state.KindFile, Name: s.Path, Before: now, Left: now})
		}
	}
	if err := r.ledger.Record(entries...); err != nil {
		r.notice(err.Error() + "; the next run looks again")
	}
}

// ours are all files that the configuration asks for or takes away. What cannot
// be read the steps have said.
func (r *Run) ours() []managed.File {
	files, _ := r.conf.All()
	more, _ := r.epel.Repositories().RepositoryFiles()
	files = append(files, more...)
	limits, _ := r.capacity.Files(context.Background())
	files = append(files, limits...)
	if !r.epel.Keys().AsksForKey() {
		return files
	}
	if key, _, err := r.epel.Keys().KeyFile(); err == nil {
		files = append(files, key)
	}
	return files
}
