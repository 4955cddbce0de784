package policy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/state"
	"wsprovision/selinux"
)

const (
	ConnectBoolean = selinux.HTTPConnect
	HTTPPortType   = selinux.HTTPPort
)

// Check compares the boolean, now and persistently, and the label of
// every port that nginx is to reach, with what they should be.
func (p *Policy) Check(ctx context.Context) (engine.Finding, error) {
	var f engine.Finding
	status, err := p.SELinux.Status()
	if err != nil {
		return f, err
	}
	p.sayMode(&f, status)
	switch {
	case status.Store != "":
	case p.Euid != 0:
		f.Warnings = append(f.Warnings,
			"the policy store can be read by root alone: what is set for the next boot cannot be told")
	default:
		if status.Mode != selinux.Disabled && status.Mode != "" {
			return f, fmt.Errorf("no SELinux policy store is to be found (SELINUXTYPE=%s): install "+
				"selinux-policy-targeted", status.Policy)
		}
		f.Warnings = append(f.Warnings,
			"SELinux has no policy store here: there is nothing to write a boolean or a label to")
		return f, nil
	}
	if status.Unbuilt != "" {
		err := p.checkUnbuilt(ctx, &f, status)
		return f, err
	}
	var all *multierror.Error
	if err := p.checkConnect(ctx, &f, status); err != nil {
		all = multierror.Append(all, err)
	}
	if err := p.Ports().checkListening(ctx, &f, status); err != nil {
		all = multierror.Append(all, err)
	}
	ports := p.Ports().labelledPorts(ctx)
	for _, port := range ports {
		if err := p.Ports().checkPort(ctx, &f, port); err != nil {
			all = multierror.Append(all, err)
		}
	}
	if err := p.Sockets().checkSockets(&f); err != nil {
		all = multierror.Append(all, err)
	}
	p.sayLeftLabels(ctx, &f, append(ports, p.Ports().listenPorts()...))
	p.Sockets().sayLeftContexts(&f)
	return f, engine.Lines(all)
}

// sayLeftLabels names the labels of ports that the configuration asked for
// once. They stay until a revert: nginx goes on with the old backend until its
// reload is proved, and what else uses the label by then is not known.
func (p *Policy) sayLeftLabels(ctx context.Context, f *engine.Finding, asked []int) {
	for _, e := range p.Ledger.Entries {
		port, err := PortNamed(e.Name)
		if e.Kind != state.KindPort || e.Left != HTTPPortType || err != nil || slices.Contains(asked, port.Low) {
			continue
		}
		if now, err := p.Ports().PresentPort(ctx, e.Name); err == nil && now == e.Left {
			f.Notes = append(f.Notes, fmt.Sprintf("port %s keeps the label %s, which an earlier configuration asked "+
				"for (before: %s); semanage port changes it if nothing needs it", e.Name, e.Left, e.Before))
		}
	}
}

func (p *Policy) sayMode(f *engine.Finding, status selinux.Status) {
	switch {
	case p.Where.Offline():
		f.Notes = append(f.Notes, "only the policy store is read and written here, not the running kernel's policy")
	case status.Mode == selinux.Disabled:
		f.Warnings = append(f.Warnings,
			"SELinux is disabled: the store is written all the same, for the day when it is enabled")
	case status.Mode == selinux.Permissive:
		f.Warnings = append(f.Warnings, "SELinux is permissive: it logs what it would deny; the mode is left as it is")
	default:
		f.Notes = append(f.Notes, "SELinux is enforcing, policy "+status.Policy)
		p.sayDomain(f)
	}
}

// sayDomain warns of a domain that is permissive although SELinux is enforcing.
func (p *Policy) sayDomain(f *engine.Finding) {
	d, err := p.SELinux.Kernel().Decide(selinux.HTTPDomain, HTTPPortType, "tcp_socket", "name_connect")
	if err != nil {
		f.Notes = append(f.Notes, "whether nginx's domain is permissive by itself cannot be told: "+err.Error())
	}
	if d.Permissive {
		f.Warnings = append(f.Warnings, fmt.Sprintf("the domain of nginx, %s, is permissive by itself (semanage "+
			"permissive -l): what SELinux would deny nginx is only logged; that is left as it is", selinux.HTTPDomain))
	}
}

// Live reports whether the running kernel's policy is this host's to change.
func (p *Policy) Live(status selinux.Status) bool {
	return !p.Where.Offline() && status.Mode != selinux.Disabled
}

func (po Ports) checkPort(ctx context.Context, f *engine.Finding, port int) error {
	edit, before, err := po.SELinux.LabelPort(ctx, "tcp", port, HTTPPortType)
	if err != nil {
		return po.readable(f, err)
	}
	object := fmt.Sprintf("port tcp/%d", port)
	if edit != nil {
		if err := po.sayTaken(f, port, before); err != nil {
			return err
		}
		f.Changes = append(f.Changes, engine.Change{Object: object, From: cmp.Or(before.Stored, "unknown"),
			To: HTTPPortType})
	} else if stale(before) {
		f.Changes = append(f.Changes, engine.Change{Object: object + " (running)", From: before.Running,
			To: HTTPPortType})
	}
	return nil
}

// stale says that the store has the label and the loaded policy does not yet,
// as semanage -N leaves it.
func stale(p selinux.PortState) bool {
	return p.Stored == HTTPPortType && p.Running != "" && p.Running != HTTPPortType
}

// readable lets a plan without root go on where only root can read the store.
func (p *Policy) readable(f *engine.Finding, err error) error {
	if p.Euid != 0 && errors.Is(err, selinux.ErrUnknown) {
		f.Warnings = append(f.Warnings, "cannot tell without root: "+err.Error())
		return nil
	}
	return err
}

// Apply makes the boolean and every label one semanage transaction, so
// that the policy is rebuilt once.
func (p *Policy) Apply(ctx context.Context) error {
	status, err := p.SELinux.Status()
	if err != nil {
		return err
	}
	if status.Unbuilt != "" {
		if err := p.buildPolicy(ctx, status); err != nil {
			return err
		}
	}
	edits, unloaded, err := p.selinuxEdits(ctx)
	if err != nil {
		return err
	}
	if len(edits) > 0 {
		if err := p.CommitPolicy(ctx, status, edits); err != nil {
			return err
		}
	}
	if err := p.Sockets().labelSockets(); err != nil {
		return err
	}
	if !p.Live(status) {
		return nil
	}
	if len(edits) == 0 && unloaded {
		if err := p.SELinux.LoadPolicy(ctx); err != nil {
			return err
		}
	}
	return p.setRunning(ctx)
}

// selinuxEdits records what is there and says what has to be edited, and
// whether a label of the store is not in the loaded policy yet.
func (p *Policy) selinuxEdits(ctx context.Context) (edits []selinux.Edit, unloaded bool, err error) {
	edits, entries, err := p.connectEdits(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, port := range p.Ports().labelledPorts(ctx) {
		edit, before, err := p.SELinux.LabelPort(ctx, "tcp", port, HTTPPortType)
		if err == nil && edit != nil {
			err = p.Ports().sayTaken(&engine.Finding{}, port, before) // somebody's, since the survey
		}
		if err != nil {
			return nil, false, err
		}
		unloaded = unloaded || stale(before)
		if edit != nil {
			edits = append(edits, *edit)
			entries = append(entries,
				state.Entry{Kind: state.KindPort, Name: PortName(port), Before: LocalType(before, port),
					Left: HTTPPortType, Adopts: LocalType(before, port) != state.Absent})
		}
	}
	contexts, more, err := p.Sockets().contextEdits()
	if err != nil {
		return nil, false, err
	}
	return append(edits, contexts...), unloaded, p.Ledger.Record(append(entries, more...)...)
}

// LocalType is the type that a local record of exactly this port gives it.
func LocalType(p selinux.PortState, port int) string {
	for _, l := range p.Local {
		if l.Low == port && l.High == port {
			return l.Type
		}
	}
	return state.Absent
}

// CommitPolicy makes the edits one semanage transaction, and keeps the labels of the store that it writes.
func (p *Policy) CommitPolicy(ctx context.Context, status selinux.Status, edits []selinux.Edit) error {
	live := p.Live(status)
	commit := func() error { return p.SELinux.Commit(ctx, edits, live) }
	if !live { // the step "labels" does it offline
		return commit()
	}
	return p.KeepLabels(status, commit)
}
