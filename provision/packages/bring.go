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
func (src *Source) Beside(missing []string) (yumconf.Beside, error) {
	w, err := src.way(missing)
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
		return src.builtIn(ctx, missing)
	}
	err = src.Packages.install(ctx, rpm.Wants{Packages: missing}, missing...)
	if refused := (*yumerr.Error)(nil); !errors.As(err, &refused) || refused.Kind != yumerr.NoPackage {
		return err
	}
	return src.after(ctx, w.first)
}

// after brings what the repositories that were asked first have not.
func (src *Source) after(ctx context.Context, first []string) error {
	missing, err := src.Packages.missing(ctx) // yum of RHEL 7.0 to 7.2 brings what it has of several names
	if err != nil {
		return err
	}
	if err := src.builtIn(ctx, missing); err != nil {
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
func (src *Source) builtIn(ctx context.Context, missing []string) error {
	mirrors, err := src.reach(ctx)
	if err != nil {
		return err
	}
	if mirrors {
		return src.fromMirrors(ctx, missing)
	}
	src.chosen = true
	if err := src.writeRepositoryFiles(ctx); err != nil || len(missing) == 0 {
		return err
	}
	return src.Packages.install(ctx, rpm.Wants{Packages: missing}, missing...)
}

func (src *Source) fromMirrors(ctx context.Context, missing []string) (err error) {
	if len(src.Packages.packages[EPELRelease]) == 0 {
		missing = append([]string{EPELRelease}, missing...)
	}
	defer func() { err = errors.Join(err, src.Tidy()) }()
	if err := src.layForOneRun(ctx); err != nil {
		return err
	}
	return src.Packages.installBeside(ctx, yumconf.Beside{Dir: runDir}, rpm.Wants{Packages: missing}, missing...)
}

// layForOneRun puts the repository and its key where only this run's yum looks.
func (src *Source) layForOneRun(ctx context.Context) error {
	key, err := src.key(ctx)
	if err != nil {
		return err
	}
	content, err := forOneRun().Render()
	if err != nil {
		return err
	}
	if err := src.Tidy(); err != nil { // yum would read whatever lies there
		return err
	}
	if err := src.Files.MakeDir(runDir, 0o700); err != nil {
		return err
	}
	return errors.Join(src.Files.Write(runKey, key, fileMode), src.Files.Write(runRepository, content, fileMode))
}

// Tidy takes the repository of one run away, also what a run left that was killed.
func (src *Source) Tidy() error {
	if !src.leftForOneRun() {
		return nil
	}
	for _, path := range []string{runRepository, runKey} {
		for _, name := range []string{host.Staging(path), path} {
			if err := src.Files.Remove(name); err != nil {
				return err
			}
		}
	}
	return src.Files.RemoveDir(runDir)
}

// stays reports whether a repository file of ours is to be on the host: a mirror's, or that of the archive, once a run
// has chosen it.
func (src *Source) stays() bool {
	if !src.auto() {
		return src.mirror()
	}
	content, err := src.archive().Render()
	e, recorded := src.Ledger.Find(state.KindFile, RepositoryPath)
	return src.chosen || err == nil && recorded && e.IsAgents(state.Digest(content))
}

// wanted is our repository's file where it is to be on the host.
func (src *Source) wanted() ([]managed.Want, error) {
	if !src.stays() {
		return nil, nil
	}
	r := src.repository()
	if src.auto() {
		r = src.archive()
	}
	content, err := r.Render()
	if err != nil {
		return nil, err
	}
	return []managed.Want{{Path: RepositoryPath, Content: content, Mode: modeOf(content)}}, nil
}

// asks reports whether the path is one of a file of ours that the configuration asks for.
func (src *Source) asks(path string) bool {
	return src.stays() || path == KeyPath && slices.Contains(keyed, src.Config.EPEL.Source)
}
