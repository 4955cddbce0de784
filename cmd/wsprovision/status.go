package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/provision"
	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/status"
	"wsprovision/systemd"
)

const statusDoc = `Say where the agent runs, what it found there, and how far the provisioning has
come: complete, deferred (to the first boot), running, failed, or none. What an
installation began and the first boot finished is one report. Then look at the
host itself and say whether it is as asked now: by the files in /etc/wsprovision,
or where they ask for no site by what the agent left. Changes nothing.

Exit status:
  0   complete, and the host is as asked now
  1   failed, or the host differs from what was asked
  3   deferred, running, or none
  64  usage
  77  not permitted: only root sees everything`

func (a *app) statusCommand() *cobra.Command {
	var wait time.Duration
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Say where the agent runs and how far the provisioning has come",
		Long:    statusDoc,
		Example: "  wsprovision status --wait 30m && echo 'the proxy serves'",
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.status(cmd.Context(), wait) },
	}
	addDuration(cmd.Flags(), &wait, "wait", 0, "wait this `duration` for what is deferred or running to end")
	return cmd
}

func (a *app) status(ctx context.Context, wait time.Duration) error {
	where, err := a.where()
	if err != nil && !errors.Is(err, systemd.ErrInstaller) {
		return err
	}
	out := a.newOutput("status")
	host := host.New(where, out.log, out.notice, a.seam)
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	s := status.Of(ctx, host, version)
	if wait > 0 && !s.State.Settled() {
		status.WaitSettled(bounded, host, version)
		s = status.Of(context.WithoutCancel(ctx), host, version)
	}
	s.Now = a.now(context.WithoutCancel(ctx), host, s)
	if err := a.writeStatus(s); err != nil {
		return err
	}
	return outcomeOfStatus(s, host.Euid == 0)
}

// now looks once at the host. What it is asked to be is in its own files; neither options nor variables count.
func (a *app) now(ctx context.Context, h *host.Host, s status.Report) status.Now {
	if why := s.Surveyable(); why != "" {
		return status.NotSurveyed(why)
	}
	c, err := config.Load(config.Input{DefaultFile: defaultConfig, SitesDir: sitesDir})
	if err != nil {
		return status.NotSurveyed("what is asked for is not known: " + strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return provision.Now(ctx, h, c)
}

func outcomeOfStatus(s status.Report, root bool) error {
	switch {
	case s.Whole():
		return nil
	case s.State == status.Untold, s.State == status.Complete && s.Now.State == status.Unseen && !root:
		return outcome(exitNoPerm)
	case s.State == status.Broken, s.State == status.Complete:
		return outcome(exitFailed)
	}
	return outcome(exitDeferred)
}

func (a *app) writeStatus(s status.Report) error {
	switch {
	case a.output == "json":
		return writeJSON(a.stdout, s)
	case a.quiet:
		return nil
	}
	statusText(a.stdout, s)
	return a.stdout.err
}

// besideName is where the words about a thing begin.
const besideName = 14

func statusText(s *screen, h status.Report) {
	line := func(name string, words ...string) {
		words = slices.DeleteFunc(words, func(s string) bool { return s == "" })
		if len(words) == 0 {
			words = []string{"unknown"}
		}
		s.put([]span{{plainly, fmt.Sprintf("%-*s", besideName, name)}}, strings.Repeat(" ", besideName), plainly,
			plaintext.Line(strings.Join(words, ", ")))
	}
	line("provisioning", string(h.State), h.Why)
	place := h.Place
	if h.Offline {
		place += " (offline)"
	}
	nowText(line, h.Now)
	line("place", place, h.Evidence)
	line("system", h.System)
	line("selinux", named("", h.SELinux.Mode), named("configured ", h.SELinux.Configured),
		named("policy ", h.SELinux.Policy), named("store ", h.SELinux.Store))
	if h.SELinux.Relabel {
		line("", "the next boot labels every file anew (/.autorelabel) and reboots")
	}
	line("systemd", systemdWords(h.Systemd)...)
	for _, name := range []string{"yum", "rpm", "nginx"} {
		words := []string{h.Packages[name]}
		if words[0] == "" && h.Packages != nil {
			words[0] = "not installed"
		}
		if name == "nginx" {
			words = append(words, named("at boot ", h.Nginx.AtBoot), named("now ", h.Nginx.Active))
		}
		line(name, words...)
	}
	for _, beside := range h.Nginx.Beside {
		line("", beside)
	}
	for _, why := range h.Unknown {
		line("", "not known: "+why)
	}
	if h.Report != nil {
		writeLastRun(s, h.Report)
	}
}

// nowText says how the host stands, and what differs.
func nowText(line func(name string, words ...string), n status.Now) {
	by := map[string]string{status.ByConfiguration: "by the files in /etc/wsprovision",
		status.ByLedger: "by what the agent left, because no file asks for a site"}[n.By]
	state := map[status.Condition]string{status.AsAsked: "as asked", status.Differs: "not as asked"}[n.State]
	line("now", cmp.Or(state, "unknown"), by, n.Why)
	for _, words := range slices.Concat(n.Differences(), n.Unknown) {
		line("", words)
	}
}

func writeLastRun(s *screen, r *engine.Report) {
	s.line(span{})
	writeRun(s, r)
}

// writeRun is the report of an earlier run.
func writeRun(s *screen, r *engine.Report) {
	s.line(span{plainly, fmt.Sprintf("%s of %s%s", r.Command, r.Started.Format(time.RFC3339),
		named(", phase ", r.Phase))})
	for i, step := range r.Steps {
		writeStep(s, i+1, len(r.Steps), step)
	}
	_ = writeEnd(s, r)
}

func named(name, value string) string {
	if value == "" {
		return ""
	}
	return name + value
}

func systemdWords(s status.SystemdStatus) []string {
	words := []string{"version unknown", "not running here"}
	if s.Version > 0 {
		words[0] = fmt.Sprint(s.Version)
	}
	if s.Running {
		words[1] = "is PID 1"
	}
	return words
}
