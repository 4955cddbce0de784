package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/outfile"
	"wsprovision/provision"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/planfile"
)

// keepPlan has a plan written down, for apply --from-plan. One that has failed is none.
func (a *app) keepPlan(cmd *cobra.Command, o applyOptions, out *output, run *provision.Run, do act) act {
	return func(ctx context.Context) (*engine.Report, error) {
		report, err := do(ctx)
		switch {
		case err != nil || o.out == "":
			return report, err
		case report.Result == engine.Failed:
			out.say("warning: no plan is written to " + o.out + ": it has failed")
			return report, nil
		}
		text, err := a.planText(ctx, cmd, o, run, report)
		if err == nil {
			err = outfile.Write(a.seam, o.out, text)
		}
		if err != nil {
			return nil, fmt.Errorf("the plan is not written: %w", err)
		}
		out.notice("the plan is in " + o.out + ": wsprovision apply --from-plan " + o.out + " does that, or nothing")
		return report, nil
	}
}

func (a *app) planText(ctx context.Context, cmd *cobra.Command, o applyOptions, run *provision.Run,
	report *engine.Report) ([]byte, error) {
	in := a.input(cmd)
	p := planfile.Plan{Agent: version, Commit: commit, Host: planfile.Here(ctx, run.Host),
		Inputs: planfile.Inputs{Options: in.Flags, AnyPlatform: o.anyPlatform, Adopt: o.adopt}}
	for _, assignment := range in.Environ {
		if strings.HasPrefix(assignment, "WSPROVISION_") {
			p.Inputs.Variables = append(p.Inputs.Variables, assignment)
		}
	}
	if in.File != "" {
		var err error
		if p.Inputs.Config, err = filepath.Abs(in.File); err != nil {
			return nil, err
		}
	}
	if err := p.Set(report, run.Config); err != nil {
		return nil, err
	}
	return p.Text()
}

// takePlan has the command go by a plan: what it was made with, and nothing of the command line or the environment.
func (a *app) takePlan(cmd *cobra.Command, o *applyOptions) error {
	var typed []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if _, setting := f.Annotations[cmdline.SettingOf]; setting || f.Name == "config" || f.Name == "any-platform" ||
			f.Name == "adopt" {
			typed = append(typed, "--"+f.Name)
		}
	})
	if len(typed) > 0 {
		return cmdline.Misused(fmt.Errorf("--from-plan goes by what the plan was made with: leave out %s",
			cmdline.Listed(typed)))
	}
	where, err := a.where()
	if err != nil {
		return err
	}
	h := host.New(where, nil, nil, a.seam)
	if h.Euid != 0 {
		return provision.ErrNotRoot
	}
	p, err := planfile.Read(cmd.Context(), o.fromPlan, true)
	if err == nil {
		err = p.Is(version, commit, planfile.Here(cmd.Context(), h))
	}
	if err != nil {
		return err
	}
	a.planned, o.anyPlatform, o.adopt = p, p.Inputs.AnyPlatform, p.Inputs.Adopt
	return nil
}

// plannedInput is where the configuration of a plan came from.
func plannedInput(p *planfile.Plan) config.Input {
	return config.Input{File: p.Inputs.Config, DefaultFile: defaultConfig, SitesDir: sitesDir,
		Environ: p.Inputs.Variables, Flags: maps.Clone(p.Inputs.Options)}
}

// asPlanned is an apply of a plan and, without one, of all that differs.
func (a *app) asPlanned(run *provision.Run) act {
	if a.planned == nil {
		return run.Apply
	}
	return func(ctx context.Context) (*engine.Report, error) {
		if err := a.planned.AsksFor(run.Config); err != nil {
			return nil, err
		}
		return run.ApplyAs(ctx, a.planned.Promised())
	}
}
