package diagnose

import (
	"context"
	"fmt"

	"wsprovision/provision/diagnose/backend"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
)

// mostInner bounds how far a WebSocket is followed through the same nginx.
const mostInner = 4

// passedInwards is the same failure one listener further in, where this nginx passes the WebSocket to itself and gets
// there, asked directly, the answer that came. Nil where it does not.
func passedInwards(ctx context.Context, e *facts.Evidence) *facts.Evidence {
	if e.Gone != nil || facts.StatusOf(e) == nil || facts.Circle(ctx, e) {
		return nil
	}
	inner := facts.Inner(ctx, e)
	if inner == nil {
		return nil
	}
	marks := facts.MarkLogs(e.Host, e.Tree.Paths().ErrorLogs()...)
	_, err := e.Probe(ctx, inner.Target)
	if err == nil || !facts.SameAnswer(e, err) {
		return nil
	}
	inner.Outer, inner.Err, inner.Lines = e, err, facts.LogsSince(ctx, e.Host, marks)
	inner.Through = append(e.Through, fmt.Sprintf("passed to %s, which is this nginx itself, by %s",
		inner.Target.Address,
		facts.PassedBy(facts.Passed(e))))
	return inner
}

// through adds the listeners that the WebSocket came by before the one that the cause is about.
func through(e *facts.Evidence, d cause.Diagnosis) cause.Diagnosis {
	d.Evidence = append(d.Evidence, e.Through...)
	if d.Code != cause.UpgradeHeaderMissing && d.Code != cause.UpstreamHTTP10 {
		d.Evidence = append(d.Evidence, backend.LackingBefore(e)...)
	}
	return d
}
