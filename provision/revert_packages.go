package provision

import (
	"context"

	"wsprovision/provision/engine"
	"wsprovision/provision/packages"
	"wsprovision/provision/state"
)

// checkErase lists the packages that the agent brought and the keys that it
// imported for them. They stay unless their removal was asked for.
func (r *Revert) checkErase(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	names, err := r.brought(ctx)
	if err != nil {
		return f, err
	}
	for _, name := range names {
		f.Changes = append(f.Changes, engine.Change{Object: "package " + name, From: "installed", To: state.Absent})
	}
	keys, err := r.importedByUs(ctx)
	for _, key := range keys {
		f.Changes = append(f.Changes, engine.Change{Object: "key " + key, From: "imported", To: state.Absent})
	}
	return f, err
}

// brought are the packages of ours that are still there.
func (r *Revert) brought(ctx context.Context) ([]string, error) {
	var names []string
	if !r.packages {
		return nil, nil
	}
	for _, e := range recorded(r.ledger, state.KindPackage) {
		names = append(names, e.Name)
	}
	if len(names) == 0 {
		return nil, nil
	}
	have, err := r.RPM.DB.Installed(ctx, names...)
	if err != nil {
		return nil, err
	}
	var still []string
	for _, name := range names {
		if len(have[name]) > 0 {
			still = append(still, name)
		}
	}
	return still, nil
}

func (r *Revert) importedByUs(ctx context.Context) ([]string, error) {
	var ours []string
	if !r.packages {
		return nil, nil
	}
	for _, e := range recorded(r.ledger, state.KindKey) {
		imported, err := r.pkgs.Imported(ctx, e.Name)
		if err != nil {
			return nil, err
		}
		if imported && e.Before == state.Absent {
			ours = append(ours, e.Name)
		}
	}
	return ours, nil
}

// applyErase removes with rpm and not with yum: rpm refuses where somebody
// else's package needs one of them, and yum would take that one away too.
func (r *Revert) applyErase(ctx context.Context) error {
	names, err := r.brought(ctx)
	if err != nil {
		return err
	}
	keys, err := r.importedByUs(ctx)
	if err != nil {
		return err
	}
	var undone []state.Entry
	for _, e := range packages.Brought(names, keys) {
		undone = append(undone, e.Undoing(e.Left))
	}
	if err := r.ledger.Record(undone...); err != nil {
		return err
	}
	if len(names) > 0 {
		if err := r.RPM.Erase(ctx, names...); err != nil {
			return err
		}
	}
	for _, key := range keys {
		if err := r.RPM.ForgetKey(ctx, key); err != nil {
			return err
		}
	}
	return nil
}
