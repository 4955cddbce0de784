package backend

import (
	"wsprovision/provision/nginx/conf"
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
		byHTTP(e, d), append([]string{e.Err.Error()}, facts.WayOf(e)...)...)
}

// byHTTP passes the path to a server that speaks HTTP. A location that has more than this path, such as that of all
// that ends in .php, is left as it is.
func byHTTP(e *facts.Evidence, d conf.Directive) cause.Mend {
	mend := cause.Say("pass the path of the WebSocket to a server that speaks HTTP: put proxy_pass " +
		"http://ADDRESS; with " +
		`proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; and proxy_set_header Connection "upgrade"; `)
	l, s := e.Way.Location, e.Way.Server
	if s != nil && (l == nil || !isPrefix(*l) || !strings.HasPrefix(facts.PathSent(e), l.Args[len(l.Args)-1])) {
		return facts.InFile(e, s.File, s.Line, mend.Say("into a location ").Name(facts.PathSent(e)).
			Say(" of the server block in ").Line(s.File, s.Line))
	}
	return facts.InFile(e, d.File, d.Line, mend.Say("in place of ").Name(facts.Written(d)).Say(" in ").Line(d.File,
		d.Line))
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
