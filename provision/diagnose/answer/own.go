package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/outcome"
)

// ownAnswer is the one answer that nginx itself can have given, with what makes it; nil where there is none, where
// there are several, or where a backend gives the same.
func ownAnswer(ctx context.Context, e *facts.Evidence) *made {
	if e.TreeErr != nil || !e.Way.Whole() || facts.SilenceOf(e) != nil && facts.SilenceOf(e).Timeout {
		return nil
	}
	var own []made
	unasked := false // a backend may have answered so, and which it is only nginx knows
	for _, end := range outcome.Makers(e.Way, facts.Seen(e)) {
		failed := facts.IsOfBackend(end)
		if end.Answer != nil && !failed {
			own = append(own, madeBy(end))
		}
		unasked = unasked || failed || end.Pass != nil && len(end.Pass.Backends) == 0
	}
	if len(own) > 1 || unasked {
		own = slices.DeleteFunc(own, func(m made) bool { return !m.isLogged(e) })
	}
	if len(own) != 1 || backendAnswersSo(ctx, e) {
		return nil
	}
	return &own[0]
}

// backendAnswersSo: what came may be a backend's own answer, which nginx passed on.
func backendAnswersSo(ctx context.Context, e *facts.Evidence) bool {
	return slices.ContainsFunc(facts.Backends(e), func(b string) bool {
		return facts.SameAnswer(e, facts.Shake(ctx, e, facts.AsNginx(e, b)))
	})
}

// made is an answer of nginx's own.
type made struct {
	status int // before any error_page
	by     conf.Directive
	what   string
	body   outcome.Body
}

func madeBy(end outcome.End) made {
	m := made{end.Answer.Status, end.Answer.Directive, end.Answer.What, end.Answer.Body}
	if end.Cause != nil {
		m.status, m.by, m.what = end.Cause.Status, end.Cause.Directive, end.Cause.What
	}
	return m
}

// isLogged: nginx has said of this request that it was this.
func (m made) isLogged(e *facts.Evidence) bool {
	word := map[string]string{"limit_req": "limiting requests", "limit_conn": "limiting connections",
		"deny": "access forbidden by rule", "auth_basic": "no user/password",
		"auth_request": "auth request unexpected status"}[m.by.Name]
	return word != "" && limitLine(e, word) != ""
}

func limitLine(e *facts.Evidence, word string) string {
	for _, l := range facts.OfRequest(e) {
		if strings.HasPrefix(l.Message, word) {
			return l.Text
		}
	}
	return ""
}

func (m made) place() string { return fmt.Sprintf("%s in %s:%d", m.what, m.by.File, m.by.Line) }

// evidence of an answer is the answer, and the way to it.
func (m made) evidence(e *facts.Evidence) []string {
	return append([]string{e.Err.Error()}, facts.WayOf(e)...)
}

func (m made) isRedirect() bool { return slices.Contains([]int{301, 302, 303, 307, 308}, m.status) }

// NginxRedirects: a client of WebSockets follows no redirect (RFC 6455, section 4.1 leaves it to it, and browsers do
// not).
func NginxRedirects(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	m := ownAnswer(ctx, e)
	if m == nil || !m.isRedirect() {
		return nil
	}
	return cause.New(cause.RedirectedByNginx,
		fmt.Sprintf("nginx itself redirects to %q (%d): %s", facts.Seen(e).Location, facts.Seen(e).Status,
			m.place()),
		redirectMend(ctx, e, *m), m.evidence(e)...)
}

// NginxWantsPassword: nginx itself asks for a password (ngx_http_auth_basic_module).
func NginxWantsPassword(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	m := ownAnswer(ctx, e)
	if m == nil || m.status != 401 {
		return nil
	}
	mend := cause.Say("send one (verify --header 'Authorization: …'; a browser's WebSocket sends that of the page), " +
		"or ").
		Say("put ").
		Say("auth_basic off; into the location")
	if m.by.Name == "auth_request" {
		mend = cause.Say("send what it wants (verify --header), or put auth_request off; into the location")
	}
	if m.by.Name == "return" {
		mend = cause.Say("send what it wants, or take ").Name(m.what).Say(" out of ").Line(m.by.File, m.by.Line)
		return cause.New(cause.PasswordWanted, fmt.Sprintf("nginx itself answers 401: %s", m.place()),
			facts.InFile(e, m.by.File, m.by.Line, mend), m.evidence(e)...)
	}
	if l := e.Way.Location; l != nil && facts.Ours(e, l.File) && !facts.Ours(e, m.by.File) {
		mend = cause.Say("send one (verify --header 'Authorization: …'), or take ").Name(facts.Written(m.by)).
			Say(" out of ").Line(m.by.File, m.by.Line).Say(facts.ThenReload)
		return cause.New(cause.PasswordWanted, fmt.Sprintf("nginx itself wants a password (401): %s", m.place()), mend,
			m.evidence(e)...)
	}
	place := m.by
	if e.Way.Location != nil {
		place = *e.Way.Location
	}
	return cause.New(cause.PasswordWanted, fmt.Sprintf("nginx itself wants a password (401): %s", m.place()),
		facts.InFile(e, place.File, place.Line, mend.Say(" in ").Line(place.File, place.Line)), m.evidence(e)...)
}

// NginxForbids: nginx itself answers 403.
func NginxForbids(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	if line := limitLine(e, "access forbidden by rule"); line != "" {
		return forbidden(e, made{what: "deny", by: ruleOf(e)}, line)
	}
	m := ownAnswer(ctx, e)
	if m == nil || m.status != 403 || isStatic(*m) {
		return nil
	}
	return forbidden(e, *m)
}

// ruleOf is the deny in force, or the place where the request ends.
func ruleOf(e *facts.Evidence) conf.Directive {
	for _, end := range append([]outcome.End{e.Way.End}, e.Way.May...) {
		if end.Answer != nil && end.Answer.Directive.Name == "deny" {
			return end.Answer.Directive
		}
		if end.Cause != nil && end.Cause.Directive.Name == "deny" {
			return end.Cause.Directive
		}
	}
	if e.Way.Location != nil {
		return *e.Way.Location
	}
	return conf.Directive{Name: "server", File: e.Way.Server.File, Line: e.Way.Server.Line}
}

func forbidden(e *facts.Evidence, m made, lines ...string) *cause.Diagnosis {
	mend := cause.Say("take ").Name(m.what).Say(" out of ").Line(m.by.File, m.by.Line)
	switch {
	case isWithinIf(e, m.by):
		mend = mend.Say(", or mend its condition")
	case m.by.Name == "auth_request":
		mend = mend.Say(", or have what answers there allow the request")
	case m.by.Name == "return":
		mend = withoutMend(e, m.by, m.what)
	case m.by.Name == "deny" || m.what == "deny":
		mend = cause.Say("put allow and the client's address before the deny in ").Line(m.by.File, m.by.Line)
	}
	return cause.New(cause.ForbiddenByNginx,
		fmt.Sprintf("nginx itself refuses this client (%d): %s", facts.Seen(e).Status,
			m.place()),
		facts.InFile(e, m.by.File, m.by.Line, mend), append(lines, m.evidence(e)...)...)
}

// NginxLimits: a limit of requests or of connections is reached.
func NginxLimits(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	m := ownAnswer(ctx, e)
	if m == nil || m.by.Name != "limit_req" && m.by.Name != "limit_conn" {
		return nil
	}
	line := limitLine(e, "limiting ")
	return cause.New(cause.LimitedByNginx, fmt.Sprintf("a limit of nginx's is reached (%d): %s %s in %s:%d",
		facts.Seen(e).Status,
		m.by.Name, strings.Join(m.by.Args, " "), m.by.File, m.by.Line),
		facts.InFile(e, m.by.File, m.by.Line,
			cause.Say("raise the limit of ").Name(m.by.Name).Say(", or take it out, in ").
				Line(m.by.File, m.by.Line)), append([]string{line}, m.evidence(e)...)...)
}

// NginxAnswers: another answer that the configuration asks for.
func NginxAnswers(ctx context.Context, e *facts.Evidence) *cause.Diagnosis {
	if d := fieldsTooLong(e); d != nil {
		return d
	}
	m := ownAnswer(ctx, e)
	if m == nil || isStatic(*m) || m.isRedirect() {
		return nil
	}
	did := fmt.Sprintf("nginx itself answers %d", facts.Seen(e).Status)
	if facts.StatusOf(e) == nil {
		did = "nginx itself closes the connection (444)"
	}
	mend := cause.Say("take ").Name(m.what).Say(" out of ").Line(m.by.File, m.by.Line).
		Say(", or put a location with proxy_pass for ").Name(facts.PathSent(e)).Say(" in its place")
	if m.by.Name == "proxy_pass" {
		mend = cause.Say("have proxy_pass name a backend, such as http://ADDRESS, in ").Line(m.by.File, m.by.Line)
	}
	return cause.New(cause.AnsweredByNginx, did+": "+m.place(), facts.InFile(e, m.by.File, m.by.Line, mend),
		m.evidence(e)...)
}

// fieldsTooLong is nginx's word for it (ngx_http_special_response.c); what it logs of it is at the level info.
func fieldsTooLong(e *facts.Evidence) *cause.Diagnosis {
	body := facts.Seen(e).Body
	what := ""
	switch {
	case strings.Contains(body, "Request Header Or Cookie Too Large") && strings.Contains(body, "<center>nginx"):
		what = "the request's fields are too long for nginx (400)"
	case strings.Contains(body, "414 Request-URI Too Large") && strings.Contains(body, "<center>nginx"):
		what = "the URL is too long for nginx (414)"
	default:
		return nil
	}
	place := "the http block of /etc/nginx/nginx.conf"
	if d := facts.ServerValue(e, "large_client_header_buffers"); d != nil {
		place = fmt.Sprintf("%s:%d", d.File, d.Line)
	}
	return cause.New(cause.AnsweredByNginx, what+": large_client_header_buffers is 4 of 8 KiB unless set",
		cause.Say("raise large_client_header_buffers in ").Name(place).Say(", or send less").Say(facts.ThenReload),
		e.Err.Error())
}
