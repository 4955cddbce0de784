package packages

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/secret"
	"wsprovision/provision/state"
	"wsprovision/rpm"
	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/yumconf"
	"wsprovision/rpm/yumerr"
)

// Where the agent's own repository and key go. epel.repo is a configuration
// file of epel-release's and is never edited.
const (
	RepositoryPath = "/etc/yum.repos.d/wsprovision-epel.repo"
	KeyPath        = "/etc/pki/rpm-gpg/RPM-GPG-KEY-wsprovision-epel"
	downloadDir    = host.StateDir + "/download"
	keyLimit       = 1 << 20  // bytes
	packageLimit   = 16 << 20 // bytes; epel-release has 15 kB
)

// Check asks for epel-release only while a package is missing: a host
// that has them all needs none. A mirror's file is written in any case.
func (src *Source) Check(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	all := multierror.Append(nil, src.Repositories().checkRepositoryFiles(&f))
	if src.Repositories().stays() {
		all = multierror.Append(all, src.Keys().checkKeyFile(&f))
	}
	switch err := engine.Lines(all); {
	case err != nil || src.mirror():
		return f, err
	case src.Config.EPEL.Source == config.EPELNone:
		f.Notes = append(f.Notes, "no repository is asked for (epel.source: none)")
		return f, nil
	}
	lacking, err := src.lacking(ctx)
	if err != nil {
		return f, err
	}
	if names, changes, err := src.Packages.damagedPackages(ctx, true); err != nil || len(names) > 0 {
		f.Changes = append(f.Changes, changes...)
		return f, err
	}
	if !lacking {
		f.Notes = []string{"every package is there; no repository is needed"}
	}
	if lacking && src.auto() {
		return f, src.checkWay(ctx, &f)
	}
	if due, err := src.releaseDue(ctx); !due || err != nil {
		return f, err
	}
	installed := "installed"
	if src.Config.EPEL.Source == config.EPELPackage {
		if err := src.Keys().checkKeyFile(&f); err != nil {
			return f, err
		}
		release, err := src.fetchRelease(ctx)
		if err != nil {
			return f, err
		}
		installed = release.String()
	}
	f.Changes = append(f.Changes, engine.Change{Object: "package " + EPELRelease, From: state.Absent, To: installed})
	return f, nil
}

// checkWay says where the packages would come from, and what is sure to keep them from yum.
func (src *Source) checkWay(ctx context.Context, f *engine.Finding) error {
	missing, err := src.lackingNow(ctx)
	if err != nil {
		return err
	}
	w, err := src.way(missing)
	if err != nil {
		return err
	}
	f.Notes = append(f.Notes, src.notes(w)...)
	return src.hidden(w, missing)
}

// lacking reports whether yum has anything to bring: what is missing, or what
// a power cut damaged.
func (src *Source) lacking(ctx context.Context) (bool, error) {
	names, err := src.lackingNow(ctx)
	return len(names) > 0, err
}

// lackingNow is what is missing, and what a power cut damaged.
func (src *Source) lackingNow(ctx context.Context) ([]string, error) {
	missing, err := src.Packages.missing(ctx)
	if err != nil {
		return nil, err
	}
	damaged, _, err := src.Packages.damagedPackages(ctx, false)
	return append(slices.Clone(missing), damaged...), err
}

// releaseDue reports whether epel-release is to come before the packages.
func (src *Source) releaseDue(ctx context.Context) (bool, error) {
	if src.auto() {
		return false, nil
	}
	if lacking, err := src.lacking(ctx); err != nil || !lacking {
		return false, err
	}
	have, err := src.hasEPEL()
	return !have, err
}

// hasEPEL reports whether EPEL is there: by its release package, or by an
// enabled repository of that name, as Satellite and mirrors lay it out.
func (src *Source) hasEPEL() (bool, error) {
	if len(src.Packages.packages[EPELRelease]) > 0 {
		return true, nil
	}
	repos, err := src.RPM.Yum.Repositories()
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(repos, func(repo yumconf.Repository) bool {
		return repo.Enabled && strings.EqualFold(repo.ID, "epel")
	}), nil
}

func (src *Source) Apply(ctx context.Context) error {
	if err := src.Repositories().writeRepositoryFiles(ctx); err != nil || src.mirror() ||
		src.Config.EPEL.Source == config.EPELNone {
		return err
	}
	erased, err := src.Packages.eraseDamaged(ctx)
	if err != nil {
		return err
	}
	due, err := src.releaseDue(ctx)
	switch {
	case err != nil || !due && !erased:
		return err
	case src.auto():
		return src.OneRun().builtIn(ctx, nil)
	case src.Config.EPEL.Source == config.EPELPackage:
		return src.installRelease(ctx)
	}
	err = src.Packages.install(ctx, rpm.Wants{Packages: []string{EPELRelease}}, EPELRelease)
	if refused := (*yumerr.Error)(nil); errors.As(err, &refused) && refused.Kind == yumerr.NoPackage &&
		!refused.Hidden {
		err = fmt.Errorf("%w; RHEL has %s in no repository of its own: set epel.source to mirror, with epel.baseurl "+
			"and epel.gpgkey, or to package, with epel.package and epel.gpgkey", err, EPELRelease)
	}
	return err
}

// Release is the package file that epel.package names.
type Release struct {
	rpmdb.Package
	content []byte
}

// fetchRelease fetches the package once: what the plan shows is what is
// installed. EPEL's key has signed every package of EPEL, those with known
// holes too, so that nothing but the release package is taken from there.
func (src *Source) fetchRelease(ctx context.Context) (*Release, error) {
	if src.release != nil {
		return src.release, nil
	}
	content, err := src.fetch(ctx, src.Config.EPEL.Package, packageLimit)
	if err != nil {
		return nil, err
	}
	p, err := rpmdb.ReadPackage(content)
	if err == nil && p.Name != EPELRelease {
		err = fmt.Errorf("it is %s, and only %s is taken from there", p, EPELRelease)
	}
	if err != nil {
		return nil, fmt.Errorf("epel.package %s: %w", secret.Hide(src.Config.EPEL.Package), err)
	}
	src.release = &Release{p, content}
	return src.release, nil
}

// installRelease installs epel-release from a URL or a path. yum does not
// check the signature of such a package by itself, so it is checked first,
// against the key that the configuration vouches for.
func (src *Source) installRelease(ctx context.Context) (err error) {
	if err := src.Keys().bringKey(ctx); err != nil {
		return err
	}
	if err := src.Packages.importKey(ctx, src.Config.EPEL.Fingerprint); err != nil {
		return err
	}
	release, err := src.fetchRelease(ctx)
	if err != nil {
		return err
	}
	// A private copy: what was checked is what is installed.
	path := downloadDir + "/epel-release.rpm"
	if err := src.Files.MakeDir(host.StateDir, 0o700); err != nil {
		return err
	}
	if err := src.Files.MakeDir(downloadDir, 0o700); err != nil {
		return err
	}
	if err := src.Files.Write(path, release.content, 0o600); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Files.Remove(path)) }()
	if err := src.RPM.DB.CheckSignature(ctx, path, []string{src.Config.EPEL.Fingerprint}); err != nil {
		return err
	}
	return src.Packages.install(ctx, rpm.Wants{Packages: []string{EPELRelease}, Files: []string{path}}, EPELRelease)
}

// importKey has rpm trust the key at keyPath, which bringKey has judged.
func (p *Packages) importKey(ctx context.Context, fingerprint string) error {
	if have, err := p.Imported(ctx, fingerprint); have || err != nil {
		return err
	}
	if err := p.Ledger.Record(state.Entry{Kind: state.KindKey, Name: fingerprint, Before: state.Absent,
		Left: "imported"}); err != nil {
		return err
	}
	p.Inventory = nil
	return p.RPM.ImportKey(ctx, KeyPath, fingerprint)
}

// Imported reports whether rpm trusts the key.
func (p *Packages) Imported(ctx context.Context, fingerprint string) (bool, error) {
	keys, err := p.RPM.DB.ImportedKeys(ctx)
	return slices.Contains(keys, fingerprint), err
}

// fetch reads a URL or a local path.
func (src *Source) fetch(ctx context.Context, from string, limit int64) ([]byte, error) {
	if filepath.IsAbs(from) {
		from = (&url.URL{Scheme: "file", Path: from}).String()
	}
	return src.RPM.Fetch(ctx, src.HTTP, from, limit)
}
