package backend

import (
	"wsprovision/provision/nginx/outcome"

	"context"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
)

// ProtocolIsAnothers: fastcgi_pass, uwsgi_pass and their like know no upgrade, whatever listens there; nginx upgrades
// by proxy_pass alone (ngx_http_upstream_process_header, u->upgrade).
func ProtocolIsAnothers(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	p := e.Way.End.Pass
	if p == nil || p.Scheme == "" || facts.Passed(e) != nil || mayBeARule(e) {
		return nil
	}
	d := p.Directive
	return cause.New(cause.PassedWithoutUpgrade,
		fmt.Sprintf("%s in %s:%d passes the request on, and that protocol has no upgrade: no WebSocket goes through it",
			facts.Written(d), d.File, d.Line),
		facts.InFile(e, d.File, d.Line, cause.Say("pass the path of the WebSocket to a server that speaks HTTP: put "+
			"proxy_pass http://ADDRESS; with proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; and "+
			`proxy_set_header Connection "upgrade"; in place of `).Name(facts.Written(d)).Say(" in ").
			Line(d.File, d.Line)), append([]string{e.Err.Error()}, facts.WayOf(e)...)...)
}

// mayBeARule: a rule of nginx's gives the same answer, such as a limit.
func mayBeARule(e *facts.Evidence) bool {
	if silent := facts.SilenceOf(e); silent != nil {
		return false
	}
	return slices.ContainsFunc(outcome.Makers(e.Way, facts.Seen(e)), func(end outcome.End) bool {
		return end.Answer != nil && !facts.IsOfBackend(end) && !strings.HasSuffix(end.Answer.Directive.Name, "_pass")
	})
}
