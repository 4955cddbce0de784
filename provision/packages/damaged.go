package packages

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/state"
	"wsprovision/rpm"
	"wsprovision/rpm/rpmdb"
)

// lookBack is how much earlier than an interrupted run a transaction may have
// begun that was lost with it: a run before it, not written out yet, or a clock
// that was set meanwhile.
const lookBack = 24 * time.Hour

// DamagedFiles are the files that a power cut took from packages that an interrupted
// run brought: rpm syncs its database and not the files that it speaks of, so
// that it says "installed" of an nginx with nothing in it. Asked once in a run,
// and only until a run has found all of them whole.
func (p *Packages) DamagedFiles(ctx context.Context) ([]rpmdb.Damage, error) {
	if p.History.Unverified == nil || p.Euid != 0 {
		return nil, nil
	}
	if p.Damage == nil {
		names, err := p.RPM.DB.BroughtWith(ctx, p.History.Unverified.Started.Add(-lookBack),
			p.Ledger.Names(state.KindPackage)...)
		if err != nil {
			return nil, err
		}
		found, err := p.RPM.DB.Damaged(ctx, names...)
		if err != nil {
			return nil, err
		}
		p.Damage = append([]rpmdb.Damage{}, found...)
	}
	return p.Damage, nil
}

// Damaged reports whether a power cut took files of the packages.
func (p *Packages) Damaged(ctx context.Context) (bool, error) {
	lost, err := p.DamagedFiles(ctx)
	return len(lost) > 0, err
}

// damagedPackages are those of them that have lost files: epel-release, which
// the repository step brings, or all others. Each is one change.
func (p *Packages) damagedPackages(ctx context.Context, epel bool) (names []string, changes []engine.Change,
	err error) {
	files, err := p.DamagedFiles(ctx)
	for i, d := range files {
		if (d.Package == EPELRelease) != epel || slices.Contains(names, d.Package) {
			continue
		}
		names = append(names, d.Package)
		more := len(slices.DeleteFunc(slices.Clone(files[i+1:]), func(o rpmdb.Damage) bool {
			return o.Package != d.Package
		}))
		changes = append(changes,
			engine.Change{Object: "package " + d.Package,
				From: fmt.Sprintf("damaged by a power cut: %s%s", d.Path, engine.AndMore(more)), To: "reinstalled"})
	}
	return names, changes, err
}

// mend lays the files of damaged packages down anew.
func (p *Packages) mend(ctx context.Context) error {
	names, _, err := p.damagedPackages(ctx, false)
	if err != nil || len(names) == 0 {
		return err
	}
	all, err := p.inventoried(ctx)
	if err != nil {
		return err
	}
	yum, err := p.yumFor(names)
	if err != nil {
		return err
	}
	limits, err := yum.Restrict(ctx, all.Keys)
	if err != nil {
		return fmt.Errorf("reinstall %s: %w", strings.Join(names, ", "), err)
	}
	if err := p.Ledger.Record(Brought(nil, limits.Keys)...); err != nil {
		return err
	}
	if err := p.dropEmpty(names); err != nil {
		return err
	}
	p.Damage, p.Inventory = nil, nil
	return yum.Reinstall(ctx, names, limits)
}

// yumFor is rpm's host with the repositories that these packages come from, also where theirs is disabled.
func (p *Packages) yumFor(names []string) (rpm.Host, error) {
	if p.Beside == nil {
		return p.RPM, nil
	}
	beside, err := p.Beside(names)
	return p.RPM.With(beside), err
}

// eraseDamaged takes a damaged epel-release away, which is then brought like a
// missing one: from wherever the configuration says.
func (p *Packages) eraseDamaged(ctx context.Context) (erased bool, err error) {
	names, _, err := p.damagedPackages(ctx, true)
	if err != nil || len(names) == 0 {
		return false, err
	}
	if err := p.dropEmpty(names); err != nil {
		return false, err
	}
	p.Damage, p.packages, p.Inventory = nil, nil, nil
	return true, p.RPM.Erase(ctx, names...)
}

// dropEmpty removes configuration files that hold nothing any more: rpm would
// keep them for an administrator's.
func (p *Packages) dropEmpty(packages []string) error {
	for _, d := range p.Damage {
		if d.Empty && slices.Contains(packages, d.Package) {
			if err := p.Files.Remove(d.Path); err != nil {
				return err
			}
		}
	}
	return nil
}
