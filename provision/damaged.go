package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/rpm"
)

// lookBack is how much earlier than an interrupted run a transaction may have
// begun that was lost with it: a run before it, not written out yet, or a clock
// that was set meanwhile.
const lookBack = 24 * time.Hour

// damaged are the files that a power cut took from packages that an interrupted
// run brought: rpm syncs its database and not the files that it speaks of, so
// that it says "installed" of an nginx with nothing in it. Asked once in a run,
// and only until a run has found all of them whole.
func (r *Run) damaged(ctx context.Context) ([]rpm.Damage, error) {
	if r.annals.history.Unverified == nil || r.Euid != 0 {
		return nil, nil
	}
	if r.damage == nil {
		names, err := r.RPM.BroughtWith(ctx, r.annals.history.Unverified.Started.Add(-lookBack),
			r.entries(KindPackage)...)
		if err != nil {
			return nil, err
		}
		found, err := r.RPM.Damaged(ctx, names...)
		if err != nil {
			return nil, err
		}
		r.damage = append([]rpm.Damage{}, found...)
	}
	return r.damage, nil
}

// damagedPackages are those of them that have lost files: epel-release, which
// the repository step brings, or all others. Each is one change.
func (r *Run) damagedPackages(ctx context.Context, epel bool) (names []string, changes []engine.Change, err error) {
	files, err := r.damaged(ctx)
	for i, d := range files {
		if (d.Package == epelPackage) != epel || slices.Contains(names, d.Package) {
			continue
		}
		names = append(names, d.Package)
		more := len(slices.DeleteFunc(slices.Clone(files[i+1:]), func(o rpm.Damage) bool {
			return o.Package != d.Package
		}))
		changes = append(changes,
			engine.Change{Object: "package " + d.Package,
				From: fmt.Sprintf("damaged by a power cut: %s%s", d.Path, andMore(more)), To: "reinstalled"})
	}
	return names, changes, err
}

// mend lays the files of damaged packages down anew.
func (r *Run) mend(ctx context.Context) error {
	names, _, err := r.damagedPackages(ctx, false)
	if err != nil || len(names) == 0 {
		return err
	}
	all, err := r.inventoried(ctx)
	if err != nil {
		return err
	}
	limits, err := r.RPM.Restrict(ctx, all.Keys)
	if err != nil {
		return fmt.Errorf("reinstall %s: %w", strings.Join(names, ", "), err)
	}
	if err := r.ledger.Record(brought(nil, limits.Keys)...); err != nil {
		return err
	}
	if err := r.dropEmpty(names); err != nil {
		return err
	}
	r.damage, r.inventory = nil, nil
	return r.RPM.Reinstall(ctx, names, limits)
}

// eraseDamaged takes a damaged epel-release away, which is then brought like a
// missing one: from wherever the configuration says.
func (r *Run) eraseDamaged(ctx context.Context) (erased bool, err error) {
	names, _, err := r.damagedPackages(ctx, true)
	if err != nil || len(names) == 0 {
		return false, err
	}
	if err := r.dropEmpty(names); err != nil {
		return false, err
	}
	r.damage, r.packages, r.inventory = nil, nil, nil
	return true, r.RPM.Erase(ctx, names...)
}

// dropEmpty removes configuration files that hold nothing any more: rpm would
// keep them for an administrator's.
func (r *Run) dropEmpty(packages []string) error {
	for _, d := range r.damage {
		if d.Empty && slices.Contains(packages, d.Package) {
			if err := r.Files.Remove(d.Path); err != nil {
				return err
			}
		}
	}
	return nil
}
