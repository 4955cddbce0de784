package firewall

import (
	"context"

	"wsprovision/provision/engine"
	"wsprovision/provision/state"
)

// Apply opens what the zone does not let in, and shuts what the agent opened and nobody asks for any more.
func (f *Firewall) Apply(ctx context.Context) error {
	w, err := f.wall(ctx)
	if err != nil || w.Firewall == nil {
		return err
	}
	defer w.Close() //nolint:errcheck // nothing is owed
	moves, err := f.moves(ctx, w, &engine.Finding{})
	if err != nil {
		return err
	}
	var entries []state.Entry
	for _, m := range moves {
		entries = append(entries, m.entry)
	}
	if err := f.Ledger.Record(entries...); err != nil {
		return err
	}
	for _, m := range moves {
		do := w.Open
		if m.entry.Left == shut {
			do = w.Shut
		}
		if err := do(ctx, m.in, m.zone, m.port); err != nil {
			return err
		}
	}
	return nil
}
