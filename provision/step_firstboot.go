package provision

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
	"wsprovision/provision/verify"
	"wsprovision/systemd"
)

const (
	// deferredPath is the durable promise: while it is there, the host is not
	// yet what this configuration asks for, and the first boot goes on.
	deferredPath = host.StateDir + "/deferred.yaml"
)

const deferredHeader = `# What wsprovision could not do where this host was installed; the first boot does it, or
# "systemctl start wsprovision-firstboot.service" by hand. Not a file to edit.
`

// acrossBoots adds what a host needs that is provisioned in two phases. Away
// from the host, what is deferred is recorded before anything else changes, so
// that a boot after an interrupted run finds it; on the host it is struck off
// when everything else holds. The labels come last there, and here before nginx
// is started: the installation may have been interrupted before them. An
// ordinary host has none of these steps.
func (r *Run) acrossBoots(steps []engine.Step) []engine.Step {
	switch {
	case r.Where.Offline():
		steps = slices.Insert(steps, 1, engine.Step{Name: stepnames.FirstBoot, Needs: []string{stepnames.Platform},
			Check: r.later.checkDeferral, Apply: r.later.applyDeferral})
		return r.labelsBefore(stepnames.Proof, steps)
	case hasDeferred(r.Host):
		return append(doingFirst(r.later.overtake, r.labelsBefore(stepnames.Service, steps)), r.later.strikeOff(stepnames.Labels, stepnames.Proof))
	}
	return steps
}

// overtake has the first boot go on with this configuration from now on, should
// this run not come to its end: it would bring back the one that it has, over
// what an administrator has asked for since.
func (d *Deferral) overtake(ctx context.Context) error {
	have, err := d.Files.Read(deferredPath)
	if err != nil || have.Content == nil {
		return err
	}
	want, err := d.deferral(ctx)
	if err != nil || host.Same(have.Content, want) {
		return err
	}
	return d.Files.Write(deferredPath, want, 0o600)
}

// doingFirst has each step do something before it changes anything.
func doingFirst(do func(context.Context) error, steps []engine.Step) []engine.Step {
	for i, s := range steps {
		if s.Apply == nil {
			continue
		}
		steps[i].Apply = func(ctx context.Context) error {
			if err := do(ctx); err != nil {
				return err
			}
			return s.Apply(ctx)
		}
	}
	return steps
}

func (r *Run) labelsBefore(name string, steps []engine.Step) []engine.Step {
	i := slices.IndexFunc(steps, func(s engine.Step) bool { return s.Name == name })
	return slices.Insert(steps, i, engine.Step{Name: stepnames.Labels, Needs: []string{stepnames.Packages}, Check: r.labels.Check,
		Apply: r.labels.Apply})
}

func (d *Deferral) strikeOff(needs ...string) engine.Step {
	return engine.Step{Name: stepnames.FirstBoot, Needs: needs, Check: d.checkFinish, Apply: d.applyFinish}
}

// StrikeOff takes the first boot's unit from the boot where it has no work any
// more: the power was lost while the work was struck off, or before any was
// recorded. The report is nil where the unit is not enabled.
func (r *Run) StrikeOff(ctx context.Context) (*engine.Report, error) {
	if !hasDeferred(r.Host) {
		return nil, nil
	}
	return r.run(ctx, "apply", func() []engine.Step { return []engine.Step{r.later.strikeOff()} }, (*engine.Engine).Apply)
}

// cancelDeferred has a revert strike off what the first boot would bring back.
func (d *Deferral) cancelDeferred(steps []engine.Step) []engine.Step {
	if !hasDeferred(d.Host) {
		return steps
	}
	return slices.Insert(steps, 1, d.strikeOff(stepnames.Platform))
}

// hasDeferred reports whether work was deferred to this host's first boot and
// is not struck off.
func hasDeferred(h *host.Host) bool {
	for _, path := range []string{deferredPath, host.FirstBootLink} {
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
	return append([]byte(deferredHeader), text...), err
}

// checkDeferral wants the configuration kept and the unit enabled that takes
// it up.
func (d *Deferral) checkDeferral(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	want, err := d.deferral(ctx)
	if err != nil {
		return f, err
	}
	have, err := d.Files.Read(deferredPath)
	if err != nil && (d.Euid == 0 || !errors.Is(err, fs.ErrPermission)) {
		return f, err
	}
	if !host.Same(have.Content, want) {
		from := state.Absent
		if have.Content != nil {
			from = "another configuration"
		}
		f.Changes = append(f.Changes, engine.Change{Object: "deferred work (" + deferredPath + ")", From: from,
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

// applyDeferral enables the unit first: without a record it does no more than
// disable itself, and a record without it would wait for ever.
func (d *Deferral) applyDeferral(ctx context.Context) error {
	content, err := d.deferral(ctx)
	if err != nil {
		return err
	}
	if err := d.labels.PromiseRelabel(); err != nil {
		return err
	}
	units, err := host.Systemd(ctx, d.Host)
	if err != nil {
		return err
	}
	if err := units.Enable(ctx, host.FirstBootUnit); err != nil {
		return err
	}
	if err := d.unit.SyncUnits(); err != nil {
		return err
	}
	if err := d.Files.MakeDir(host.StateDir, 0o700); err != nil {
		return err
	}
	host.SyncDisks(d.Host) // the unit and the agent themselves, which rpm has laid down just now, perhaps, and does not sync
	return d.Files.Write(deferredPath, content, 0o600)
}

// checkFinish strikes the deferred work off once all other steps hold. The
// first boot itself, which has the time, waits for a real 101; an
// administrator's apply is content with what apply is content with.
func (d *Deferral) checkFinish(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	have, err := d.Files.Read(deferredPath)
	if err != nil {
		return f, err
	}
	if have.Content != nil {
		f.Changes = append(f.Changes, engine.Change{Object: "deferred work (" + deferredPath + ")",
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
	if d.holdOut && len(d.proof.Unproved) > 0 {
		for i := range f.Changes {
			f.Changes[i].Deferred = strings.Join(d.proof.Unproved, "; ")
		}
	}
	return f, nil
}

// applyFinish goes back the way that applyDeferral came, once the run's mark is
// gone: wherever the power is lost the unit is still enabled, and either finds
// the record or finds that all is done.
func (d *Deferral) applyFinish(ctx context.Context) error {
	if err := d.annals.unmark(); err != nil {
		return err
	}
	if err := d.Files.Remove(deferredPath); err != nil {
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
		if err := d.unit.SyncUnits(); err != nil {
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
	Config  config.Config
	annals  *chronicle
	files   *managed.Files
	labels  *labels.Labels
	unit    *proxy.Unit
	policy  *policy.Policy
	proof   *verify.Proof
	ours    func() []managed.File
	holdOut bool // deferred work stays outstanding until a backend has answered
}
