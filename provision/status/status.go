package status

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/packages"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/selinux"
	"wsprovision/systemd"
)

// Version is the version of the status's JSON form. A field is never
// renamed or removed under the same version; new ones may come.
const Version = 1

// State is how far the provisioning of a host has come.
type State string

// The states of a host.
const (
	// None: nothing of the agent's is recorded here.
	None State = "none"
	// Complete: the last run that changed something ended well, and nothing is
	// outstanding.
	Complete State = "complete"
	// Waiting: work is recorded for the first boot.
	Waiting State = "deferred"
	// Running: a run holds the lock, or the first boot's unit is trying.
	Running State = "running"
	// Broken: the last run failed or was interrupted, or the first boot gave up.
	Broken State = "failed"
	// Untold: only root may look.
	Untold State = "unknown"
)

// Settled reports whether waiting brings no other state.
func (s State) Settled() bool { return s != Waiting && s != Running }

// Report is what there is to know of a host without changing it.
type Report struct {
	Version int    `json:"status_version"`
	Agent   string `json:"agent_version"`
	State   State  `json:"state"`
	Why     string `json:"why,omitempty"`

	Place    string            `json:"place"`
	Evidence string            `json:"place_evidence"`
	Offline  bool              `json:"offline"`
	System   string            `json:"system,omitempty"`
	SELinux  SELinuxStatus     `json:"selinux"`
	Systemd  SystemdStatus     `json:"systemd"`
	Packages map[string]string `json:"packages,omitempty"` // by name; absent ones are not in it
	Nginx    UnitStatus        `json:"nginx"`

	// Now is how the host stands, whatever the last run came to.
	Now Now `json:"now"`

	// Report is the last run that changed something or failed, with all phases
	// in one.
	Report *engine.Report `json:"report,omitempty"`
	// Unknown is what could not be told, each with its reason.
	Unknown []string `json:"unknown,omitempty"`
}

// SELinuxStatus has no mode offline: the running kernel is another system's.
type SELinuxStatus struct {
	Mode       string `json:"mode,omitempty"`
	Configured string `json:"configured,omitempty"`
	Policy     string `json:"policy,omitempty"`
	Store      string `json:"store,omitempty"`
	// Relabel: the next boot labels every file anew, and reboots.
	Relabel bool `json:"relabel_at_boot,omitempty"`
}

// SystemdStatus has version 0 where it could not be told.
type SystemdStatus struct {
	Version int  `json:"version"`
	Running bool `json:"running"` // it is PID 1, and this system's own
}

// UnitStatus is nginx.service; Active is "" offline.
type UnitStatus struct {
	AtBoot string `json:"at_boot,omitempty"`
	Active string `json:"active,omitempty"`
	// Beside is what of nginx runs that is not nginx.service's with its own
	// configuration: other masters, and workers without one.
	Beside []string `json:"beside,omitempty"`
}

// statusPackages are those whose versions decide how the agent works.
var statusPackages = [...]string{"yum", "rpm", packages.Nginx, packages.Semanage, packages.EPELRelease, "systemd",
	"selinux-policy-targeted"}

// Of looks at the host; what cannot be told is named, and fails nothing.
func Of(ctx context.Context, h *host.Host, agent string) Report {
	s := Report{Version: Version, Agent: agent, Place: string(h.Where.Place), Evidence: h.Where.Why,
		Offline: h.Where.Offline()}
	if os, err := host.ReadOSRelease(h.Root); err != nil {
		s.unknown(err)
	} else {
		s.System = os.String()
	}
	selinuxStatus(h, &s)
	packageStatus(ctx, h, &s)
	unitStatus(ctx, h, &s)
	return s
}

func (s *Report) unknown(err error) { s.Unknown = append(s.Unknown, err.Error()) }

func selinuxStatus(h *host.Host, s *Report) {
	status, err := h.SELinux.Status()
	if err != nil {
		s.unknown(err)
	}
	s.SELinux = SELinuxStatus{Mode: string(status.Mode), Configured: string(status.Configured), Policy: status.Policy,
		Store: status.Store, Relabel: status.Configured != selinux.Disabled && host.RelabelScheduled(h)}
	if status.Store == "" && status.Mode != selinux.Enforcing {
		s.SELinux.Policy = ""
	}
}

func packageStatus(ctx context.Context, h *host.Host, s *Report) {
	found, err := h.RPM.DB.Installed(ctx, statusPackages[:]...)
	if err != nil {
		s.unknown(err)
		return
	}
	s.Packages = map[string]string{}
	for name, all := range found {
		for _, p := range all {
			s.Packages[name] = strings.TrimPrefix(p.String(), name+"-")
		}
	}
}

func unitStatus(ctx context.Context, h *host.Host, s *Report) {
	s.Systemd.Running = h.Where.Systemd && !h.Where.Offline()
	defer host.Disconnect(h) // the next status, of --wait, finds out anew
	units, err := host.Systemd(ctx, h)
	if err != nil {
		s.unknown(err)
		provisioningStatus(h, s, systemd.State{})
		return
	}
	if s.Systemd.Version, err = systemdVersion(ctx, units, s.Packages["systemd"]); err != nil {
		s.unknown(err)
	}
	unit, err := units.State(ctx, host.NginxUnit)
	if err != nil {
		s.unknown(err)
	}
	s.Nginx = UnitStatus{AtBoot: cmp.Or(unit.File, state.Absent), Active: unit.Active}
	if !h.Where.Offline() {
		s.Nginx.Beside = beside(ctx, h, unit.MainPID)
	}
	first, err := units.State(ctx, host.FirstBootUnit)
	if err != nil {
		s.unknown(err)
	}
	provisioningStatus(h, s, first)
}

// systemdVersion asks PID 1, or goes by the package where another's runs.
func systemdVersion(ctx context.Context, units systemd.Units, packaged string) (int, error) {
	switch live, ok := units.(*systemd.Live); {
	case ok:
		return live.Version(ctx)
	case packaged != "":
		return systemd.ParseVersion(packaged)
	}
	return 0, nil
}

// provisioningStatus judges by what is recorded, by the lock, and by the first
// boot's unit.
func provisioningStatus(h *host.Host, s *Report, unit systemd.State) {
	history, err := state.ReadHistory(h.Files, 0)
	unreadable := errors.Is(err, fs.ErrPermission)
	if err != nil && !unreadable {
		s.unknown(err)
	}
	s.Report = history.Newest()
	holder, locked, err := h.Holder()
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a chroot without /proc has no runs beside it
		s.unknown(err)
	}
	_, err = os.Lstat(h.Root + state.DeferredPath)
	deferred := err == nil || unit.Known && unit.File == "enabled"
	switch {
	case locked:
		s.State, s.Why = Running, holder+" holds "+host.LockPath
	case unit.Active == "activating":
		s.State, s.Why = Running, host.FirstBootUnit+" is at work"
	case unreadable:
		s.State, s.Why = Untold, "only root may read "+host.StateDir
	case deferred:
		s.State, s.Why = OutstandingState(h, history, unit)
	case history.Running != nil:
		s.State, s.Why = Broken, history.Running.Ended(host.BootID(h))+"; run it again to finish"
	case s.Report == nil:
		s.State, s.Why = None, "nothing of the agent's is recorded here: it has changed nothing, or a revert took it "+
			"back"
	case s.Report.Result == engine.Failed:
		s.State, s.Why = Broken, failureOf(s.Report)
	default:
		s.State = Complete
	}
}

// OutstandingState tells work that is still to be done from work that nobody will
// do by himself.
func OutstandingState(h *host.Host, history *state.History, unit systemd.State) (State, string) {
	switch {
	case h.Where.Offline() && history.Running != nil:
		return Waiting, history.Running.Ended(host.BootID(h)) + "; the first boot goes on"
	case h.Where.Offline() && history.Install != nil && history.Install.Result == engine.Failed:
		return Broken, failureOf(history.Install) + "; the first boot tries again"
	case h.Where.Offline():
		return Waiting, "the first boot does the rest: " + host.FirstBootUnit
	case unit.Active == "failed":
		why := "see journalctl -u " + host.FirstBootUnit
		if history.Last != nil && failureOf(history.Last) != "" {
			why = failureOf(history.Last)
		}
		return Broken, host.FirstBootUnit + " gave up, and tries again at the next boot: " + why
	case unit.Known && unit.File != "enabled":
		return Broken, "work is outstanding and " + host.FirstBootUnit + " is not enabled: systemctl start " +
			host.FirstBootUnit + " finishes it"
	}
	return Waiting, host.FirstBootUnit + " has yet to be started"
}

// failure is what a report says went wrong, in a line; "" where nothing did.
func failureOf(r *engine.Report) string {
	for _, s := range r.Steps {
		switch {
		case s.Status == engine.Failed:
			first, _, _ := strings.Cut(s.Error, "\n")
			return s.Name + ": " + first
		case s.Name == stepnames.FirstBoot && s.Status == engine.Deferred && len(s.Changes) > 0:
			return s.Changes[len(s.Changes)-1].Deferred
		}
	}
	return r.Interrupted
}

// WaitSettled asks for the status until it is settled or ctx ends.
func WaitSettled(ctx context.Context, h *host.Host, agent string) {
	for !Of(ctx, h, agent).State.Settled() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(2 * time.Second):
		}
	}
}
