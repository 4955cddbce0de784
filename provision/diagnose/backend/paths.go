package backend

import (
	"context"
	"fmt"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/outcome"
)

// PathIsChanged: the backend has a WebSocket where the client asked, and nginx asks it for another path.
func PathIsChanged(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	p := facts.Passed(e)
	if p == nil || facts.NginxFailed(e) || !p.Target.Known || p.Target.Text == facts.PathSent(e) ||
		facts.Accepting(ctx, e, false) != "" || facts.Accepting(ctx, e, true) == "" {
		return nil
	}
	if d := rewriteOf(e); d != nil {
		return cause.New(cause.PathRewritten, fmt.Sprintf("a rewrite has nginx ask the backend for %s in place of %s",
			p.Target.Text,
			facts.PathSent(e)), facts.InFile(e, d.File, d.Line,
			cause.Say("take the rewrite out of ").Line(d.File, d.Line)),
			append(facts.WayOf(e), e.Err.Error())...)
	}
	uri := uriOf(p)
	if uri == "" {
		return nil
	}
	return asksFor(e, p, fmt.Sprintf("proxy_pass has a path of its own (%s), so that nginx asks the backend for %s in "+
		"place of %s", uri, p.Target.Text, facts.PathSent(e)), pathMend(e, p, uri))
}

func pathMend(e *facts.Evidence, p *outcome.Pass, uri string) cause.Mend {
	d := p.Directive
	if path, _, asked := strings.Cut(facts.PathSent(e), "?"); asked && path == p.Target.Text &&
		strings.Contains(d.Args[0], "$") {
		return cause.Say("put $is_args$args behind ").Name(d.Args[0]).Say(" in ").Line(d.File, d.Line).
			Say(": with a variable, proxy_pass asks for what it has, and for no query besides")
	}
	return cause.Say("take the ").Name(uri).Say(" after the port out of proxy_pass in ").Line(d.File, d.Line)
}

func asksFor(e *facts.Evidence, p *outcome.Pass, why string, mend cause.Mend) *cause.Diagnosis {
	return cause.New(cause.ProxyPassSlash, why, facts.InFile(e, p.Directive.File, p.Directive.Line, mend),
		append([]string{e.Err.Error(), facts.PassedBy(p)}, e.Asked.Told()...)...)
}

func rewriteOf(e *facts.Evidence) *outcome.Step {
	for i, s := range e.Way.End.Steps {
		if strings.HasPrefix(s.What, "rewrite ") {
			return &e.Way.End.Steps[i]
		}
	}
	return nil
}

// uriOf is what follows the backend in proxy_pass.
func uriOf(p *outcome.Pass) string {
	_, rest, ok := strings.Cut(p.Directive.Args[0], "://")
	slash := strings.IndexByte(rest, '/')
	if !ok || slash < 0 || strings.HasPrefix(rest, "unix:") {
		return ""
	}
	return rest[slash:]
}

// PathIsDoubled: a location without a slash at its end, and a proxy_pass with one, make two of the one.
func PathIsDoubled(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	p, l := facts.Passed(e), e.Way.Location
	if p == nil || l == nil || !p.Target.Known || !strings.HasPrefix(p.Target.Text, "//") || len(l.Args) == 0 {
		return nil
	}
	b, _ := refuser(ctx, e)
	single := facts.AsNginx(e, b)
	if single.Path = single.Path[1:]; b == "" || facts.Shake(ctx, e, single) != nil {
		return nil
	}
	name := l.Args[len(l.Args)-1]
	return asksFor(e, p, fmt.Sprintf("nginx asks the backend for %s, where it has %s: location %s has no slash at its "+
		"end, and proxy_pass has one", p.Target.Text, single.Path, name),
		cause.Say("write location ").Name(name+"/").Say(" in ").Line(l.File, l.Line))
}

// PrefixIsPassedOn: the backend has the path without the location's name before it.
func PrefixIsPassedOn(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	p, l := facts.Passed(e), e.Way.Location
	if p == nil || l == nil || uriOf(p) != "" || !p.Target.Known || !isPrefix(*l) {
		return nil
	}
	b, _ := refuser(ctx, e)
	name := l.Args[len(l.Args)-1]
	rest, has := strings.CutPrefix(p.Target.Text, strings.TrimSuffix(name, "/"))
	if b == "" || !has || !strings.HasPrefix(rest, "/") {
		return nil
	}
	stripped := facts.AsNginx(e, b)
	if stripped.Path = rest; facts.Shake(ctx, e, stripped) != nil {
		return nil
	}
	where := p.Directive
	mend := cause.Say("write ").Name(strings.TrimSuffix(where.Args[0], "/")+"/").Say(" in place of ").
		Name(where.Args[0]).Say(" in ").Line(where.File, where.Line)
	if !strings.HasSuffix(name, "/") {
		mend = mend.Say(", and location ").Name(name+"/").Say(" in ").Line(l.File, l.Line)
	}
	return asksFor(e, p, fmt.Sprintf("nginx asks the backend for %s, where it has %s: the name of the location is "+
		"passed on, unless proxy_pass has a path", p.Target.Text, rest), mend)
}

// isPrefix: a location whose name proxy_pass replaces by its path.
func isPrefix(l conf.Directive) bool {
	return len(l.Args) == 1 && strings.HasPrefix(l.Args[0], "/") && l.Args[0] != "/" ||
		len(l.Args) == 2 && l.Args[0] == "^~"
}
