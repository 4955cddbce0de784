package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"wsprovision/provision"
	"wsprovision/provision/host"
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
	cmd.Flags().DurationVar(&wait, "wait", 0, "wait this `duration` for what is deferred or running to end")
	return cmd
}

func (a *app) status(ctx context.Context, wait time.Duration) error {
	if err := a.checkOutput(); err != nil {
		return err
	}
	where, err := a.where()
	if err != nil && !errors.Is(err, systemd.ErrInstaller) {
		return err
	}
	out := a.newOutput("status")
	host := host.New(where, out.log, out.notice, a.seam)
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	s := provision.StatusOf(ctx, host, version)
	if wait > 0 && !s.State.Settled() {
		provision.WaitSettled(bounded, host, version)
		s = provision.StatusOf(context.WithoutCancel(ctx), host, version)
	}
	if err := a.writeStatus(s); err != nil {
		return err
	}
	return outcomeOfStatus(s.State)
}

func outcomeOfStatus(state provision.State) error {
	switch state {
	case provision.Complete:
		return nil
	case provision.Broken:
		return outcome(exitFailed)
	case provision.Untold:
		return outcome(exitNoPerm)
	}
	return outcome(exitDeferred)
}

func (a *app) writeStatus(s provision.HostStatus) error {
	if a.output == "json" {
		return writeJSON(a.stdout, s)
	}
	statusText(a.stdout, s)
	return nil
}

func statusText(w io.Writer, s provision.HostStatus) {
	line := func(name string, words ...string) {
		words = slices.DeleteFunc(words, func(s string) bool { return s == "" })
		if len(words) == 0 {
			words = []string{"unknown"}
		}
		writeLine(w, "%-13s %s", name, strings.Join(words, ", "))
	}
	line("provisioning", string(s.State), s.Why)
	place := s.Place
	if s.Offline {
		place += " (offline)"
	}
	line("place", place, s.Evidence)
	line("system", s.System)
	line("selinux", named("", s.SELinux.Mode), named("configured ", s.SELinux.Configured),
		named("policy ", s.SELinux.Policy), named("store ", s.SELinux.Store))
	if s.SELinux.Relabel {
		fmt.Fprintln(w, "              the next boot labels every file anew (/.autorelabel) and reboots")
	}
	line("systemd", systemdWords(s.Systemd)...)
	for _, name := range []string{"yum", "rpm", "nginx"} {
		words := []string{s.Packages[name]}
		if words[0] == "" && s.Packages != nil {
			words[0] = "not installed"
		}
		if name == "nginx" {
			words = append(words, named("at boot ", s.Nginx.AtBoot), named("now ", s.Nginx.Active))
		}
		line(name, words...)
	}
	for _, beside := range s.Nginx.Beside {
		fmt.Fprintf(w, "              %s\n", beside)
	}
	for _, why := range s.Unknown {
		writeLine(w, "              not known: %s", why)
	}
	if s.Report != nil {
		fmt.Fprintln(w)
		writeLine(w, "%s of %s%s", s.Report.Command, s.Report.Started.Format(time.RFC3339),
			named(", phase ", s.Report.Phase))
		for i, step := range s.Report.Steps {
			writeStep(w, i+1, len(s.Report.Steps), step)
		}
		writeLine(w, "%s", summary(s.Report))
	}
}

func named(name, value string) string {
	if value == "" {
		return ""
	}
	return name + value
}

func systemdWords(s provision.SystemdStatus) []string {
	words := []string{"version unknown", "not running here"}
	if s.Version > 0 {
		words[0] = fmt.Sprint(s.Version)
	}
	if s.Running {
		words[1] = "is PID 1"
	}
	return words
}
