package policy

import (
	"context"
	"fmt"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
	"wsprovision/provision/state"
	"wsprovision/selinux"
	"wsprovision/selinux/policydb"
)

// checkUnbuilt is for a policy that was never built from its modules, as in a tree where selinux-policy's scriptlet
// did not run. Nothing can then be said of booleans and ports, semanage works on none of them, and an enforcing kernel
// does not boot. Offline the agent builds it first, as that scriptlet would have. On a live host somebody has taken it
// away, and has to know.
func (p *Policy) checkUnbuilt(ctx context.Context, f *engine.Finding, status selinux.Status) error {
	if !p.Where.Offline() {
		return fmt.Errorf("the SELinux policy %s is not built (there is no %s), so that neither a boolean nor a "+
			"port's label can be set: build it with semodule -B (where that fails: yum reinstall "+
			"selinux-policy-%[1]s), then run again", status.Policy, status.Unbuilt)
	}
	change := func(object, from, to, deferred string) {
		f.Changes = append(f.Changes, engine.Change{Object: object, From: from, To: to, Deferred: deferred})
	}
	change("SELinux policy "+status.Policy, "not built", "built (semodule -B)", "")
	if !p.byLabel() {
		change(booleanObject(ConnectBoolean, state.KindBoolean), string(selinux.Unknown), "on", "")
		change(booleanObject(ConnectBoolean, state.KindRunning), string(selinux.Unknown), "on",
			"the kernel that runs here is not the host's own")
	}
	var all *multierror.Error
	for _, port := range p.Ports().labelledPorts(ctx) {
		state, _ := p.SELinux.Port(ctx, "tcp", port) // whose error is that there is no policy
		due, err := p.checkRecord(f, port, state.Local)
		all = multierror.Append(all, err)
		if due {
			change("port "+PortName(port), string(selinux.Unknown), HTTPPortType, "")
		}
	}
	f.Warnings = append(f.Warnings, fmt.Sprintf("the SELinux policy %s was never built here (there is no %s): it is "+
		"built, because without it an enforcing host does not boot", status.Policy, status.Unbuilt))
	return engine.Lines(all)
}

// checkRecord judges a port by what the store has recorded of it, which is somebody's decision.
func (p *Policy) checkRecord(f *engine.Finding, port int, records []policydb.Port) (due bool, err error) {
	for _, l := range records {
		switch {
		case l.Type == HTTPPortType:
			return false, nil
		case l.Low != port || l.High != port:
			return false, &selinux.OverlapError{Proto: "tcp", Port: port, Type: HTTPPortType, Local: l}
		}
	}
	return true, p.Ports().sayTaken(f, port, selinux.PortState{Local: records})
}

// buildPolicy leaves nothing to revert: what it writes follows from the modules, and semanage writes the same with
// every transaction.
func (p *Policy) buildPolicy(ctx context.Context, status selinux.Status) error {
	if !p.Where.Offline() { // taken away since the survey
		return p.checkUnbuilt(ctx, &engine.Finding{}, status)
	}
	if err := p.SELinux.Build(ctx); err != nil {
		return fmt.Errorf("build the SELinux policy %s, which has no %s: %w: reinstall selinux-policy-%[1]s and "+
			"policycoreutils, then run again", status.Policy, status.Unbuilt, err)
	}
	return nil
}
