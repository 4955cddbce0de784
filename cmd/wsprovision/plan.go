package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/provision"
)

func (a *app) planCommand() *cobra.Command {
	o := applyOptions{plans: true}
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would do, and change nothing",
		Long: `Show what apply would do: files as unified diffs, SELinux as before and after.
Nothing is changed, and root is needed only for what only root may read. Where
root plans, metrics_file is renewed, if one is configured.

Exit status:
  0   the plan was made
  1   a step would fail
  2   with --detailed-exitcode: something would be changed
  3   with --detailed-exitcode: something would be deferred to the first boot
  64  usage
  77  not permitted: --out needs root
  78  the configuration is wrong`,
		Example: `  wsprovision plan --server-name ws.example.com --backend 127.0.0.1:3000
  wsprovision plan --out /root/plan.json`,
		Args: cmdline.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			run, out, err := a.prepare(cmd, o)
			if err != nil {
				return err
			}
			if o.out != "" && run.Euid != 0 {
				return fmt.Errorf("%w: a plan that can be applied takes root's view of the host", provision.ErrNotRoot)
			}
			return a.answer(cmd.Context(), out, o, a.keepPlan(cmd, o, out, run, planned(out, run)))
		},
	}
	cmdline.AddSettings(cmd, false)
	addRunFlags(cmd, &o)
	cmd.Flags().StringVar(&o.out, "out", "", "write the plan to this `file`, for apply --from-plan; needs root")
	return cmd
}
