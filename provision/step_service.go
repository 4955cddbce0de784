package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/state"
	"wsprovision/systemd"
)

// service is what there is to do about nginx.service.
type service struct {
	state systemd.State
	owed  bool
	// untold is why it is not known whether a reload is owed; nil for root.
	untold error
}

func (s service) enabled() bool { return s.state.File == "enabled" }
func (s service) running() bool { return s.state.Active == "active" || s.state.Active == "reloading" }

// activity is whether it runs, in the ledger's words: a unit that failed is as
// stopped as one that nobody started.
func (s service) activity() string {
	if s.running() {
		return "active"
	}
	return "inactive"
}

func (s service) masked() bool { return s.state.File == "masked" || s.state.Load == "masked" }

// reloadable says why systemd would refuse to reload a nginx that runs.
func (s service) reloadable() error {
	switch {
	case s.masked():
		return fmt.Errorf("%s is masked, so that nothing reloads it: %s if that is no longer meant", host.NginxUnit,
			systemd.Unmask(host.NginxUnit, s.state.File))
	case !s.state.CanReload:
		return fmt.Errorf("%s has no ExecReload=, and a restart would cut every WebSocket: give it one in "+
			"/etc/systemd/system/%[1]s.d/reload.conf, then systemctl daemon-reload", host.NginxUnit)
	}
	return nil
}

// due reports whether nginx is about to be started or reloaded.
func (s service) due() bool { return s.owed || !s.running() }

func (n *Service) service(ctx context.Context) (service, error) {
	if n.seen != nil && n.engine != nil && n.engine.Surveying {
		return *n.seen, nil
	}
	var s service
	units, err := host.Systemd(ctx, n.Host)
	if err != nil {
		return s, err
	}
	if s.state, err = units.State(ctx, host.NginxUnit); err != nil {
		return s, err
	}
	s.owed, _, err = n.owed.Due()
	if n.Euid != 0 && errors.Is(err, fs.ErrPermission) {
		s.untold, err = err, nil
	}
	if err == nil {
		n.seen = &s
	}
	return s, err
}

func (s service) sayUntold(f *engine.Finding) {
	if s.untold != nil {
		f.Warnings = append(f.Warnings, "cannot tell without root whether a reload is owed: "+s.untold.Error())
	}
}

func (n *Service) checkService(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	s, err := n.service(ctx)
	if err != nil {
		return f, err
	}
	s.sayUntold(&f)
	lost, err := n.pkgs.DamagedFiles(ctx) // an empty unit file counts as masked (systemd.unit(5))
	if err != nil {
		return f, err
	}
	if len(lost) == 0 && s.masked() {
		return f, fmt.Errorf("%s is masked, so that nothing starts it: %s if that is no longer meant", host.NginxUnit,
			systemd.Unmask(host.NginxUnit, s.state.File))
	}
	if file := s.state.File; len(lost) == 0 && (file == "static" || file == "indirect") {
		return f, fmt.Errorf("%s cannot be enabled, because it says nothing of when to start: give it "+
			"WantedBy=multi-user.target in an [Install] section", host.NginxUnit)
	}
	if !s.enabled() {
		f.Changes = append(f.Changes, engine.Change{Object: host.NginxUnit + " (at boot)", From: cmp.Or(s.state.File, state.Absent),
			To: "enabled"})
	}
	if n.Where.Offline() {
		f.Changes = append(f.Changes, engine.Change{Object: host.NginxUnit, From: "not running", To: "running",
			Deferred: "systemd does not run here"})
		return f, nil
	}
	if err := n.checkRunning(ctx, &f, s); err != nil {
		return f, err
	}
	switch {
	case !s.running():
		if err := n.checkLogs(); err != nil {
			return f, err
		}
		f.Changes = append(f.Changes, engine.Change{Object: host.NginxUnit, From: cmp.Or(s.state.Active, state.Absent),
			To: "running"})
	case s.owed || n.differs():
		if err := errors.Join(s.reloadable(), n.checkLogs()); err != nil {
			return f, err
		}
		f.Changes = append(f.Changes, engine.Change{Object: host.NginxUnit, From: "an older configuration", To: "reloaded"})
	default:
		n.sayDraining(ctx, &f, s)
	}
	return f, nil
}

// checkLogs is an error where a start or a reload would wait for ever for a log.
func (n *Service) checkLogs() error {
	tree, _ := n.survey.tree(nil) // as far as it can be read; the validation says what cannot
	return n.Nginx.CheckLogs(tree)
}

// sayDraining tells of workers that an earlier reload left to their
// connections: each may hold WebSockets for as long as these last.
func (n *Service) sayDraining(ctx context.Context, f *engine.Finding, s service) {
	master, err := n.Nginx.Master(ctx, s.state.MainPID)
	if err != nil {
		f.Warnings = append(f.Warnings, err.Error())
		return
	}
	if old := nginx.Draining(master); old > 0 {
		f.Notes = append(f.Notes, draining(old))
	}
}

func draining(n int) string {
	if n == 1 {
		return "1 old worker drains: it ends when its last connection does"
	}
	return fmt.Sprintf("%d old workers drain: they end when their last connection does", n)
}

// applyService starts nginx.service where it does not run or reloads it where a
// reload is owed, and then enables it: what could not be started is not left to
// the next boot. It never restarts it.
func (n *Service) applyService(ctx context.Context) error {
	s, err := n.service(ctx)
	if err != nil {
		return err
	}
	units, err := host.Systemd(ctx, n.Host)
	if err != nil {
		return err
	}
	switch {
	case n.Where.Offline():
	case !s.running():
		err = n.start(ctx, units, s)
	case s.owed:
		err = n.reload(ctx, units, s)
	}
	if err != nil || s.enabled() {
		return err
	}
	return n.enable(context.WithoutCancel(ctx), units, s) // what has been started is there after the next boot, too
}

func (n *Service) enable(ctx context.Context, units systemd.Units, s service) error {
	e := state.Entry{Kind: state.KindEnabled, Name: host.NginxUnit, Before: cmp.Or(s.state.File, "disabled"), Left: "enabled"}
	if err := n.ledger.Record(e); err != nil {
		return err
	}
	if err := units.Enable(ctx, host.NginxUnit); err != nil {
		return err
	}
	return n.syncUnits()
}

// syncUnits makes an enablement durable: neither systemd nor systemctl syncs
// the link that it makes.
func (n *Service) syncUnits() error {
	for _, dir := range []string{"/etc/systemd/system/multi-user.target.wants", "/etc/systemd/system"} {
		if err := n.Files.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// start starts nginx. A start that fails with what this run has written takes
// that away again: what was on the disk before may still start.
func (n *Service) start(ctx context.Context, units systemd.Units, s service) error {
	e := state.Entry{Kind: state.KindActive, Name: host.NginxUnit, Before: s.activity(), Left: "active"}
	if err := n.ledger.Record(e); err != nil {
		return err
	}
	if err := n.checkLogs(); err != nil {
		return errors.Join(err, n.startBack())
	}
	tree, _ := n.survey.tree(nil)
	mark := n.Nginx.MarkLogs(tree.ErrorLogs())
	// Its result is waited for even where the run is being ended: a job that
	// nobody waits for may yet start nginx with what is taken away here.
	if err := units.Start(context.WithoutCancel(ctx), host.NginxUnit); err != nil {
		return errors.Join(fmt.Errorf("%w%s", err, complaints(ctx, mark)), n.checkOrphans(ctx), n.startBack())
	}
	return n.owed.Settle()
}

// complaints are what nginx logged since the mark, as an error's tail.
func complaints(ctx context.Context, mark nginx.LogMark) string {
	lines, err := mark.Complaints(context.WithoutCancel(ctx), 0)
	switch {
	case len(lines) > 0:
		return "; nginx says: " + lines[len(lines)-1].String()
	case err != nil:
		return "; what nginx says of it cannot be read: " + err.Error()
	}
	return ""
}

// reload has nginx take the configuration on the disk, and proves that it did:
// systemd's "done" says only that a signal was sent.
func (n *Service) reload(ctx context.Context, units systemd.Units, s service) error {
	err := n.reloadOnce(ctx, units, s.state.MainPID)
	if err == nil {
		return n.owed.Settle()
	}
	way, backErr := n.way(ctx, s)
	if len(way) == 0 {
		return errors.Join(err, backErr)
	}
	whole, backErr := n.putBack(way)
	if !whole {
		return errors.Join(err, backErr, errors.New("nginx goes on with the configuration that it had"))
	}
	return errors.Join(err, backErr, n.reloadBack(ctx, units, s.state.MainPID))
}

// taker names the nginx that runs, apart from any other since the boot and
// whatever the clock did; "" where none does.
func (n *Service) taker(ctx context.Context, s service) (string, error) {
	if !s.running() {
		return "", nil
	}
	m, err := n.Nginx.Master(ctx, s.state.MainPID)
	return fmt.Sprintf("process %d, started at tick %d", m.PID, m.Start), err
}

func (n *Service) reloadOnce(ctx context.Context, units systemd.Units, pid int) error {
	tree, _ := n.survey.tree(nil) // as far as it can be read; the validation has said what cannot
	if err := n.Nginx.CheckLogs(tree); err != nil {
		return err
	}
	before, err := n.Nginx.BeforeReload(ctx, pid, tree.ErrorLogs())
	if err != nil {
		return err
	}
	if err := units.Reload(ctx, host.NginxUnit); err != nil {
		return err
	}
	_, err = n.Nginx.ProveReload(ctx, before)
	return err
}

// differs reports whether anything that nginx reads is still to be written; what cannot be read is the server-block
// step's to report.
func (n *Service) differs() bool {
	pending, err := n.pending()
	return err == nil && len(pending) > 0
}
