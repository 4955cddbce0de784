package provision

import (
	"cmp"
	"context"
	"errors"
	"os"
	"sync"

	"wsprovision/provision/host"
	"wsprovision/provision/proxy"
	"wsprovision/provision/state"
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
	due := sync.OnceValue(func() bool { // asked of few entries, and of none in most runs
		owed, _, err := r.unit.Owed.Due()
		return owed || err != nil
	})
	err := r.pkgs.RecordTransaction(ctx)
	err = errors.Join(err, r.ledger.ReadBack(func(e state.Entry) (string, error) {
		if e.Kind == state.KindFile && (proxy.Reads(e.Name) && due() || isStaged(r.Root, e.Name)) ||
			e.Kind == state.KindLine && (due() || isStaged(r.Root, host.NginxConf)) {
			return state.Unsettled, nil
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
		if e.IsLost() {
			r.notice(e.LostContent().Error() + "; without it a revert cannot bring it back")
		}
	}
	if r.planning || r.Euid != 0 {
		return
	}
	if err := r.ledger.Sweep(); err != nil {
		r.notice(err.Error() + "; the next run tries again")
	}
}

func isStaged(root, path string) bool {
	_, err := os.Lstat(root + host.Staging(path))
	return err == nil
}

// presentNext is what an entry speaks of where this host's policy runs, now or
// next: the boolean of a policy that is still to be loaded has what is persistent.
func (r *Run) presentNext(ctx context.Context, e state.Entry) (string, error) {
	now, err := r.present(ctx, e)
	if err != nil || e.Kind != state.KindRunning || now != string(selinux.Unknown) {
		return now, err
	}
	b, err := r.SELinux.Boolean(ctx, e.Name)
	return string(b.Persistent), err
}

// present reads what an entry speaks of as it is now, in the entry's words.
func (r *Run) present(ctx context.Context, e state.Entry) (string, error) {
	switch e.Kind {
	case state.KindBoolean, state.KindRunning:
		b, err := r.SELinux.Boolean(ctx, e.Name)
		if e.Kind == state.KindRunning {
			return string(b.Running), err
		}
		return string(b.Local), err
	case state.KindPort:
		return r.policy.Ports().PresentPort(ctx, e.Name)
	case state.KindContext:
		return r.policy.Sockets().PresentContext(e.Name)
	case state.KindEnabled, state.KindActive:
		return presentUnit(ctx, r.Host, e)
	case state.KindPackage, state.KindKey:
		return r.pkgs.Present(ctx, e)
	case state.KindLine:
		return r.files.PresentLine(e)
	case state.KindSysctl:
		return r.capacity.Present(e), nil
	case state.KindFirewall, state.KindFirewallRunning:
		return r.firewall.Present(ctx, e)
	}
	have, err := r.Files.Read(e.Name)
	return state.Digest(have.Content), err
}

func presentUnit(ctx context.Context, h *host.Host, e state.Entry) (string, error) {
	units, err := host.Systemd(ctx, h)
	if err != nil {
		return "", err
	}
	s, err := units.State(ctx, e.Name)
	if e.Kind == state.KindEnabled {
		return cmp.Or(s.File, state.Absent), err
	}
	return proxy.ServiceState{State: s}.Activity(), err
}
