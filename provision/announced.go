package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/rpm"
	"wsprovision/selinux"
)

// settleAnnounced reads back what became of the announcements in the ledger,
// at the end of a run and, for one that was killed, at the beginning of the
// next. What came to nothing leaves the ledger, and so does what a revert that
// did not come to its end has undone: somebody may bring it about by hand before
// the agent does, and a revert must not take that for the agent's.
func (r *Run) settleAnnounced(ctx context.Context) {
	if r.planning || r.Euid != 0 {
		return
	}
	// Reading back is owed even where the run is being ended.
	ctx = context.WithoutCancel(ctx)
	due, _, err := r.unit.owed.Due()
	due = due || err != nil
	err = r.pkgs.recordTransaction(ctx)
	err = errors.Join(err, r.ledger.settle(func(e Entry) (string, error) {
		if e.Kind == KindFile && (due && nginxReads(e.Name) || r.isStaged(e.Name)) {
			return unsettled, nil
		}
		return r.presentNext(ctx, e)
	}))
	if err != nil {
		r.notice(err.Error() + "; the ledger keeps what was announced, and the next run looks again")
	}
}

// tidyLedger removes what a run that died left beside the ledger, and says what
// of it is lost.
func (r *Run) tidyLedger() {
	for _, e := range r.ledger.Entries {
		if e.lost() {
			r.notice(e.lostContent().Error() + "; without it a revert cannot bring it back")
		}
	}
	if r.planning || r.Euid != 0 {
		return
	}
	if err := r.ledger.sweep(); err != nil {
		r.notice(err.Error() + "; the next run tries again")
	}
}

// unsettled is in no entry's words: what is still on its way, a file that waits
// beside its place or for a reload, is neither there nor given up.
const unsettled = ""

func (r *Run) isStaged(path string) bool {
	_, err := os.Lstat(r.Root + host.Staging(path))
	return err == nil
}

// settle reads back the entries that are only announced. One that cannot be
// read stays as it is.
func (l *Ledger) settle(read func(Entry) (string, error)) error {
	var all *multierror.Error
	var entries []Entry
	for _, e := range l.Entries {
		kept, undone, err := e.readBack(read)
		if err != nil {
			all = multierror.Append(all, fmt.Errorf("read back %s %s: %w", e.Kind, e.Name, err))
		}
		if !undone {
			entries = append(entries, kept)
		}
	}
	return engine.Lines(multierror.Append(all, l.keep(entries)))
}

func (e Entry) readBack(read func(Entry) (string, error)) (kept Entry, undone bool, err error) {
	if e.Prior == "" {
		return e, false, nil
	}
	now, err := read(e)
	if err != nil || now == unsettled {
		return e, false, err
	}
	kept, undone = e.settled(now)
	return kept, undone, nil
}

// settled is the entry with what was read back of it: what it announced is
// there, or what stood there before still is. Undone is one whose thing is as
// it was before the agent came.
func (e Entry) settled(now string) (kept Entry, undone bool) {
	undone = now == e.Before && (e.Left != e.Before || e.Prior != e.Before)
	switch now {
	case e.Left:
		e.Prior = ""
	case e.Prior:
		e.Left, e.Prior = e.Prior, ""
	}
	return e, undone
}

// presentNext is what an entry speaks of where this host's policy runs, now or
// next: the boolean of a policy that is still to be loaded has what is persistent.
func (r *Run) presentNext(ctx context.Context, e Entry) (string, error) {
	now, err := r.present(ctx, e)
	if err != nil || e.Kind != KindRunning || now != string(selinux.Unknown) {
		return now, err
	}
	b, err := r.SELinux.Boolean(ctx, e.Name)
	return string(b.Persistent), err
}

// present reads what an entry speaks of as it is now, in the entry's words.
func (r *Run) present(ctx context.Context, e Entry) (string, error) {
	switch e.Kind {
	case KindBoolean, KindRunning:
		b, err := r.SELinux.Boolean(ctx, e.Name)
		if e.Kind == KindRunning {
			return string(b.Running), err
		}
		return string(b.Local), err
	case KindPort:
		return r.policy.presentPort(ctx, e.Name)
	case KindEnabled, KindActive:
		return presentUnit(ctx, r.Host, e)
	case KindPackage, KindKey:
		return r.pkgs.presentPackage(ctx, e)
	}
	have, err := r.Files.Read(e.Name)
	return digest(have.Content), err
}

func (s *Policy) presentPort(ctx context.Context, name string) (string, error) {
	p, err := portNamed(name)
	if err != nil {
		return "", err
	}
	state, err := s.SELinux.Port(ctx, p.Proto, p.Low)
	return localType(state, p.Low), err
}

// portNamed is the port of an entry's name: "tcp/3000".
func portNamed(name string) (selinux.Port, error) {
	proto, number, _ := strings.Cut(name, "/")
	port, err := strconv.Atoi(number)
	if err != nil {
		return selinux.Port{}, fmt.Errorf("%s: %q is no port", ledgerPath, name)
	}
	return selinux.Port{Proto: proto, Low: port, High: port}, nil
}

func presentUnit(ctx context.Context, h *host.Host, e Entry) (string, error) {
	units, err := host.Systemd(ctx, h)
	if err != nil {
		return "", err
	}
	s, err := units.State(ctx, e.Name)
	if e.Kind == KindEnabled {
		return cmp.Or(s.File, Absent), err
	}
	return service{state: s}.activity(), err
}

func (p *Packages) presentPackage(ctx context.Context, e Entry) (string, error) {
	all, err := p.inventoried(ctx)
	switch {
	case err != nil:
		return "", err
	case len(all.Packages[e.Name]) > 0:
		return "installed", nil
	case slices.ContainsFunc(all.Keys, func(k rpm.Key) bool { return k.Fingerprint == e.Name }):
		return "imported", nil
	}
	return Absent, nil
}
