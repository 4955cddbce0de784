package answer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/websocket/handshake"
)

// AnswerIsHidden: proxy_hide_header takes out of the 101 what RFC 6455 (section 4.1) wants in it.
func AnswerIsHidden(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	d, name := hides(e)
	if d == nil || !takesItself(ctx, e) {
		return nil
	}
	return cause.New(cause.UpgradeHeaderMissing,
		fmt.Sprintf("nginx takes %s out of the backend's answer, by proxy_hide_header in %s:%d", name, d.File, d.Line),
		facts.InFile(e, d.File, d.Line, cause.Say("take out ").Name(facts.Written(*d)).Say(" in ").Line(d.File,
			d.Line)),
		append([]string{e.Err.Error()}, e.Asked.Told()...)...)
}

func hides(e *facts.Evidence) (*conf.Directive, string) {
	for _, d := range e.Way.End.AllInForce("proxy_hide_header") {
		for _, name := range []string{"Sec-WebSocket-Accept", "Upgrade", "Connection"} {
			if len(d.Args) == 1 && strings.EqualFold(d.Args[0], name) {
				return &d, name
			}
		}
	}
	return nil, ""
}

// AnswerIsAddedTo: add_header puts what the client did not offer into the 101, which ends the handshake (RFC 6455,
// section 4.1). Without always it adds nothing to a 101 (ngx_http_headers_filter).
func AnswerIsAddedTo(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	var head *handshake.HeaderError
	if !errors.As(e.Err, &head) || !takesItself(ctx, e) {
		return nil
	}
	for _, d := range e.Way.End.AllInForce("add_header") {
		if len(d.Args) == 3 && d.Args[2] == "always" && strings.EqualFold(d.Args[0], head.Field) {
			return cause.New(cause.NotAWebSocket,
				fmt.Sprintf("nginx puts %s into the answer, by add_header in %s:%d, and "+
					"clients end the handshake: %s", head.Field, d.File, d.Line, head), facts.InFile(e, d.File, d.Line,
					cause.Say("take out ").Name(facts.Written(d)).Say(" in ").Line(d.File, d.Line)),
				append([]string{e.Err.Error()}, e.Asked.Told()...)...)
		}
	}
	return nil
}

// KeyIsChanged: the backend answers another Sec-WebSocket-Key than the client's.
func KeyIsChanged(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	const name = "Sec-WebSocket-Key"
	p := facts.Passed(e)
	if p == nil || !takesItself(ctx, e) {
		return nil
	}
	f := p.Field(name)
	if f.Set == nil || !f.Value.Known || strings.Contains(strings.Join(f.Set.Args, " "), "$") {
		return nil
	}
	return cause.New(cause.UpgradeHeaderMissing,
		fmt.Sprintf("nginx does not pass on the client's %s, but sends one of its own, which the backend answers",
			name),
		facts.InFile(e, f.Set.File, f.Set.Line, cause.Say("take out ").Name(facts.Written(*f.Set)).Say(" in ").
			Line(f.Set.File, f.Set.Line)), append([]string{e.Err.Error(), facts.SentAs(e, f)}, e.Asked.Told()...)...)
}

// takesItself: a backend takes the handshake as it should be.
func takesItself(ctx context.Context, e *facts.Evidence) bool {
	for _, b := range facts.Backends(e) {
		if facts.Shake(ctx, e, facts.AsNginx(e, b)) == nil {
			return true
		}
	}
	return false
}
