package provision

import (
	"context"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/policy"
	"wsprovision/provision/state"
	"wsprovision/selinux"
)

// undo is one SELinux value on its way back.
type undo struct {
	entry  state.Entry // as it is announced
	change engine.Change
	edit   *selinux.Edit // nil: the running value of a boolean
}

// checkUndo compares every boolean and label that the agent set with what it
// was before.
func (r *Revert) checkUndo(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	undos, warnings, err := r.undos(ctx)
	f.Warnings = warnings
	for _, u := range undos {
		f.Changes = append(f.Changes, u.change)
	}
	if err == nil && len(undos) > 0 {
		_, err = r.SELinux.Status() // which their undoing goes by
	}
	if err != nil {
		return f, err
	}
	return f, r.SELinux.Refused(edits(undos))
}

func edits(undos []undo) []selinux.Edit {
	var all []selinux.Edit
	for _, u := range undos {
		if u.edit != nil {
			all = append(all, *u.edit)
		}
	}
	return all
}

func (r *Revert) undos(ctx context.Context) ([]undo, []string, error) {
	var (
		undos    []undo
		warnings []string
		all      *multierror.Error
	)
	for _, e := range recorded(r.ledger, state.KindPort, state.KindBoolean, state.KindRunning, state.KindContext) {
		object, now, u, err := r.undoOf(ctx, e)
		switch {
		case err != nil:
			all = multierror.Append(all, err)
		case now == e.Before:
		case e.Kind == state.KindRunning && now == string(selinux.Unknown): // no policy of this host runs
		case !e.IsAgents(now):
			warnings = append(warnings, left(object, now, e))
		default:
			u.entry = e.Undoing(now)
			u.change.Object, u.change.From, u.change.To = object, now, e.Before
			undos = append(undos, u)
		}
	}
	return undos, warnings, engine.Lines(all)
}

// undoOf reads what an entry speaks of as it is now, in the entry's words, and
// says how to bring it back.
func (r *Revert) undoOf(ctx context.Context, e state.Entry) (object, now string, u undo, err error) {
	if now, err = r.present(ctx, e); err != nil {
		return "", "", u, err
	}
	switch e.Kind {
	case state.KindPort:
		u.edit, err = undoPort(e)
		return "port " + e.Name + " (local)", now, u, err
	case state.KindContext:
		edit := selinux.DeleteContext(selinux.Context{Spec: e.Name})
		u.edit = &edit
		return "file context of " + e.Name + " (local)", now, u, nil
	case state.KindRunning:
		if r.Where.Offline() {
			u.change.Deferred = "the kernel that runs here is not the host's own"
		}
		return "boolean " + e.Name + " (running)", now, u, nil
	}
	edit := policy.UndoBoolean(e)
	u.edit = &edit
	return "boolean " + e.Name + " (persistent, local)", now, u, nil
}

func undoPort(e state.Entry) (*selinux.Edit, error) {
	p, err := policy.PortNamed(e.Name)
	p.Type = e.Before
	edit := selinux.ModifyPort(p)
	if e.Before == state.Absent {
		edit = selinux.DeletePort(p)
	}
	return &edit, err
}

// applyUndo takes all records back in one transaction, and then the running
// value, which the transaction may have moved.
func (r *Revert) applyUndo(ctx context.Context) error {
	status, err := r.SELinux.Status()
	if err != nil {
		return err
	}
	undos, _, err := r.undos(ctx)
	if err != nil {
		return err
	}
	running := recorded(r.ledger, state.KindRunning)
	if err := announceUndos(r.ledger, undos); err != nil {
		return err
	}
	for _, u := range undos {
		if u.entry.Kind == state.KindContext {
			if err := r.policy.Sockets().UnlabelSockets(u.entry.Name); err != nil {
				return err
			}
		}
	}
	if edits := edits(undos); len(edits) > 0 {
		if err := r.policy.CommitPolicy(ctx, status, edits); err != nil {
			return err
		}
	}
	for _, e := range running {
		b, err := r.SELinux.Boolean(ctx, e.Name)
		if err != nil {
			return err
		}
		if r.policy.Live(status) && e.IsAgents(string(b.Running)) && b.Running == selinux.On &&
			e.Before == string(selinux.Off) {
			if err := r.SELinux.SetRunning(ctx, e.Name, false); err != nil {
				return err
			}
		}
	}
	return nil
}

func announceUndos(ledger *state.Ledger, undos []undo) error {
	var entries []state.Entry
	for _, u := range undos {
		if u.change.Deferred == "" {
			entries = append(entries, u.entry)
		}
	}
	return ledger.Record(entries...)
}
