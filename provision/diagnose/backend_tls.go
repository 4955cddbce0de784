package diagnose

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"wsprovision/provision/host"
	"wsprovision/provision/websocket"
)

// backendWantsTLS: proxy_pass has http://, and over TLS the backend takes the handshake.
func backendWantsTLS(ctx context.Context, e *evidence) *Diagnosis {
	p := passed(e)
	if p == nil || p.Scheme != "http" {
		return nil
	}
	for _, b := range backends(e) {
		plain := shake(ctx, e, asNginx(e, b))
		var unanswered *websocket.ResponseError
		if strings.HasPrefix(b, "unix:") || !sameAnswer(e, plain) && !errors.As(plain, &unanswered) ||
			unanswered != nil && unanswered.Timeout {
			continue
		}
		secured := asNginx(e, b)
		secured.TLS = host.LocalTLS()
		if shake(ctx, e, secured) != nil {
			continue
		}
		return diagnosis(BackendWantsTLS, fmt.Sprintf("nginx speaks plain HTTP to the backend %s, which speaks TLS", b),
			inFile(e, p.Directive.File, p.Directive.Line, say("write https:// in place of http:// in proxy_pass in ").
				line(p.Directive.File, p.Directive.Line)),
			append([]string{e.Err.Error(), passedBy(p)}, e.asked.told()...)...)
	}
	return nil
}

// What nginx says of TLS with a backend (ngx_http_upstream_ssl_handshake).
var (
	verifyFailed    = regexp.MustCompile(`^upstream SSL certificate (verify error: \(\d+:.*\)|does not match ".*")`)
	handshakeFailed = regexp.MustCompile(`^SSL_do_handshake\(\) failed \(SSL: .*\) while SSL handshaking to upstream$`)
)

// backendsTLSFails: TLS with the backend does not come about.
func backendsTLSFails(_ context.Context, e *evidence) *Diagnosis {
	l, p := failing(e), passed(e)
	if l == nil || p == nil || p.Scheme != "https" {
		return nil
	}
	at := p.Directive
	switch {
	case verifyFailed.MatchString(l.Message):
		mend := say("put the certificate of the authority that signed the backend's into the file of " +
			"proxy_ssl_trusted_certificate, and its name into proxy_ssl_name").say(thenReload)
		if d := e.way.End.InForce("proxy_ssl_verify"); d != nil {
			mend = mend.say("; or take proxy_ssl_verify out of ").line(d.File, d.Line)
		}
		return diagnosis(BackendTLSRefused, "nginx does not trust the backend's certificate (proxy_ssl_verify)", mend,
			l.Text,
			passedBy(p))
	case handshakeFailed.MatchString(l.Message) && e.way.End.InForce("proxy_ssl_server_name") == nil:
		return diagnosis(BackendTLSRefused, "the backend refuses nginx's TLS handshake, in which no name is: "+
			"proxy_ssl_server_name is off",
			inFile(e, at.File, at.Line, say("add proxy_ssl_server_name on; and proxy_ssl_name "+
				"with the backend's name in ").line(at.File, at.Line)), l.Text, passedBy(p))
	}
	return nil
}

// headerTooBig is nginx's word on an answer whose head does not fit proxy_buffer_size
// (ngx_http_upstream_process_header).
var headerTooBig = regexp.MustCompile(`^upstream sent too big header while reading response header from upstream$`)

// backendsHeaderIsTooBig: a 101 with long cookies, such as that of a framework's session.
func backendsHeaderIsTooBig(_ context.Context, e *evidence) *Diagnosis {
	l, p := failing(e), passed(e)
	if l == nil || p == nil || !headerTooBig.MatchString(l.Message) {
		return nil
	}
	mend := say("add proxy_buffer_size 32k; proxy_buffers 8 32k; in ").line(p.Directive.File, p.Directive.Line)
	if d := e.way.End.InForce("proxy_buffer_size"); d != nil {
		mend = say("raise proxy_buffer_size in ").line(d.File, d.Line).say(", and proxy_buffers to no less")
	}
	return diagnosis(BackendHeaderTooBig,
		"the head of the backend's answer is longer than nginx takes (proxy_buffer_size, "+
			"4 KiB unless set)", inFile(e, p.Directive.File, p.Directive.Line, mend), l.Text, passedBy(p))
}

// backendWantsScheme: the backend redirects to https what does not say that it came by it.
func backendWantsScheme(ctx context.Context, e *evidence) *Diagnosis {
	b, status := refuser(ctx, e)
	p := passed(e)
	if b == "" || e.Target.TLS == nil || !strings.HasPrefix(status.Header.Get("Location"), "https://") {
		return nil
	}
	f := p.Field("X-Forwarded-Proto")
	told := asNginx(e, b)
	if told.Header = told.Header.Clone(); told.Header == nil {
		told.Header = http.Header{}
	}
	told.Header.Set("X-Forwarded-Proto", "https")
	if shake(ctx, e, told) != nil {
		return nil
	}
	place := additions(p)
	mend := say("add proxy_set_header X-Forwarded-Proto $scheme; in ").line(place.File, place.Line)
	if f.Set != nil {
		place, mend = *f.Set, replaceLine(*f.Set, "proxy_set_header X-Forwarded-Proto $scheme;")
	}
	return diagnosis(FieldRefused,
		fmt.Sprintf("the backend %s redirects to https (%d) what has no X-Forwarded-Proto https",
			b, status.Code), inFile(e, place.File, place.Line, mend),
		append([]string{e.Err.Error()}, e.asked.told()...)...)
}
