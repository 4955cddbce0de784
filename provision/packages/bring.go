package packages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/state"
	"wsprovision/rpm"
	"wsprovision/rpm/yumconf"
	"wsprovision/rpm/yumerr"
)

// WithRelease reports whether epel-release is to come with what is missing. Where only the archive answers it does not;
// who answers is known to an apply alone.
func (src *Source) WithRelease(missing []string) (bool, error) {
	w, err := src.way(missing)
	return err == nil && w.builtIn() && len(w.first) == 0 && src.Config.EPEL.BaseURL == "" &&
		len(src.Packages.packages[EPELRelease]) == 0, err
}

// Beside is what yum is given of the host's own EPEL, which may be disabled.
func (o OneRun) Beside(missing []string) (yumconf.Beside, error) {
	w, err := o.way(missing)
	return w.beside(), err
}

// Bring has yum bring what is missing, from the first source that has it.
func (src *Source) Bring(ctx context.Context, missing []string) error {
	w, err := src.way(missing)
	if err != nil {
		return err
	}
	if err := src.hidden(w, missing); err != nil {
		return err
	}
	if !w.builtIn() {
		return src.Packages.installBeside(ctx, w.beside(), rpm.Wants{Packages: missing}, missing...)
	}
	if len(w.first) == 0 {
		return src.OneRun().builtIn(ctx, missing)
	}
	err = src.Packages.install(ctx, rpm.Wants{Packages: missing}, missing...)
	if refused := (*yumerr.Error)(nil); !errors.As(err, &refused) || refused.Kind != yumerr.NoPackage {
		return err
	}
	return src.OneRun().after(ctx, w.first)
}

// after brings what the repositories that were asked first have not.
func (o OneRun) after(ctx context.Context, first []string) error {
	missing, err := o.Packages.missing(ctx) // yum of RHEL 7.0 to 7.2 brings what it has of several names
	if err != nil {
		return err
	}
	if err := o.builtIn(ctx, missing); err != nil {
		return fmt.Errorf("%w; %s, asked first, %s no %s", err, strings.Join(first, ", "), has(first), Nginx)
	}
	return nil
}

func has(names []string) string {
	if len(names) > 1 {
		return "have"
	}
	return "has"
}

// builtIn brings what is missing from EPEL 7 as the agent knows it: from its mirrors for one run and with epel-release,
// or from its archive, whose file stays.
func (o OneRun) builtIn(ctx context.Context, missing []string) error {
	mirrors, err := o.reach(ctx)
	if err != nil {
		return err
	}
	if mirrors {
		return o.fromMirrors(ctx, missing)
	}
	o.chosen = true
	if err := o.Repositories().writeRepositoryFiles(ctx); err != nil || len(missing) == 0 {
		return err
	}
	return o.Packages.install(ctx, rpm.Wants{Packages: missing}, missing...)
}

func (o OneRun) fromMirrors(ctx context.Context, missing []string) (err error) {
	if len(o.Packages.packages[EPELRelease]) == 0 {
		missing = append([]string{EPELRelease}, missing...)
	}
	defer func() { err = errors.Join(err, o.Repositories().Tidy()) }()
	if err := o.layForOneRun(ctx); err != nil {
		return err
	}
	return o.Packages.installBeside(ctx, yumconf.Beside{Dir: runDir}, rpm.Wants{Packages: missing}, missing...)
}

// layForOneRun puts the repository and its key where only this run's yum looks.
func (o OneRun) layForOneRun(ctx context.Context) error {
	key, err := o.Keys().key(ctx)
	if err != nil {
		return err
	}
	content, err := forOneRun().Render()
	if err != nil {
		return err
	}
	if err := o.Repositories().Tidy(); err != nil { // yum would read whatever lies there
		return err
	}
	if err := o.Files.MakeDir(runDir, 0o700); err != nil {
		return err
	}
	return errors.Join(o.Files.Write(runKey, key, fileMode), o.Files.Write(runRepository, content, fileMode))
}

// Tidy takes the repository of one run away, also what a run left that was killed.
func (rs Repositories) Tidy() error {
	if !rs.leftForOneRun() {
		return nil
	}
	for _, path := range []string{runRepository, runKey} {
		for _, name := range []string{host.Staging(path), path} {
			if err := rs.Files.Remove(name); err != nil {
				return err
			}
		}
	}
	return rs.Files.RemoveDir(runDir)
}

// stays reports whether a repository file of ours is to be on the host: a mirror's, or that of the archive, once a run
// has chosen it.
func (rs Repositories) stays() bool {
	if !rs.auto() {
		return rs.mirror()
	}
	content, err := rs.OneRun().archive().Render()
	e, recorded := rs.Ledger.Find(state.KindFile, RepositoryPath)
	return rs.chosen || err == nil && recorded && e.IsAgents(state.Digest(content))
}

// wanted is our repository's file where it is to be on the host.
func (rs Repositories) wanted() ([]managed.Want, error) {
	if !rs.stays() {
		return nil, nil
	}
	r := rs.repository()
	if rs.auto() {
		r = rs.OneRun().archive()
	}
	content, err := r.Render()
	if err != nil {
		return nil, err
	}
	return []managed.Want{{Path: RepositoryPath, Content: content, Mode: modeOf(content)}}, nil
}

// asks reports whether the path is one of a file of ours that the configuration asks for.
func (k Keys) asks(path string) bool {
	return k.Repositories().stays() || path == KeyPath && slices.Contains(keyed, k.Config.EPEL.Source)
}
