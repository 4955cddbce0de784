package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/plaintext"
	"wsprovision/provision/status"
	"wsprovision/systemd"
)

const statusDoc = `Say where the agent runs, what it found there, and how far the provisioning has
come: complete, deferred (to the first boot), running, failed, or none. What an
installation began and the first boot finished is one report.

Exit status:
  0   complete
  1   failed
  3   deferred, running, or none
  64  usage
  77  not permitted: only root may look`

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
	if err := a.writeStatus(s); err != nil {
		return err
	}
	return outcomeOfStatus(s.State)
}

func outcomeOfStatus(state status.State) error {
	switch state {
	case status.Complete:
		return nil
	case status.Broken:
		return outcome(exitFailed)
	case status.Untold:
		return outcome(exitNoPerm)
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

func writeLastRun(s *screen, r *engine.Report) {
	s.line(span{})
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
