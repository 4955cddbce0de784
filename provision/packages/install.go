package packages

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/state"
	"wsprovision/rpm"
	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/yumconf"
)

// The packages that the steps need. semanage is in policycoreutils-python and
// not in a minimal installation (RHEL 7).
const (
	Nginx       = "nginx"
	Semanage    = "policycoreutils-python"
	EPELRelease = "epel-release"
)

// installed asks rpm, once, for every package that any step wants to know of.
func (p *Packages) installed(ctx context.Context) (map[string][]rpmdb.Package, error) {
	if p.packages == nil {
		found, err := p.answer(ctx)
		if err != nil {
			return nil, err
		}
		p.packages = found
	}
	return p.packages, nil
}

// Ask has rpm look beside what else is read: it takes longer than all of that. Whoever first wants to know waits for
// the answer. The caller waits, too, before the run ends: nothing is left running.
func (p *Packages) Ask(ctx context.Context) (wait func()) {
	if p.packages != nil {
		return func() {}
	}
	ended := make(chan struct{})
	var found map[string][]rpmdb.Package
	var err error
	go func() {
		defer close(ended)
		found, err = p.query(ctx)
	}()
	p.asked = func() (map[string][]rpmdb.Package, error) {
		<-ended
		return found, err
	}
	return func() { <-ended }
}

// answer is what rpm was asked for beforehand, once: what it says after that is asked anew.
func (p *Packages) answer(ctx context.Context) (map[string][]rpmdb.Package, error) {
	if asked := p.asked; asked != nil {
		p.asked = nil
		return asked()
	}
	return p.query(ctx)
}

func (p *Packages) query(ctx context.Context) (map[string][]rpmdb.Package, error) {
	return p.RPM.DB.Installed(ctx, Nginx, Semanage, EPELRelease)
}

// missing are the packages that are needed and not there, and what an earlier
// transaction failed to bring with them.
func (p *Packages) missing(ctx context.Context) ([]string, error) {
	found, err := p.installed(ctx)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, name := range []string{Nginx, Semanage} {
		if len(found[name]) == 0 {
			missing = append(missing, name)
		}
	}
	lacking, err := p.incomplete(ctx)
	return append(missing, lacking...), err
}

func (p *Packages) Check(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	due, err := p.due(ctx)
	if err != nil {
		return f, err
	}
	for _, name := range due {
		f.Changes = append(f.Changes, engine.Change{Object: "package " + name, From: state.Absent, To: "installed"})
	}
	_, damaged, err := p.damagedPackages(ctx, false)
	if err != nil {
		return f, err
	}
	f.Changes = append(f.Changes, damaged...)
	if len(f.Changes) > 0 && p.Euid == 0 {
		if _, err := p.RPM.Yum.Repositories(); err != nil { // what yum, or its limits, would fail of
			return f, err
		}
	}
	for _, name := range []string{Nginx, Semanage} {
		for _, pkg := range p.packages[name] {
			f.Notes = append(f.Notes, pkg.String())
		}
	}
	return f, nil
}

// due is what is missing, with epel-release where that comes in the same transaction.
func (p *Packages) due(ctx context.Context) ([]string, error) {
	missing, err := p.missing(ctx)
	if err != nil || len(missing) == 0 || p.WithRelease == nil {
		return missing, err
	}
	if with, err := p.WithRelease(missing); err != nil || !with {
		return missing, err
	}
	return append([]string{EPELRelease}, missing...), nil
}

// Apply installs what is missing in one transaction; what is there is
// not named to yum, whose install would upgrade it.
func (p *Packages) Apply(ctx context.Context) error {
	if err := p.mend(ctx); err != nil {
		return err
	}
	missing, err := p.missing(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	if p.Bring != nil {
		return p.Bring(ctx, missing)
	}
	return p.install(ctx, rpm.Wants{Packages: missing}, missing...)
}

// install brings packages from what is enabled.
func (p *Packages) install(ctx context.Context, wants rpm.Wants, names ...string) error {
	return p.installBeside(ctx, yumconf.Beside{}, wants, names...)
}

// installBeside runs one yum transaction that brings the named packages, and records
// every package and key that it really brought, dependencies included. Which
// keys yum may import is known beforehand.
func (p *Packages) installBeside(ctx context.Context, beside yumconf.Beside, wants rpm.Wants, names ...string) error {
	yum := p.RPM.With(beside)
	before, err := p.inventoried(ctx)
	if err != nil {
		return err
	}
	limits, err := yum.Restrict(ctx, before.Keys)
	if err != nil {
		return fmt.Errorf("install %s: %w", strings.Join(names, ", "), err)
	}
	had := slices.AppendSeq([]string{}, maps.Keys(before.Packages))
	slices.Sort(had)
	if err := p.Ledger.RecordWith(had, Brought(names, limits.Keys)); err != nil {
		return err
	}
	after, err := yum.Install(ctx, wants, before, limits)
	if err != nil {
		// What rpm said last may not hold for what runs next.
		p.Inventory, p.packages = nil, nil
		if !errors.Is(err, rpm.ErrUntold) { // else the run's end asks again
			had = nil
		}
		return errors.Join(err, p.Ledger.RecordWith(had, Brought(after.Since(before))))
	}
	p.Inventory, p.packages = &after, after.Packages
	return p.Ledger.RecordWith(nil, Brought(after.Since(before)))
}

// RecordTransaction is for a run that died between a transaction and the
// record of what it brought beside the packages that it was asked for.
func (p *Packages) RecordTransaction(ctx context.Context) error {
	if p.Ledger.Had == nil {
		return nil
	}
	var announced []string
	for _, e := range p.Ledger.Entries {
		if e.Kind == state.KindPackage && e.Prior == state.Absent {
			announced = append(announced, e.Name)
		}
	}
	names, err := p.RPM.DB.BroughtWith(ctx, time.Time{}, announced...)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(p.Ledger.Had, name) })
	return p.Ledger.RecordWith(nil, Brought(names, nil))
}

// inventoried is what rpm has. What the last transaction left is what the next
// one starts from, and is not asked for again.
func (p *Packages) inventoried(ctx context.Context) (rpmdb.Inventory, error) {
	if p.Inventory == nil {
		all, err := p.RPM.DB.Inventory(ctx)
		if err != nil {
			return all, err
		}
		p.Inventory = &all
	}
	return *p.Inventory, nil
}

// Brought are the entries of packages and keys that were not there.
func Brought(packages, keys []string) []state.Entry {
	var entries []state.Entry
	for _, name := range packages {
		entries = append(entries, state.Entry{Kind: state.KindPackage, Name: name, Before: state.Absent,
			Left: "installed"})
	}
	for _, key := range keys {
		entries = append(entries, state.Entry{Kind: state.KindKey, Name: key, Before: state.Absent, Left: "imported"})
	}
	return entries
}
