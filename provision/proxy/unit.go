package proxy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/known"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx"
	"wsprovision/provision/state"
	"wsprovision/systemd"
)

// ServiceState is what there is to do about nginx.service.
type ServiceState struct {
	State systemd.State
	Owed  bool
	// Renewed are files of certificates that nginx has read in an older form.
	Renewed []string
	// Outdated are files of authorities that were changed since nginx read them.
	Outdated []outdated
	// untold is why it is not known whether a reload is owed; nil for root.
	untold error
}

func (s ServiceState) enabled() bool { return s.State.File == "enabled" }
func (s ServiceState) Running() bool {
	return s.State.Active == "active" || s.State.Active == "reloading"
}

// Activity is whether it runs, in the ledger's words: a unit that failed is as
// stopped as one that nobody started.
func (s ServiceState) Activity() string {
	if s.Running() {
		return "active"
	}
	return "inactive"
}

func (s ServiceState) masked() bool { return s.State.File == "masked" || s.State.Load == "masked" }

// Reloadable says why systemd would refuse to reload a nginx that runs.
func (s ServiceState) Reloadable() error {
	switch {
	case s.masked():
		return fmt.Errorf("%s is masked, so that nothing reloads it: %s if that is no longer meant", host.NginxUnit,
			systemd.Unmask(host.NginxUnit, s.State.File))
	case !s.State.CanReload:
		return fmt.Errorf("%s has no ExecReload=, and a restart would cut every WebSocket: give it one in "+
			"/etc/systemd/system/%[1]s.d/reload.conf, then systemctl daemon-reload", host.NginxUnit)
	}
	return nil
}

// due reports whether nginx is about to be started or reloaded.
func (s ServiceState) due() bool { return s.Owed || s.older() || !s.Running() }

// older: nginx runs with other certificates or authorities than the disk has.
func (s ServiceState) older() bool { return len(s.Renewed) > 0 || len(s.Outdated) > 0 }

func (n *Unit) State(ctx context.Context) (ServiceState, error) {
	r := known.Once(n.Known, serviceState{}, func() toldState {
		s, err := n.state(ctx)
		return toldState{s, err}
	})
	return r.state, r.err
}

// serviceState is the key of State.
type serviceState struct{}

type toldState struct {
	state ServiceState
	err   error
}

func (n *Unit) state(ctx context.Context) (ServiceState, error) {
	var s ServiceState
	units, err := host.Systemd(ctx, n.Host)
	if err != nil {
		return s, err
	}
	if s.State, err = units.State(ctx, host.NginxUnit); err != nil {
		return s, err
	}
	s.Owed, _, err = n.Owed.Due()
	if n.Euid != 0 && errors.Is(err, fs.ErrPermission) {
		s.untold, err = err, nil
	}
	if err == nil {
		s.Renewed, s.Outdated = n.renewed(ctx, s), n.outdated(ctx, s)
	}
	return s, err
}

func (s ServiceState) SayUntold(f *engine.Finding) {
	if s.untold != nil {
		f.Warnings = append(f.Warnings, "cannot tell without root whether a reload is owed: "+s.untold.Error())
	}
}

func (n *Unit) Check(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	s, err := n.State(ctx)
	if err != nil {
		return f, err
	}
	s.SayUntold(&f)
	damaged, err := n.Damaged(ctx) // an empty unit file counts as masked (systemd.unit(5))
	if err != nil {
		return f, err
	}
	if !damaged && s.masked() {
		return f, fmt.Errorf("%s is masked, so that nothing starts it: %s if that is no longer meant", host.NginxUnit,
			systemd.Unmask(host.NginxUnit, s.State.File))
	}
	if file := s.State.File; !damaged && (file == "static" || file == "indirect") {
		return f, fmt.Errorf("%s cannot be enabled, because it says nothing of when to start: give it "+
			"WantedBy=multi-user.target in an [Install] section", host.NginxUnit)
	}
	if !s.enabled() {
		f.Changes = append(f.Changes,
			engine.Change{Object: host.NginxUnit + " (at boot)", From: cmp.Or(s.State.File, state.Absent),
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
	case !s.Running():
		if err := n.CheckLogs(); err != nil {
			return f, err
		}
		f.Changes = append(f.Changes, engine.Change{Object: host.NginxUnit, From: cmp.Or(s.State.Active, state.Absent),
			To: "running"})
	case s.Owed || n.Differs():
		if err := errors.Join(s.Reloadable(), n.CheckLogs()); err != nil {
			return f, err
		}
		f.Changes = append(f.Changes, engine.Change{Object: host.NginxUnit, From: "an older configuration",
			To: "reloaded"})
	case s.older():
		if err := errors.Join(s.Reloadable(), n.CheckLogs()); err != nil {
			return f, err
		}
		f.Changes = append(f.Changes, engine.Change{Object: host.NginxUnit,
			From: s.olderText(), To: "reloaded"})
	default:
		n.sayDraining(ctx, &f, s)
	}
	return f, nil
}

// CheckLogs is an error where a start or a reload would wait for ever for a log.
func (n *Unit) CheckLogs() error {
	tree, _ := n.Survey.Tree(nil) // as far as it can be read; the validation says what cannot
	return n.Nginx.CheckLogs(tree)
}

// sayDraining tells of workers that an earlier reload left to their
// connections: each may hold WebSockets for as long as these last.
func (n *Unit) sayDraining(ctx context.Context, f *engine.Finding, s ServiceState) {
	master, err := n.Nginx.Master(ctx, s.State.MainPID)
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

// Apply starts nginx.service where it does not run or reloads it where a
// reload is owed, and then enables it: what could not be started is not left to
// the next boot. It never restarts it.
func (n *Unit) Apply(ctx context.Context) error {
	s, err := n.State(ctx)
	if err != nil {
		return err
	}
	units, err := host.Systemd(ctx, n.Host)
	if err != nil {
		return err
	}
	switch {
	case n.Where.Offline():
	case !s.Running():
		err = n.start(ctx, units, s)
	case s.Owed, s.older():
		err = n.Reload(ctx, units, s)
	}
	if err != nil || s.enabled() {
		return err
	}
	return n.enable(context.WithoutCancel(ctx), units, s) // what has been started is there after the next boot, too
}

func (n *Unit) enable(ctx context.Context, units systemd.Units, s ServiceState) error {
	e := state.Entry{Kind: state.KindEnabled, Name: host.NginxUnit, Before: cmp.Or(s.State.File, "disabled"),
		Left: "enabled"}
	if err := n.Ledger.Record(e); err != nil {
		return err
	}
	if err := units.Enable(ctx, host.NginxUnit); err != nil {
		return err
	}
	return n.SyncUnits()
}

// SyncUnits makes an enablement durable: neither systemd nor systemctl syncs
// the link that it makes.
func (n *Unit) SyncUnits() error {
	for _, dir := range []string{"/etc/systemd/system/multi-user.target.wants", "/etc/systemd/system"} {
		if err := n.Files.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// start starts nginx. A start that fails with what this run has written takes
// that away again: what was on the disk before may still start.
func (n *Unit) start(ctx context.Context, units systemd.Units, s ServiceState) error {
	e := state.Entry{Kind: state.KindActive, Name: host.NginxUnit, Before: s.Activity(), Left: "active"}
	if err := n.Ledger.Record(e); err != nil {
		return err
	}
	if err := n.CheckLogs(); err != nil {
		return errors.Join(err, n.startBack())
	}
	tree, _ := n.Survey.Tree(nil)
	mark := n.Nginx.MarkLogs(tree.Paths().ErrorLogs())
	// Its result is waited for even where the run is being ended: a job that
	// nobody waits for may yet start nginx with what is taken away here.
	if err := units.Start(context.WithoutCancel(ctx), host.NginxUnit); err != nil {
		return errors.Join(fmt.Errorf("%w%s", err, complaints(ctx, mark)), n.checkOrphans(ctx), n.startBack())
	}
	return n.Owed.Settle()
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

// Reload has nginx take the configuration on the disk, and proves that it did:
// systemd's "done" says only that a signal was sent.
func (n *Unit) Reload(ctx context.Context, units systemd.Units, s ServiceState) error {
	err := n.ReloadOnce(ctx, units, s.State.MainPID)
	if err == nil {
		return n.Owed.Settle()
	}
	way, backErr := n.way(ctx, s)
	if len(way) == 0 {
		return errors.Join(err, backErr)
	}
	whole, backErr := n.putBack(way)
	if !whole {
		return errors.Join(err, backErr, errors.New("nginx goes on with the configuration that it had"))
	}
	return errors.Join(err, backErr, n.reloadBack(ctx, units, s.State.MainPID))
}

// taker names the nginx that runs, apart from any other since the boot and
// whatever the clock did; "" where none does.
func (n *Unit) taker(ctx context.Context, s ServiceState) (string, error) {
	if !s.Running() {
		return "", nil
	}
	m, err := n.Nginx.Master(ctx, s.State.MainPID)
	return fmt.Sprintf("process %d, started at tick %d", m.PID, m.Start), err
}

func (n *Unit) ReloadOnce(ctx context.Context, units systemd.Units, pid int) error {
	tree, _ := n.Survey.Tree(nil) // as far as it can be read; the validation has said what cannot
	if err := n.Nginx.CheckLogs(tree); err != nil {
		return err
	}
	before, err := n.Nginx.BeforeReload(ctx, pid, tree.Paths().ErrorLogs())
	if err != nil {
		return err
	}
	if err := units.Reload(ctx, host.NginxUnit); err != nil {
		return err
	}
	_, err = n.Nginx.ProveReload(ctx, before)
	return err
}

// Differs reports whether anything that nginx reads is still to be written; what cannot be read is the server-block
// step's to report.
func (n *Unit) Differs() bool {
	pending, err := n.Pending()
	return err == nil && len(pending) > 0
}

// Unit is nginx.service.
type Unit struct {
	*host.Host
	Config  config.Config
	Ledger  *state.Ledger
	Managed *managed.Files
	Damaged func(ctx context.Context) (bool, error) // whether a power cut took files of the packages
	Survey  *Survey
	Owed    state.Owed
	// Pending is what is to change of what nginx reads, in the form in which its tester takes it.
	Pending func() (map[string][]byte, error)
	wrote   []state.Proven // what nginx reads and this run has changed, as it was
}
