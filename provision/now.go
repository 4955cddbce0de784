package provision

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/proxy"
	"wsprovision/provision/state"
	"wsprovision/provision/status"
	"wsprovision/provision/stepnames"
)

// Now surveys the host for its status: by the checks of a plan where the configuration asks for a site, and else by
// what the ledger holds. It only reads.
func Now(ctx context.Context, h *host.Host, c config.Config) status.Now {
	run := NewRun(h, c, Listener{})
	if len(c.Sites) == 0 {
		return run.nowByLedger(ctx)
	}
	report, err := run.Plan(ctx)
	if err != nil {
		return status.NotSurveyed(err.Error())
	}
	steps := append(report.Steps, listening(run.Host, run.Config, run.survey))
	return status.Judge(status.ByConfiguration, steps, h.Euid == 0)
}

// nowByLedger compares the host with what the agent left.
func (r *Run) nowByLedger(ctx context.Context) status.Now {
	r.planning = true
	if err := r.begin(ctx); err != nil {
		return status.NotSurveyed(err.Error())
	}
	defer host.Disconnect(r.Host)
	switch {
	case r.blind:
		return status.NotSurveyed("only root may read " + host.StateDir)
	case len(r.ledger.Entries) == 0:
		return status.NotSurveyed("no site is configured, and the ledger holds nothing")
	}
	var steps []engine.StepReport
	for _, e := range r.ledger.Entries {
		steps = addEntry(ctx, r.present, steps, e)
	}
	return status.Judge(status.ByLedger, append(steps, listening(r.Host, r.Config, r.survey)), r.Euid == 0)
}

// addEntry adds what became of a thing that the agent left to the step that brings such things about.
func addEntry(ctx context.Context, present func(context.Context, state.Entry) (string, error),
	steps []engine.StepReport, e state.Entry) []engine.StepReport {
	if e.Kind == state.KindFile && e.Name == host.RelabelPath { // the boot that labels takes it away
		return steps
	}
	name := stepOf(e.Kind)
	i := slices.IndexFunc(steps, func(s engine.StepReport) bool { return s.Name == name })
	if i < 0 {
		i, steps = len(steps), append(steps, engine.StepReport{Name: name, Status: engine.Unchanged})
	}
	s := &steps[i]
	now, err := present(ctx, e)
	switch {
	case err != nil:
		s.Fail(fmt.Errorf("%s %s: %w", e.Kind, e.Name, err))
	case e.IsAgents(now) || s.Status == engine.Failed:
	default:
		s.Status = engine.Planned
		s.Changes = append(s.Changes, engine.Change{Object: string(e.Kind) + " " + e.Name, From: inWords(e, now),
			To: inWords(e, e.Left)})
	}
	return steps
}

// inWords does not show the digests of files.
func inWords(e state.Entry, value string) string {
	switch {
	case e.Kind != state.KindFile || value == state.Absent:
		return value
	case value == e.Left:
		return "as the agent left it"
	}
	return "changed"
}

func stepOf(k state.Kind) string {
	switch k {
	case state.KindBoolean, state.KindRunning, state.KindPort, state.KindContext:
		return stepnames.SELinux
	case state.KindEnabled, state.KindActive:
		return stepnames.Service
	case state.KindPackage, state.KindKey:
		return stepnames.Packages
	case state.KindSysctl:
		return stepnames.Capacity
	case state.KindFirewall, state.KindFirewallRunning:
		return stepnames.Firewall
	}
	return stepnames.Files
}

// listening says on which addresses of the sites nobody listens. The proof tells that of the locations that it may ask;
// others are behind something that it cannot pass. Without a table of sockets there is nothing to say.
func listening(h *host.Host, c config.Config, survey *proxy.Survey) engine.StepReport {
	s := engine.StepReport{Name: stepnames.Listening, Status: engine.Unchanged}
	addresses, err := asked(c, survey)
	if err != nil {
		s.Fail(fmt.Errorf("where nginx is to listen cannot be told: %w", err))
		return s
	}
	if _, err := os.Stat(h.Root + "/proc/net/tcp"); err != nil {
		return s
	}
	open := host.ReadOccupancy(h)
	for _, at := range addresses {
		if len(host.Taking(open.Listening(at.Port()), at)) == 0 {
			s.Status = engine.Planned
			s.Changes = append(s.Changes, engine.Change{Object: at.String(), From: "nobody's", To: "listened on"})
		}
	}
	return s
}

// asked are the addresses of the sites or, without a configuration, all that nginx is to listen on.
func asked(c config.Config, survey *proxy.Survey) ([]netip.AddrPort, error) {
	if len(c.Sites) == 0 {
		tree, err := survey.Tree(nil)
		if _, none := os.Stat(survey.Root + host.NginxConf); errors.Is(none, fs.ErrNotExist) { // and no nginx
			err = nil
		}
		return tree.Bindings().Bound(), err
	}
	var all []netip.AddrPort
	for _, s := range c.Sites {
		for _, l := range s.Sockets() {
			if ip, err := netip.ParseAddr(cmp.Or(l.Address, "0.0.0.0")); err == nil {
				all = append(all, netip.AddrPortFrom(ip, uint16(l.Port)))
			}
		}
	}
	return all, nil
}
