package backend

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/lazy"
	"wsprovision/provision/websocket/handshake"
)

// BackendWantsTLS: proxy_pass has http://, and over TLS the backend takes the handshake.
func BackendWantsTLS(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	p := facts.Passed(e)
	if p == nil || p.Scheme != "http" {
		return nil
	}
	for _, b := range facts.Backends(e) {
		plain := facts.Shake(ctx, e, facts.AsNginx(e, b))
		var unanswered *handshake.ResponseError
		if strings.HasPrefix(b, "unix:") || !facts.SameAnswer(e, plain) && !errors.As(plain, &unanswered) ||
			unanswered != nil && unanswered.Timeout {
			continue
		}
		secured := facts.AsNginx(e, b)
		secured.TLS = host.LocalTLS()
		if facts.Shake(ctx, e, secured) != nil {
			continue
		}
		return cause.New(cause.BackendWantsTLS,
			fmt.Sprintf("nginx speaks plain HTTP to the backend %s, which speaks TLS", b),
			facts.InFile(e, p.Directive.File, p.Directive.Line,
				cause.Say("write https:// in place of http:// in proxy_pass in ").
					Line(p.Directive.File, p.Directive.Line)),
			append([]string{e.Err.Error(), facts.PassedBy(p)}, e.Asked.Told()...)...)
	}
	return nil
}

// headerTooBig is nginx's word on an answer whose head does not fit proxy_buffer_size
// (ngx_http_upstream_process_header).
var headerTooBig = lazy.Regexp(`^upstream sent too big header while reading response header from upstream$`)

// BackendsHeaderIsTooBig: a 101 with long cookies, such as that of a framework's session.
func BackendsHeaderIsTooBig(_ context.Context, e *facts.Evidence) *cause.Diagnosis {
	l, p := facts.Failing(e), facts.Passed(e)
	if l == nil || p == nil || !headerTooBig().MatchString(l.Message) {
		return nil
	}
	mend := cause.Say("add proxy_buffer_size 32k; proxy_buffers 8 32k; in ").Line(p.Directive.File, p.Directive.Line)
	if d := e.Way.End.InForce("proxy_buffer_size"); d != nil {
		mend = cause.Say("raise proxy_buffer_size in ").Line(d.File, d.Line).Say(", and proxy_buffers to no less")
	}
	return cause.New(cause.BackendHeaderTooBig,
		"the head of the backend's answer is longer than nginx takes (proxy_buffer_size, 4 KiB unless set)",
		facts.InFile(e, p.Directive.File, p.Directive.Line, mend), l.Text, facts.PassedBy(p))
}

// BackendWantsScheme: the backend redirects to https what does not say that it came by it.
func BackendWantsScheme(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	b, status := refuser(ctx, e)
	p := facts.Passed(e)
	if b == "" || e.Target.TLS == nil || !strings.HasPrefix(status.Header.Get("Location"), "https://") {
		return nil
	}
	f := p.Field("X-Forwarded-Proto")
	told := facts.AsNginx(e, b)
	if told.Header = told.Header.Clone(); told.Header == nil {
		told.Header = http.Header{}
	}
	told.Header.Set("X-Forwarded-Proto", "https")
	if facts.Shake(ctx, e, told) != nil {
		return nil
	}
	place := facts.Additions(p)
	mend := cause.Say("add proxy_set_header X-Forwarded-Proto $scheme; in ").Line(place.File, place.Line)
	if f.Set != nil {
		place, mend = *f.Set, facts.ReplaceLine(*f.Set, "proxy_set_header X-Forwarded-Proto $scheme;")
	}
	return cause.New(cause.FieldRefused,
		fmt.Sprintf("the backend %s redirects to https (%d) what has no X-Forwarded-Proto https",
			b, status.Code), facts.InFile(e, place.File, place.Line, mend),
		append([]string{e.Err.Error()}, e.Asked.Told()...)...)
}
