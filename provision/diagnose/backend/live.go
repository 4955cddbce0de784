package backend

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/lazy"
	"wsprovision/provision/nginx/conf"
)

// noneLive is nginx's word where it may ask no server of a group (ngx_http_upstream_connect).
var noneLive = lazy.Regexp(`^no live upstreams while connecting to upstream$`)

// EveryServerIsDown: the configuration says down of each server of the group.
func EveryServerIsDown(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	l, p := facts.Failing(e), facts.Passed(e)
	if l == nil || p == nil || !noneLive().MatchString(l.Message) || p.Upstream == "" || len(p.Backends) > 0 {
		return nil
	}
	d := serverWith(e, p.Upstream, "down")
	if d == nil {
		return nil
	}
	return cause.New(cause.BackendUnreachable,
		fmt.Sprintf("every server of the group %s is marked down in nginx's configuration", p.Upstream),
		cause.Say("take down out of ").Name(facts.Written(*d)).Say(" in ").Line(d.File, d.Line).Say(facts.ThenReload),
		l.Text, facts.PassedBy(p))
}

// serverWith is the first server of a group that has the parameter, which may be the beginning of one; nil for none.
func serverWith(e *facts.Evidence, group, parameter string) *conf.Directive {
	for _, d := range e.Tree.Section() {
		if d.Name != "upstream" || len(d.Args) != 1 || !strings.EqualFold(d.Args[0], group) {
			continue
		}
		for i, s := range d.Body {
			if s.Name == "server" && slices.ContainsFunc(s.Args, func(arg string) bool {
				return arg == parameter || strings.HasSuffix(parameter, "=") && strings.HasPrefix(arg, parameter)
			}) {
				return &d.Body[i]
			}
		}
	}
	return nil
}

// ServersAreLeftOut: nginx asks none of a group's servers, because each has failed before (max_fails), and a server of
// it is well by now.
func ServersAreLeftOut(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	l, p := facts.Failing(e), facts.Passed(e)
	if l == nil || p == nil || !noneLive().MatchString(l.Message) {
		return nil
	}
	b := facts.Accepting(ctx, e, true)
	if b == "" {
		return nil
	}
	if d := serverWith(e, p.Upstream, "max_conns="); d != nil {
		return cause.New(cause.LimitedByNginx,
			fmt.Sprintf("nginx asks no server of the group %s: max_conns lets no more "+
				"connections to it, or it has failed within its fail_timeout, and %s takes the handshake", p.Upstream,
				b),
			cause.Say("raise max_conns in ").Name(facts.Written(*d)).Say(" in ").Line(d.File, d.Line).
				Say(", or take it out").Say(facts.ThenReload),
			append([]string{l.Text, facts.PassedBy(p)}, e.Asked.Told()...)...)
	}
	return cause.New(cause.BackendUnreachable, fmt.Sprintf("nginx asks no server of the group %s: each has failed "+
		"within its fail_timeout (10 s unless set), and %s takes the handshake by now", p.Upstream, b),
		facts.Reload().Note("or wait for the fail_timeout to pass"),
		append([]string{l.Text, facts.PassedBy(p)}, e.Asked.Told()...)...)
}
