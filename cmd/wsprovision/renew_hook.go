package main

import (
	"time"

	"github.com/spf13/cobra"

	"wsprovision/cmd/wsprovision/cmdline"
	"wsprovision/cmd/wsprovision/ending"
	"wsprovision/provision"
	"wsprovision/provision/host"
)

// renewWait is how long a hook waits for another run: an apply may have packages to bring.
const renewWait = 10 * time.Minute

func (a *app) renewHookCommand() *cobra.Command {
	var detailed bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "renew-hook",
		Short: "Have nginx serve the certificates that were renewed",
		Long: `Have nginx serve what an ACME client has renewed, and prove it: for certbot's
deploy hook. The running nginx is asked for the certificate of each name at each
socket. Only where one is not that of the file, nginx -t is run, nginx is
reloaded, and it is asked again. Nothing else is looked at: what has drifted does
not stop it. Another run is waited for. What certbot puts into the environment
(RENEWED_LINEAGE, RENEWED_DOMAINS) is not needed.

Exit status:
  0   nginx serves the certificates, or does not run
  1   it does not; the one that it had is still served
  2   with --detailed-exitcode: nginx was reloaded
  64  usage
  75  another run holds the lock
  77  not permitted: root is needed
  78  the configuration is wrong; nothing was touched`,
		Example: `  certbot renew --deploy-hook "wsprovision renew-hook"
  wsprovision renew-hook --output json`,
		Args:   cmdline.NoArguments,
		PreRun: ending.OutliveTerminal,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.renewHook(cmd, applyOptions{detailed: detailed, wait: wait})
		},
	}
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 where nginx was reloaded")
	cmdline.AddDuration(cmd.Flags(), &wait, "wait", renewWait, "wait this `duration` for another run to end")
	return cmd
}

func (a *app) renewHook(cmd *cobra.Command, o applyOptions) error {
	c, err := a.load(cmd)
	if err != nil {
		return err
	}
	where, err := a.where()
	if err != nil {
		return err
	}
	out := a.newOutput(cmd.Name())
	out.telling(where)
	run := provision.NewRun(host.New(where, out.log, out.notice, a.seam), c, out.listener())
	run.Agent = version
	if run.Euid != 0 {
		return provision.ErrNotRoot
	}
	report, err := a.answerLocked(cmd.Context(), out, o, run, metered(out, run.Host, c, run.Renew))
	send(cmd.Context(), out, c, where.Offline(), report)
	return err
}
