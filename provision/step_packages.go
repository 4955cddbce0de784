package provision

import (
	"context"
	"errors"
	"slices"

	"wsprovision/rpm"
)

// The packages that the steps need. semanage is in policycoreutils-python and
// not in a minimal installation (RHEL 7).
const (
	nginxPackage    = "nginx"
	semanagePackage = "policycoreutils-python"
	epelPackage     = "epel-release"
)

// installed asks rpm, once, for every package that any step wants to know of.
func (r *Run) installed(ctx context.Context) (map[string][]rpm.Package, error) {
	if r.packages == nil {
		found, err := r.RPM.Installed(ctx, nginxPackage, semanagePackage, epelPackage)
		if err != nil {
			return nil, err
		}
		r.packages = found
	}
	return r.packages, nil
}

// missing are the packages that are needed and not there.
func (r *Run) missing(ctx context.Context) ([]string, error) {
	found, err := r.installed(ctx)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, name := range []string{nginxPackage, semanagePackage} {
		if len(found[name]) == 0 {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

func (r *Run) checkPackages(ctx context.Context) (Finding, error) {
	var f Finding
	missing, err := r.missing(ctx)
	if err != nil {
		return f, err
	}
	for _, name := range missing {
		f.Changes = append(f.Changes, Change{Object: "package " + name, From: Absent, To: "installed"})
	}
	for _, name := range []string{nginxPackage, semanagePackage} {
		for _, p := range r.packages[name] {
			f.Notes = append(f.Notes, p.String())
		}
	}
	return f, nil
}

// applyPackages installs what is missing in one transaction; what is there is
// not named to yum, whose install would upgrade it.
func (r *Run) applyPackages(ctx context.Context) error {
	missing, err := r.missing(ctx)
	if err != nil {
		return err
	}
	return r.install(ctx, rpm.Wants{Packages: missing}, missing...)
}

// install runs one yum transaction that brings the named packages, and records
// every package and key that it really brought, dependencies included.
func (r *Run) install(ctx context.Context, wants rpm.Wants, names ...string) error {
	before, err := r.inventory(ctx)
	if err != nil {
		return err
	}
	if err := r.recordBrought(inventory{names: names}); err != nil {
		return err
	}
	// Whatever comes of it, what rpm said before no longer holds.
	r.packages = nil
	installErr := r.RPM.Install(ctx, wants)
	after, err := r.inventory(ctx)
	if err == nil {
		err = r.recordBrought(after.without(before))
	}
	return errors.Join(installErr, err)
}

// inventory is what rpm has: the names of packages, the fingerprints of keys.
type inventory struct{ names, keys []string }

func (r *Run) inventory(ctx context.Context) (inventory, error) {
	names, err := r.RPM.Names(ctx)
	if err != nil {
		return inventory{}, err
	}
	keys, err := r.RPM.ImportedKeys(ctx)
	return inventory{names, keys}, err
}

func (i inventory) without(other inventory) inventory {
	return inventory{
		names: slices.DeleteFunc(i.names, func(n string) bool { return slices.Contains(other.names, n) }),
		keys:  slices.DeleteFunc(i.keys, func(k string) bool { return slices.Contains(other.keys, k) }),
	}
}

func (r *Run) recordBrought(i inventory) error {
	var entries []Entry
	for _, name := range i.names {
		entries = append(entries, Entry{Kind: KindPackage, Name: name, Before: Absent, Left: "installed"})
	}
	for _, key := range i.keys {
		entries = append(entries, Entry{Kind: KindKey, Name: key, Before: Absent, Left: "imported"})
	}
	return r.ledger.Record(entries...)
}
