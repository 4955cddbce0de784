package provision

import (
	"context"
	"reflect"
	"slices"

	"wsprovision/provision/engine"
	"wsprovision/provision/firstboot"
	"wsprovision/provision/labels"
	"wsprovision/provision/stepnames"
)

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
			Check: r.later.CheckDeferral, Apply: r.later.ApplyDeferral})
		return labelsBefore(r.labels, stepnames.Proof, steps)
	case firstboot.HasDeferred(r.Host):
		return append(doingFirst(r.later.Overtake, labelsBefore(r.labels, stepnames.Service, steps)),
			r.later.StrikeOff(stepnames.Labels, stepnames.Proof))
	}
	return steps
}

func labelsBefore(l *labels.Labels, name string, steps []engine.Step) []engine.Step {
	i := slices.IndexFunc(steps, func(s engine.Step) bool { return s.Name == name })
	return slices.Insert(steps, i, engine.Step{Name: stepnames.Labels, Needs: []string{stepnames.Packages},
		Check: l.Check,
		Apply: l.Apply})
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

// StrikeOff takes the first boot's unit from the boot where it has no work any
// more: the power was lost while the work was struck off, or before any was
// recorded. The report is nil where the unit is not enabled.
func (r *Run) StrikeOff(ctx context.Context) (*engine.Report, error) {
	if !firstboot.HasDeferred(r.Host) {
		return nil, nil
	}
	return r.run(ctx, "apply", func() []engine.Step {
		return []engine.Step{r.later.StrikeOff()}
	}, (*engine.Engine).Apply)
}

// Resume is one attempt of a first boot: an apply that keeps the deferred work
// outstanding until it is proved. Called with the lock, it is ErrOvertaken where
// the configuration is not what is deferred any more.
func (r *Run) Resume(ctx context.Context) (*engine.Report, error) {
	now, ok, err := firstboot.Finisher{Root: r.Root}.Deferred()
	switch {
	case err != nil:
		return nil, err
	case !ok || !reflect.DeepEqual(now, r.Config):
		return nil, firstboot.ErrOvertaken
	}
	r.holdOut = true
	return r.Apply(ctx)
}
