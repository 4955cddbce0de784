package firstboot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/labels"
	"wsprovision/provision/managed"
	"wsprovision/provision/policy"
	"wsprovision/provision/proxy"
	"wsprovision/provision/state"
	"wsprovision/provision/stepnames"
	"wsprovision/systemd"
)

const Header = `# What wsprovision could not do where this host was installed; the first boot does it, or
# "systemctl start wsprovision-firstboot.service" by hand. Not a file to edit.
`

// Overtake has the first boot go on with this configuration from now on, should
// this run not come to its end: it would bring back the one that it has, over
// what an administrator has asked for since.
func (d *Deferral) Overtake(ctx context.Context) error {
	have, err := d.Files.Read(state.DeferredPath)
	if err != nil || have.Content == nil {
		return err
	}
	want, err := d.deferral(ctx)
	if err != nil || host.Same(have.Content, want) {
		return err
	}
	return d.Files.Write(state.DeferredPath, want, 0o600)
}

func (d *Deferral) StrikeOff(needs ...string) engine.Step {
	return engine.Step{Name: stepnames.FirstBoot, Needs: needs, Check: d.checkFinish, Apply: d.applyFinish}
}

// Cancel has a revert strike off what the first boot would bring back.
func (d *Deferral) Cancel(steps []engine.Step) []engine.Step {
	if !HasDeferred(d.Host) {
		return steps
	}
	return slices.Insert(steps, 1, d.StrikeOff(stepnames.Platform))
}

// HasDeferred reports whether work was deferred to this host's first boot and
// is not struck off.
func HasDeferred(h *host.Host) bool {
	for _, path := range []string{state.DeferredPath, host.FirstBootLink} {
		if _, err := os.Lstat(h.Root + path); err == nil {
			return true
		}
	}
	return false
}

func (d *Deferral) deferral(ctx context.Context) ([]byte, error) {
	c := d.Config
	c.Adopt = d.consents(ctx)
	text, err := c.Marshal()
	return append([]byte(Header), text...), err
}

// holds reports whether the file has what is wanted. A run without options has no record of any; that of an earlier run
// may stay.
func (d *Deferral) holds(have, want []byte) bool {
	if host.Same(have, want) || d.Config.Record != nil || have == nil {
		return host.Same(have, want)
	}
	read := func(string) ([]byte, error) { return have, nil }
	c, err := config.Load(config.Input{File: state.DeferredPath, ReadFile: read,
		Limit: config.MaxMarshalled + len(Header), Deferred: true})
	if err != nil || c.Record == nil {
		return false
	}
	c.Record = nil
	text, err := c.Marshal()
	return err == nil && host.Same(append([]byte(Header), text...), want)
}

// CheckDeferral wants the configuration kept and the unit enabled that takes
// it up.
func (d *Deferral) CheckDeferral(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	want, err := d.deferral(ctx)
	if err != nil {
		return f, err
	}
	have, err := d.Files.Read(state.DeferredPath)
	if err != nil && (d.Euid == 0 || !errors.Is(err, fs.ErrPermission)) {
		return f, err
	}
	if !d.holds(have.Content, want) {
		from := state.Absent
		if have.Content != nil {
			from = "another configuration"
		}
		f.Changes = append(f.Changes, engine.Change{Object: "deferred work (" + state.DeferredPath + ")", From: from,
			To: "recorded"})
	}
	enabled, err := d.firstBootEnabled(ctx)
	if err != nil {
		return f, err
	}
	if !enabled {
		f.Changes = append(f.Changes, engine.Change{Object: host.FirstBootUnit + " (at boot)", From: "disabled",
			To: "enabled"})
	}
	f.Notes = append(f.Notes, "the first boot does what cannot be done here: "+host.FirstBootUnit)
	f.NextBoot = []string{host.FirstBootUnit + " does what cannot be done here"}
	if host.RelabelScheduled(d.Host) {
		labels.SayRelabel(&f)
	}
	return f, nil
}

func (d *Deferral) firstBootEnabled(ctx context.Context) (bool, error) {
	units, err := host.Systemd(ctx, d.Host)
	if err != nil {
		return false, err
	}
	s, err := units.State(ctx, host.FirstBootUnit)
	switch {
	case err != nil:
		return false, err
	case !d.Where.Offline():
	case s.Load == "not-found":
		return false, fmt.Errorf("%s is not installed, and without it nothing would finish the work at the first "+
			"boot: install the agent's RPM in this tree", host.FirstBootUnit)
	case s.Load == "masked":
		return false, fmt.Errorf("%s is masked, and without it nothing would finish the work at the first boot: %s",
			host.FirstBootUnit, systemd.Unmask(host.FirstBootUnit, s.File))
	}
	return s.File == "enabled", nil
}

// ApplyDeferral enables the unit first: without a record it does no more than
// disable itself, and a record without it would wait for ever.
func (d *Deferral) ApplyDeferral(ctx context.Context) error {
	content, err := d.deferral(ctx)
	if err != nil {
		return err
	}
	if err := d.Labels.PromiseRelabel(); err != nil {
		return err
	}
	units, err := host.Systemd(ctx, d.Host)
	if err != nil {
		return err
	}
	if err := units.Enable(ctx, host.FirstBootUnit); err != nil {
		return err
	}
	if err := d.Unit.SyncUnits(); err != nil {
		return err
	}
	if err := d.Files.MakeDir(host.StateDir, 0o700); err != nil {
		return err
	}
	// the unit and the agent themselves, which rpm has laid down just now, perhaps, and does not sync
	host.SyncDisks(d.Host)
	return d.Files.Write(state.DeferredPath, content, 0o600)
}

// checkFinish strikes the deferred work off once all other steps hold. The
// first boot itself, which has the time, waits for a real 101; an
// administrator's apply is content with what apply is content with.
func (d *Deferral) checkFinish(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	have, err := d.Files.Read(state.DeferredPath)
	if err != nil {
		return f, err
	}
	if have.Content != nil {
		f.Changes = append(f.Changes, engine.Change{Object: "deferred work (" + state.DeferredPath + ")",
			From: "outstanding", To: "struck off"})
	}
	enabled, err := d.firstBootEnabled(ctx)
	if err != nil {
		return f, err
	}
	if enabled {
		f.Changes = append(f.Changes, engine.Change{Object: host.FirstBootUnit + " (at boot)", From: "enabled",
			To: "disabled"})
	}
	if unproved := d.Unproved(); d.HoldOut && len(unproved) > 0 {
		for i := range f.Changes {
			f.Changes[i].Deferred = strings.Join(unproved, "; ")
		}
	}
	return f, nil
}

// applyFinish goes back the way that applyDeferral came, once the run's mark is
// gone: wherever the power is lost the unit is still enabled, and either finds
// the record or finds that all is done.
func (d *Deferral) applyFinish(ctx context.Context) error {
	if err := d.Unmark(); err != nil {
		return err
	}
	if err := d.Files.Remove(state.DeferredPath); err != nil {
		return err
	}
	units, err := host.Systemd(ctx, d.Host)
	if err != nil {
		return err
	}
	s, err := units.State(ctx, host.FirstBootUnit)
	if err != nil {
		return err
	}
	if s.File == "enabled" {
		if err := units.Disable(ctx, host.FirstBootUnit); err != nil {
			return err
		}
		if err := d.Unit.SyncUnits(); err != nil {
			return err
		}
	}
	if s.Active == "failed" { // it gave up, and somebody else has finished its work
		return units.ResetFailed(ctx, host.FirstBootUnit)
	}
	return nil
}

// Deferral is the work that the first boot does.
type Deferral struct {
	*host.Host
	Config config.Config
	// Unmark says that all the run had to do is done.
	Unmark   func() error
	Managed  *managed.Files
	Labels   *labels.Labels
	Unit     *proxy.Unit
	Policy   *policy.Policy
	Unproved func() []string // what the proof could not tell
	Ours     func() []managed.File
	HoldOut  bool // deferred work stays outstanding until a backend has answered
}
