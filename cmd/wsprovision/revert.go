package main

import (
	"time"

	"github.com/spf13/cobra"

	"wsprovision/provision"
	"wsprovision/provision/host"
)

func (a *app) revertCommand() *cobra.Command {
	var (
		packages, plan, detailed bool
		wait                     time.Duration
	)
	cmd := &cobra.Command{
		Use:   "revert",
		Short: "Undo what the agent did to the host, and nothing else",
		Long: `Undo what the agent recorded in /var/lib/wsprovision/ledger.json, in the reverse
order: server blocks, enablement of nginx, SELinux labels and boolean, repository
and key. What somebody else has changed since is left alone and named. Packages
stay unless --packages is given. A running nginx is reloaded and not stopped.
No configuration is read: to take away one site of several, take it out of the
configuration and apply that.

` + exitStatusesDoc,
		Example: `  wsprovision revert --plan
  wsprovision revert --packages`,
		Args:   noArguments,
		PreRun: outliveTerminal,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := applyOptions{detailed: detailed, plans: plan, wait: wait}
			where, err := a.where()
			if err != nil {
				return err
			}
			out := a.newOutput(cmd.Name())
			if !plan {
				out.telling(where)
			}
			r := provision.NewRevert(host.New(where, out.log, out.notice, a.seam), out.listener(), packages)
			r.Agent = version
			if plan {
				return a.answer(cmd.Context(), out, o, r.Plan)
			}
			if r.Euid != 0 {
				return provision.ErrNotRoot
			}
			release, err := r.Lock(cmd.Context(), wait)
			if err != nil {
				return err
			}
			defer release()
			return a.answer(cmd.Context(), out, o, r.Apply)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&packages, "packages", false, "also remove the packages that the agent brought")
	flags.BoolVar(&plan, "plan", false, "show what would be undone, and change nothing")
	flags.BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 where something was undone or would be")
	addWait(flags, &wait)
	return cmd
}
