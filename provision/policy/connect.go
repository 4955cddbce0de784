package policy

import (
	"context"
	"fmt"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/state"
	"wsprovision/selinux"
)

// byLabel: the label of the backends' ports is to be enough, without the boolean that allows every port.
func (p *Policy) byLabel() bool { return p.Config.SELinux.Connect == config.ConnectLabel }

// checkConnect compares what lets nginx connect to the backends with what is asked for.
func (p *Policy) checkConnect(ctx context.Context, f *engine.Finding, status selinux.Status) error {
	if p.byLabel() {
		return p.checkLabelAlone(ctx, f, status)
	}
	return p.checkBoolean(ctx, f, status)
}

func (p *Policy) checkBoolean(ctx context.Context, f *engine.Finding, status selinux.Status) error {
	b, err := p.SELinux.Boolean(ctx, ConnectBoolean)
	if err != nil {
		return p.readable(f, err)
	}
	if b.Persistent == selinux.Undefined {
		return fmt.Errorf("the policy %s has no boolean %s: is it RHEL 7's selinux-policy-targeted?", status.Policy,
			ConnectBoolean)
	}
	if b.Persistent != selinux.On {
		f.Changes = append(f.Changes, engine.Change{Object: booleanObject(ConnectBoolean, state.KindBoolean),
			From: string(b.Persistent), To: "on"})
		f.Notes = append(f.Notes, ConnectBoolean+" lets nginx (httpd_t) connect to every port; selinux.connect: label "+
			"does without it")
	}
	if b.Running != selinux.On && status.Mode != selinux.Disabled || p.Where.Offline() {
		f.Changes = append(f.Changes, p.later(engine.Change{Object: booleanObject(ConnectBoolean, state.KindRunning),
			From: string(b.Running), To: "on"}))
	}
	return nil
}

// later leaves what the running kernel is to have to the first boot, where that kernel is not the host's own.
func (p *Policy) later(c engine.Change) engine.Change {
	if p.Where.Offline() {
		c.Deferred = "the kernel that runs here is not the host's own"
	}
	return c
}

func booleanObject(name string, kind state.Kind) string {
	if kind == state.KindRunning {
		return "boolean " + name + " (running)"
	}
	return "boolean " + name + " (persistent)"
}

// checkLabelAlone refuses what the policy does not allow, and says which booleans go back.
func (p *Policy) checkLabelAlone(ctx context.Context, f *engine.Finding, status selinux.Status) error {
	ways, err := p.SELinux.WithoutConnect(ctx, p.Live(status))
	if err != nil {
		return p.readable(f, err)
	}
	if err := p.allowsLabel(ways, status); err != nil {
		return err
	}
	f.Notes = append(f.Notes, fmt.Sprintf("nginx (httpd_t) may connect to ports labelled %s, by %s of the policy %s; "+
		"the boolean %s, which allows every port, is not asked for (selinux.connect: label)", HTTPPortType,
		strings.Join(ways.NextBoot, " and by "), status.Policy, ConnectBoolean))
	back, err := p.turnedOn(ctx)
	for _, b := range back {
		f.Changes = append(f.Changes, engine.Change{Object: booleanObject(b.entry.Name, b.entry.Kind), From: b.now,
			To: b.entry.Before})
	}
	if len(back) > 0 {
		f.Warnings = append(f.Warnings, fmt.Sprintf("the boolean %s goes back to what it was before the agent turned "+
			"it on: what else of httpd_t connects by it, to ports that are not labelled %s, is denied from then on",
			ConnectBoolean, HTTPPortType))
		return err
	}
	if b, unread := p.SELinux.Boolean(ctx, ConnectBoolean); unread == nil &&
		(b.Running == selinux.On || b.Persistent == selinux.On) {
		f.Notes = append(f.Notes, fmt.Sprintf("the boolean %s is on, and not by the agent: it is left so; "+
			"setsebool -P %[1]s off takes it away, if nothing else needs it", ConnectBoolean))
	}
	return err
}

// allowsLabel is an error where the label alone would not let nginx connect, now or after the next boot.
func (p *Policy) allowsLabel(ways selinux.Ways, status selinux.Status) error {
	when := ""
	switch {
	case len(ways.NextBoot) == 0:
		when = "that the next boot loads"
	case p.Live(status) && len(ways.Now) == 0:
		when = "that is loaded"
	default:
		return nil
	}
	return fmt.Errorf("selinux.connect: label: the policy %s %s does not let httpd_t connect to %s without the "+
		"boolean %s: turn on %s (setsebool -P %[5]s on), which allows just that, or have selinux.connect: boolean",
		status.Policy, when, HTTPPortType, ConnectBoolean, selinux.HTTPGracefulShutdown)
}

// onByAgent is a value of the boolean that the agent has turned on, and what it is now.
type onByAgent struct {
	entry state.Entry
	now   string
}

// turnedOn are the values that go back: those that the ledger knows to have been off, and that nobody has changed.
func (p *Policy) turnedOn(ctx context.Context) (all []onByAgent, err error) {
	b, err := p.SELinux.Boolean(ctx, ConnectBoolean)
	if err != nil {
		return nil, err
	}
	for _, kind := range []state.Kind{state.KindBoolean, state.KindRunning} {
		now := string(b.Local)
		if kind == state.KindRunning {
			now = string(b.Running)
		}
		e, ok := p.Ledger.Find(kind, ConnectBoolean)
		if ok && now != e.Before && e.IsAgents(now) && now != string(selinux.Unknown) {
			all = append(all, onByAgent{e, now})
		}
	}
	return all, nil
}

// connectEdits are the boolean's edits of the store, and what the ledger is to know before.
func (p *Policy) connectEdits(ctx context.Context) (edits []selinux.Edit, entries []state.Entry, err error) {
	if p.byLabel() {
		return p.backEdits(ctx)
	}
	b, err := p.SELinux.Boolean(ctx, ConnectBoolean)
	if err != nil {
		return nil, nil, err
	}
	// Where no policy of this host runs, the one that is loaded next has what is persistent.
	if b.Running == selinux.Off || b.Running == selinux.Unknown && b.Persistent != selinux.On {
		entries = append(entries, state.Entry{Kind: state.KindRunning, Name: ConnectBoolean,
			Before: string(selinux.Off), Left: "on"})
	}
	if b.Persistent != selinux.On {
		edits = append(edits, selinux.SetBoolean(ConnectBoolean, true))
		entries = append(entries, state.Entry{Kind: state.KindBoolean, Name: ConnectBoolean, Before: string(b.Local),
			Left: "on"})
	}
	return edits, entries, nil
}

func (p *Policy) backEdits(ctx context.Context) (edits []selinux.Edit, entries []state.Entry, err error) {
	back, err := p.turnedOn(ctx)
	for _, b := range back {
		entries = append(entries, b.entry.Undoing(b.now))
		if b.entry.Kind == state.KindBoolean {
			edits = append(edits, UndoBoolean(b.entry))
		}
	}
	return edits, entries, err
}

// UndoBoolean is the edit that brings back what the store had of a boolean.
func UndoBoolean(e state.Entry) selinux.Edit {
	if e.Before == string(selinux.Off) {
		return selinux.SetBoolean(e.Name, false)
	}
	return selinux.DeleteBoolean(e.Name)
}

// setRunning is for where the store is right and the running value is not: semanage sets what it records, and leaves
// what it records no more.
func (p *Policy) setRunning(ctx context.Context) error {
	b, err := p.SELinux.Boolean(ctx, ConnectBoolean)
	if err != nil {
		return err
	}
	if !p.byLabel() {
		if b.Running == selinux.On {
			return nil
		}
		return p.SELinux.SetRunning(ctx, ConnectBoolean, true)
	}
	e, ok := p.Ledger.Find(state.KindRunning, ConnectBoolean)
	if ok && e.Before == string(selinux.Off) && b.Running == selinux.On && e.IsAgents(string(b.Running)) {
		return p.SELinux.SetRunning(ctx, ConnectBoolean, false)
	}
	return nil
}
