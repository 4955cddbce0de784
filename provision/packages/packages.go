package packages

import (
	"context"
	"slices"

	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/yumconf"
)

// Packages are what rpm has and what yum must bring.
type Packages struct {
	*host.Host
	Ledger   *state.Ledger
	History  *state.History
	packages map[string][]rpmdb.Package                 // what rpm said; nil: ask
	asked    func() (map[string][]rpmdb.Package, error) // waits for what rpm was asked by Ask; nil: it was not
	Damage   []rpmdb.Damage                             // what a power cut took; nil: not looked for
	// Of source auto, and nil with another one: whether epel-release comes with what is missing, what brings it, and
	// what yum is given of the host's own EPEL.
	WithRelease func(missing []string) (bool, error)
	Bring       func(ctx context.Context, missing []string) error
	Beside      func(missing []string) (yumconf.Beside, error)
	Inventory   *rpmdb.Inventory // all that rpm has, once a transaction was due; nil: ask
}

// HasNginx reports whether nginx is installed, and whole.
func (p *Packages) HasNginx(ctx context.Context) (bool, error) {
	found, err := p.installed(ctx)
	if err != nil || len(found[Nginx]) == 0 {
		return false, err
	}
	lost, err := p.DamagedFiles(ctx)
	return !slices.ContainsFunc(lost, func(d rpmdb.Damage) bool { return d.Package != EPELRelease }), err
}

// NginxVersion is the version of nginx by rpm, "" where it has none, or several.
func (p *Packages) NginxVersion(ctx context.Context) string {
	found, err := p.installed(ctx)
	if err != nil || len(found[Nginx]) != 1 {
		return ""
	}
	return found[Nginx][0].Version
}

func (p *Packages) Present(ctx context.Context, e state.Entry) (string, error) {
	all, err := p.inventoried(ctx)
	switch {
	case err != nil:
		return "", err
	case len(all.Packages[e.Name]) > 0:
		return "installed", nil
	case slices.ContainsFunc(all.Keys, func(k openpgp.Key) bool { return k.Fingerprint == e.Name }):
		return "imported", nil
	}
	return state.Absent, nil
}
