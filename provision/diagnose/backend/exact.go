package backend

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/websocket/handshake"
)

// HandshakeIsChanged: the backend refuses the handshake because of one of its own fields, or of its method, as nginx
// passes it on.
func HandshakeIsChanged(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	p := facts.Passed(e)
	if p == nil {
		return nil
	}
	for _, b := range facts.Backends(e) {
		exact := facts.Exactly(e, b)
		if !facts.SameAnswer(e, facts.Shake(ctx, e, exact)) ||
			facts.SameAnswer(e, facts.Shake(ctx, e, facts.AsNginx(e, b))) {
			continue
		}
		for _, name := range facts.HandshakesFields() {
			if _, changed := exact.Instead[http.CanonicalHeaderKey(name)]; changed &&
				facts.Shake(ctx, e, withOwn(exact, name)) == nil {
				return handshakeDiffers(e, p, name, b)
			}
		}
		d := e.Way.End.InForce("proxy_method")
		if get := exact; d != nil {
			if get.Method = ""; facts.Shake(ctx, e, get) == nil {
				return methodDiffers(e, *d, b)
			}
		}
	}
	return nil
}

// withOwn has the field of a handshake as it should be.
func withOwn(t handshake.Target, name string) handshake.Target {
	t.Instead = t.Instead.Clone()
	t.Instead.Del(name)
	return t
}

func handshakeDiffers(e *facts.Evidence, p *outcome.Pass, name, backend string) *cause.Diagnosis {
	f := p.Field(name)
	why := fmt.Sprintf("the backend %s refuses %s as nginx sends it (%d): %q", backend, name, facts.StatusOf(e).Code,
		f.Value.Text)
	lines := setLines(p, name)
	if len(lines) > 1 {
		why += fmt.Sprintf(", in %d lines", len(lines))
	}
	mend := cause.Say("have the backend take it")
	if d := spoiling(lines, name); d != nil {
		mend = facts.InFile(e, d.File, d.Line, cause.Say("take out ").Name(facts.Written(*d)).Say(" in ").
			Line(d.File, d.Line))
	}
	return cause.New(cause.FieldRefused, why, mend, append([]string{e.Err.Error(), facts.SentAs(e, f)},
		e.Asked.Told()...)...)
}

// setLines are all that set the field.
func setLines(p *outcome.Pass, name string) (all []conf.Directive) {
	for _, f := range p.Fields {
		if f.Set != nil && strings.EqualFold(f.Name, name) {
			all = append(all, *f.Set)
		}
	}
	return all
}

// spoiling is the line to take out: the one that says nothing that a handshake needs.
func spoiling(lines []conf.Directive, name string) *conf.Directive {
	at := slices.IndexFunc(neededFields(), func(n needed) bool { return n.name == name })
	for i, d := range lines {
		if at < 0 || len(lines) == 1 || len(d.Args) == 2 && !hasToken(d.Args[1], neededFields()[at].value) {
			return &lines[i]
		}
	}
	return nil
}

func methodDiffers(e *facts.Evidence, d conf.Directive, backend string) *cause.Diagnosis {
	return cause.New(cause.FieldRefused,
		fmt.Sprintf("the backend %s refuses the method that proxy_method sets (%d): a handshake is a GET", backend,
			facts.StatusOf(e).Code), facts.InFile(e, d.File, d.Line, cause.Say("take out ").
			Name(facts.Written(d)).Say(" in ").Line(d.File, d.Line)),
		append([]string{e.Err.Error()}, e.Asked.Told()...)...)
}
