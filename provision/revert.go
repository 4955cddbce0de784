package provision

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"wsprovision/provision/capacity"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/labels"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx"
	"wsprovision/provision/packages"
	"wsprovision/provision/proxy"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux"
)

// Revert is the way back: it undoes what the ledger says that the agent did,
// in the reverse order, and nothing of the administrator's. What somebody has
// changed since the agent left it is left alone and named.
type Revert struct {
	*Run
	packages bool
	unlabels bool // what it writes gets no label
}

// NewRevert prepares a revert. Packages that the agent brought are removed
// only where packages is set.
func NewRevert(h *host.Host, on Listener, packages bool) *Revert {
	h.RPM.LockWait, h.SELinux.LockWait = config.YumLockWait, config.SemanageLockWait
	run := &Run{Host: h, on: on, Options: Options{AnyPlatform: true}, kind: kind{reverting: true}}
	r := &Revert{Run: run, packages: packages}
	r.Run.sites = r.before
	r.Run.limits = func() []managed.Want { return r.filesBefore(capacity.IsOurs) }
	return r
}

// steps go the way of an apply backwards. The server block is the first to go,
// because what it needs must still be there while nginx lets go of it; the
// packages are the last, because semanage is one of them.
func (r *Revert) steps() []engine.Step {
	r.unlabels = r.leavesUnlabelled()
	steps := r.later.Cancel(roomy(r.capacity, stepnames.Service, firewalled(r.firewall, []engine.Step{
		{Name: stepnames.Platform, Check: r.checkPlatform},
		{Name: stepnames.Validate, Needs: []string{stepnames.Platform}, Check: r.checkWithout},
		{Name: stepnames.Site, Needs: []string{stepnames.Validate}, Check: r.conf.Check, Apply: r.conf.Apply},
		{Name: stepnames.Service, Needs: []string{stepnames.Site}, Check: r.checkReload, Apply: r.applyReload},
		{Name: stepnames.Unit, Needs: []string{stepnames.Service}, Check: r.checkUnit, Apply: r.applyUnit},
		{Name: stepnames.SELinux, Needs: []string{stepnames.Service}, Check: r.checkUndo, Apply: r.applyUndo},
		{Name: stepnames.Packages, Needs: []string{stepnames.Unit, stepnames.SELinux}, Check: r.checkErase,
			Apply: r.applyErase},
		{Name: stepnames.Files, Needs: []string{stepnames.Packages}, Check: r.checkOthers, Apply: r.applyFiles},
		{Name: stepnames.Ledger, Needs: []string{stepnames.Capacity, stepnames.Firewall, stepnames.SELinux,
			stepnames.Files},
			Check: r.checkLedger,
			Apply: r.applyLedger},
	})))
	if r.unlabels {
		return doingFirst(func(context.Context) error { return r.labels.PromiseRelabel() }, steps)
	}
	return steps
}

// leavesUnlabelled reports whether the kernel here gives no labels to what
// semanage writes anew in a tree that has them. The first boot then labels
// every file, and the revert leaves that as it is.
func (r *Revert) leavesUnlabelled() bool {
	status, err := r.SELinux.Status()
	return err == nil && r.Where.Offline() && status.Store != "" && status.Configured != selinux.Disabled &&
		host.LabelsNothing(r.Run.Host) && !labels.TreeUnlabelled(r.labels.SELinux)
}

// Plan reports what Apply would undo and changes nothing.
func (r *Revert) Plan(ctx context.Context) (*engine.Report, error) {
	r.planning = true
	return r.run(ctx, "revert --plan", r.steps, (*engine.Engine).Plan)
}

// Apply undoes what the ledger holds.
func (r *Revert) Apply(ctx context.Context) (*engine.Report, error) {
	return r.run(ctx, "revert", r.steps, (*engine.Engine).Apply)
}

// recorded are the ledger's entries of a kind, the latest first.
func recorded(ledger *state.Ledger, kinds ...state.Kind) []state.Entry {
	var all []state.Entry
	for _, e := range slices.Backward(ledger.Entries) {
		if slices.Contains(kinds, e.Kind) {
			all = append(all, e)
		}
	}
	return all
}

// before is what nginx's configuration held when the agent first came.
func (r *Revert) before() ([]managed.Want, error) {
	all := r.filesBefore(func(path string) bool { return proxy.Reads(path) && !proxy.IsNames(path) })
	all, err := r.conf.ConfLines(all)
	if err != nil {
		return nil, err
	}
	with, err := r.conf.LongNames(all) // where a file that is left alone needs it, it is left too
	if err != nil || len(with) > len(all) {
		return with, err
	}
	return append(all, r.filesBefore(func(path string) bool { return proxy.IsNames(path) })...), nil
}

func (r *Revert) filesBefore(which func(path string) bool) []managed.Want {
	var all []managed.Want
	for _, e := range recorded(r.ledger, state.KindFile) {
		if !which(e.Name) {
			continue
		}
		w := managed.Want{Path: e.Name, Mode: e.Mode, Owner: e.Owner, Custom: e.Label, Lost: e.LostContent()}
		if e.Before != state.Absent {
			w.Content = append([]byte{}, e.Bytes...)
		}
		all = append(all, w)
	}
	return all
}

// checkWithout validates what a revert leaves. What keeps a nginx from starting
// that does not run, and keeps it so now, holds nothing up.
func (r *Revert) checkWithout(ctx context.Context) (engine.Finding, error) {
	f, err := r.candidate.Check(ctx)
	if files, _ := r.conf.All(); slices.ContainsFunc(files, func(s managed.File) bool {
		return proxy.IsNames(s.Path) && s.Content != nil
	}) {
		f.Warnings = append(f.Warnings, r.NamesPath()+" stays: a server_name in a file that is left alone needs it")
	}
	if err == nil {
		return f, nil
	}
	if s, unread := r.unit.State(ctx); unread != nil || s.Running() {
		return f, err
	}
	now, untested := r.Nginx.Test(ctx, nil)
	if untested != nil || !slices.ContainsFunc(now, nginx.Problem.KeepsFromStarting) {
		return f, err
	}
	f.Warnings = append(f.Warnings, "nginx does not run, and would not start, with the agent's files or without: "+
		err.Error())
	return f, nil
}

// checkReload has nginx forget the server block where it runs; a stopped nginx
// is left stopped, and a running one running.
func (r *Revert) checkReload(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	s, err := r.unit.State(ctx)
	s.SayUntold(&f)
	switch {
	case err != nil:
		return f, err
	case !s.Running() && s.Owed:
		f.Changes = []engine.Change{{Object: "owed reload (" + state.OwedPath + ")", From: "noted",
			To: "dropped, because nginx does not run"}}
	case !s.Running():
	case s.Owed || r.unit.Differs():
		if err := errors.Join(s.Reloadable(), r.unit.CheckMaster(ctx, s.State), r.unit.CheckLogs()); err != nil {
			return f, err
		}
		f.Changes = []engine.Change{{Object: host.NginxUnit, From: "the agent's configuration", To: "reloaded"}}
	default:
		sayStarted(r.ledger, &f)
	}
	return f, nil
}

func sayStarted(ledger *state.Ledger, f *engine.Finding) {
	if _, started := ledger.Find(state.KindActive, host.NginxUnit); started {
		f.Notes = []string{"nginx.service was started by the agent and runs on, because others may use it by now; " +
			"systemctl stop nginx if nobody does"}
	}
}

func (r *Revert) applyReload(ctx context.Context) error {
	s, err := r.unit.State(ctx)
	if err != nil {
		return err
	}
	if !s.Running() { // the next start takes what is on the disk
		return r.unit.Owed.Settle()
	}
	units, err := host.Systemd(ctx, r.Run.Host)
	if err != nil {
		return err
	}
	return r.unit.Reload(ctx, units, s)
}

// checkUnit compares the enablement with what it was.
func (r *Revert) checkUnit(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	for _, e := range recorded(r.ledger, state.KindEnabled) {
		now, err := r.present(ctx, e)
		if err != nil {
			return f, err
		}
		switch {
		case now == e.Before:
		case !e.IsAgents(now):
			f.Warnings = append(f.Warnings, left(e.Name+" (at boot)", now, e))
		default:
			f.Changes = append(f.Changes, engine.Change{Object: e.Name + " (at boot)", From: now, To: e.Before})
		}
	}
	return f, nil
}

func (r *Revert) applyUnit(ctx context.Context) error {
	units, err := host.Systemd(ctx, r.Run.Host)
	if err != nil {
		return err
	}
	e, _ := r.ledger.Find(state.KindEnabled, host.NginxUnit)
	now, err := r.present(ctx, e)
	if err != nil {
		return err
	}
	if err := r.ledger.Record(e.Undoing(now)); err != nil {
		return err
	}
	if err := units.Disable(ctx, host.NginxUnit); err != nil {
		return err
	}
	return r.unit.SyncUnits()
}

// left names what somebody else has changed since.
func left(object, now string, e state.Entry) string {
	return fmt.Sprintf("%s is %s, which the agent did not leave (it found %s and left %s): it is left alone",
		object, now, e.Before, e.Left)
}

// checkOthers is for the files that nginx does not read: the repository and its key.
func (r *Revert) checkOthers(context.Context) (engine.Finding, error) {
	var f engine.Finding
	if r.unlabels && host.RelabelScheduled(r.Run.Host) {
		labels.SayRelabel(&f)
	}
	files, err := r.otherFiles()
	if err != nil {
		return f, err
	}
	for _, s := range files {
		switch {
		case s.Kept:
			f.Warnings = append(f.Warnings, r.files.DriftWords(s))
		case !host.Same(s.Have.Content, s.Content):
			f.Changes = append(f.Changes, managed.ChangeOf(s.Path, s.Have.Content, s.Content))
		}
	}
	return f, nil
}

// otherFiles are all but nginx's. A repository that stays, because somebody has
// edited it, keeps its key: without it every yum on the host would fail.
func (r *Revert) otherFiles() ([]managed.File, error) {
	files, err := r.files.ReadAll(r.filesBefore(func(path string) bool {
		return !proxy.Reads(path) && (path != host.RelabelPath || !r.unlabels)
	}))
	stays := slices.ContainsFunc(files, func(s managed.File) bool {
		return s.Path == packages.RepositoryPath && s.Kept && s.Have.Content != nil
	})
	return slices.DeleteFunc(files, func(s managed.File) bool { return stays && s.Path == packages.KeyPath }), err
}

func (r *Revert) applyFiles(context.Context) error {
	files, err := r.otherFiles()
	if err != nil {
		return err
	}
	for _, s := range files {
		if s.Kept || host.Same(s.Have.Content, s.Content) {
			continue
		}
		if err := r.files.Put(s); err != nil {
			return err
		}
	}
	return nil
}

// checkLedger drops the record of what is undone. Packages that stay are still
// the agent's to remove, and stay recorded.
func (r *Revert) checkLedger(context.Context) (engine.Finding, error) {
	var f engine.Finding
	keep := len(recorded(r.ledger, state.KindPackage, state.KindKey))
	if r.packages {
		keep = 0
	}
	if keep > 0 {
		f.Notes = append(f.Notes,
			fmt.Sprintf("%d packages and keys that the agent brought stay; wsprovision revert --packages removes them",
				keep))
	}
	if n := len(r.ledger.Entries); n > keep {
		f.Changes = []engine.Change{{Object: "ledger " + state.LedgerPath, From: fmt.Sprintf("%d entries", n),
			To: fmt.Sprintf("%d entries", keep)}}
	}
	return f, nil
}

func (r *Revert) applyLedger(context.Context) error {
	for _, e := range recorded(r.ledger, state.KindFile) {
		if err := keepOriginal(r.Files, e); err != nil {
			return err
		}
	}
	kept := recorded(r.ledger, state.KindPackage, state.KindKey)
	if r.packages {
		kept = nil
	}
	slices.Reverse(kept)
	return r.ledger.Keep(kept)
}

// keepOriginal keeps what was somebody's before the agent came, where it is not back because of a later edit: the
// ledger alone has it.
func keepOriginal(files *host.Files, e state.Entry) error {
	if len(e.Bytes) == 0 {
		return nil
	}
	have, err := files.Read(e.Name)
	if err == nil && state.Digest(have.Content) == e.Before {
		return nil
	}
	return files.KeepCopy(e.Name, e.Bytes)
}
