package answer

import (
	"context"
	"fmt"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
)

// NginxAsksItself: the request goes round in a circle until nginx has no connection left.
func NginxAsksItself(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	p := facts.Passed(e)
	if p == nil || facts.StatusOf(e) != nil && facts.StatusOf(e).Code < 400 || !facts.Circle(ctx, e) {
		return nil
	}
	return cause.New(cause.AnsweredByNginx,
		fmt.Sprintf("nginx passes the request to itself, again and again: %s is an address of its own, and leads back "+
			"to the same proxy_pass", facts.Backends(e)[0]),
		facts.InFile(e, p.Directive.File, p.Directive.Line, cause.Say("pass to the address of the backend itself in ").
			Line(p.Directive.File, p.Directive.Line)), append([]string{e.Err.Error()}, facts.WayOf(e)...)...)
}
