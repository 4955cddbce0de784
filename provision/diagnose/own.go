package diagnose

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/route"
)

// seen is the answer as it came.
func seen(e *evidence) route.Seen {
	status := statusOf(e)
	if status == nil {
		return route.Seen{Status: 444}
	}
	return route.Seen{Status: status.Code, Location: status.Header.Get("Location"), Server: status.Header.Get("Server"),
		Body: string(status.Body)}
}

// ownAnswer is the one answer that nginx itself can have given, with what makes it; nil where there is none, where
// there are several, or where a backend gives the same.
func ownAnswer(ctx context.Context, e *evidence) *made {
	if e.treeErr != nil || !e.way.Whole() || silenceOf(e) != nil && silenceOf(e).Timeout {
		return nil
	}
	var own []made
	unasked := false // a backend may have answered so, and which it is only nginx knows
	for _, end := range route.Makers(e.way, seen(e)) {
		if end.Answer != nil {
			own = append(own, madeBy(end))
		}
		unasked = unasked || end.Pass != nil && len(end.Pass.Backends) == 0
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
func backendAnswersSo(ctx context.Context, e *evidence) bool {
	return slices.ContainsFunc(backends(e), func(b string) bool {
		return sameAnswer(e, shake(ctx, e, asNginx(e, b)))
	})
}

// made is an answer of nginx's own.
type made struct {
	status int // before any error_page
	by     nginx.Directive
	what   string
	body   route.Body
}

func madeBy(end route.End) made {
	m := made{end.Answer.Status, end.Answer.Directive, end.Answer.What, end.Answer.Body}
	if end.Cause != nil {
		m.status, m.by, m.what = end.Cause.Status, end.Cause.Directive, end.Cause.What
	}
	return m
}

// isLogged: nginx has said of this request that it was this.
func (m made) isLogged(e *evidence) bool {
	word := map[string]string{"limit_req": "limiting requests", "limit_conn": "limiting connections",
		"deny": "access forbidden by rule", "auth_basic": "no user/password",
		"auth_request": "auth request unexpected status"}[m.by.Name]
	return word != "" && limitLine(e, word) != ""
}

func limitLine(e *evidence, word string) string {
	for _, l := range ofRequest(e) {
		if strings.HasPrefix(l.Message, word) {
			return l.Text
		}
	}
	return ""
}

func (m made) place() string { return fmt.Sprintf("%s in %s:%d", m.what, m.by.File, m.by.Line) }

// evidence of an answer is the answer, and the way to it.
func (m made) evidence(e *evidence) []string { return append([]string{e.Err.Error()}, wayOf(e)...) }

func (m made) isRedirect() bool { return slices.Contains([]int{301, 302, 303, 307, 308}, m.status) }

// nginxRedirects: a client of WebSockets follows no redirect (RFC 6455, section 4.1 leaves it to it, and browsers do
// not).
func nginxRedirects(ctx context.Context, e *evidence) *Diagnosis {
	m := ownAnswer(ctx, e)
	if m == nil || !m.isRedirect() {
		return nil
	}
	to := seen(e).Location
	mend := say("use the URL that the WebSocket has, or take ").name(m.what).say(" out of ").line(m.by.File, m.by.Line).
		say(thenReload)
	if ws := asWebSocket(to); ws != "" {
		mend = say("use ").name(ws).say(" as the URL: clients of WebSockets follow no redirect")
	}
	return diagnosis(RedirectedByNginx, fmt.Sprintf("nginx itself redirects to %q (%d): %s", to, seen(e).Status,
		m.place()),
		mend, m.evidence(e)...)
}

// asWebSocket is a redirect's target as the URL of a WebSocket.
func asWebSocket(location string) string {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return ""
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	default:
		return ""
	}
	return u.String()
}

func nginxWantsPassword(ctx context.Context, e *evidence) *Diagnosis {
	m := ownAnswer(ctx, e)
	if m == nil || m.status != 401 {
		return nil
	}
	mend := say("send one (verify --header 'Authorization: …'; a browser's WebSocket sends that of the page), or ").
		say("put ").
		say("auth_basic off; into the location")
	if m.by.Name == "auth_request" {
		mend = say("send what it wants (verify --header), or put auth_request off; into the location")
	}
	place := m.by
	if e.way.Location != nil {
		place = *e.way.Location
	}
	return diagnosis(PasswordWanted, fmt.Sprintf("nginx itself wants a password (401): %s", m.place()),
		inFile(e, place.File, place.Line, mend.say(" in ").line(place.File, place.Line)), m.evidence(e)...)
}

func nginxForbids(ctx context.Context, e *evidence) *Diagnosis {
	if line := limitLine(e, "access forbidden by rule"); line != "" {
		return forbidden(e, made{what: "deny", by: ruleOf(e)}, line)
	}
	m := ownAnswer(ctx, e)
	if m == nil || m.status != 403 || m.by.Name == "location" || m.by.Name == "server" {
		return nil
	}
	return forbidden(e, *m)
}

// ruleOf is the deny in force, or the place where the request ends.
func ruleOf(e *evidence) nginx.Directive {
	for _, end := range append([]route.End{e.way.End}, e.way.May...) {
		if end.Answer != nil && end.Answer.Directive.Name == "deny" {
			return end.Answer.Directive
		}
		if end.Cause != nil && end.Cause.Directive.Name == "deny" {
			return end.Cause.Directive
		}
	}
	if e.way.Location != nil {
		return *e.way.Location
	}
	return nginx.Directive{Name: "server", File: e.way.Server.File, Line: e.way.Server.Line}
}

func forbidden(e *evidence, m made, lines ...string) *Diagnosis {
	mend := say("take ").name(m.what).say(" out of ").line(m.by.File, m.by.Line).say(", or mend its condition")
	if m.by.Name == "deny" || m.what == "deny" {
		mend = say("put allow and the client's address before the deny in ").line(m.by.File, m.by.Line)
	}
	return diagnosis(ForbiddenByNginx, fmt.Sprintf("nginx itself refuses this client (%d): %s", seen(e).Status,
		m.place()),
		inFile(e, m.by.File, m.by.Line, mend), append(lines, m.evidence(e)...)...)
}

// nginxLimits: a limit of requests or of connections is reached.
func nginxLimits(ctx context.Context, e *evidence) *Diagnosis {
	m := ownAnswer(ctx, e)
	if m == nil || m.by.Name != "limit_req" && m.by.Name != "limit_conn" {
		return nil
	}
	line := limitLine(e, "limiting ")
	return diagnosis(LimitedByNginx, fmt.Sprintf("a limit of nginx's is reached (%d): %s %s in %s:%d", seen(e).Status,
		m.by.Name, strings.Join(m.by.Args, " "), m.by.File, m.by.Line),
		inFile(e, m.by.File, m.by.Line, say("raise the limit of ").name(m.by.Name).say(", or take it out, in ").
			line(m.by.File, m.by.Line)), append([]string{line}, m.evidence(e)...)...)
}

// nginxAnswers: another answer that the configuration asks for.
func nginxAnswers(ctx context.Context, e *evidence) *Diagnosis {
	if d := fieldsTooLong(e); d != nil {
		return d
	}
	m := ownAnswer(ctx, e)
	if m == nil || isStatic(*m) || m.isRedirect() || m.by.Name == "proxy_pass" {
		return nil
	}
	did := fmt.Sprintf("nginx itself answers %d", seen(e).Status)
	if statusOf(e) == nil {
		did = "nginx itself closes the connection (444)"
	}
	mend := say("take ").name(m.what).say(" out of ").line(m.by.File, m.by.Line).
		say(", or put a location with proxy_pass for ").name(pathSent(e)).say(" in its place")
	return diagnosis(AnsweredByNginx, did+": "+m.place(), inFile(e, m.by.File, m.by.Line, mend), m.evidence(e)...)
}

// fieldsTooLong is nginx's word for it (ngx_http_special_response.c); what it logs of it is at the level info.
func fieldsTooLong(e *evidence) *Diagnosis {
	body := seen(e).Body
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
	if d := serverValue(e, "large_client_header_buffers"); d != nil {
		place = fmt.Sprintf("%s:%d", d.File, d.Line)
	}
	return diagnosis(AnsweredByNginx, what+": large_client_header_buffers is 4 of 8 KiB unless set",
		say("raise large_client_header_buffers in ").name(place).say(", or send less").say(thenReload), e.Err.Error())
}

// serverValue is a directive of the server's level, or of http's.
func serverValue(e *evidence, name string) *nginx.Directive {
	if e.way.Server == nil {
		return nil
	}
	for _, level := range [][]nginx.Directive{e.way.Server.Body, e.tree.Section()} {
		for i := range level {
			if level[i].Name == name {
				return &level[i]
			}
		}
	}
	return nil
}

// isStatic: nginx looked for a file, because nothing passes the request on.
func isStatic(m made) bool {
	return m.body == route.File || m.body == route.Listing || slices.Contains([]string{"location", "server", "root",
		"alias", "index", "try_files", "autoindex"}, m.by.Name)
}

// pathIsNowhere: no location passes the path on, and nginx looks for a file.
func pathIsNowhere(ctx context.Context, e *evidence) *Diagnosis {
	m := ownAnswer(ctx, e)
	if m == nil || !isStatic(*m) || m.isRedirect() {
		return nil
	}
	path := pathSent(e)
	mend := say("ask for a path that is configured, or add a location for ").name(path).say(" with proxy_pass")
	place := ""
	if s := e.way.Server; s != nil {
		mend = mend.say(" to the server block in ").line(s.File, s.Line).say(thenReload)
		place = fmt.Sprintf("server block in %s:%d", s.File, s.Line)
	}
	if e.Location != nil {
		mend = rewrite(e, mend)
	}
	return diagnosis(PathNotFound,
		fmt.Sprintf("nginx passes nothing to a backend under %s: no location with proxy_pass matches it", path), mend,
		append(m.evidence(e), place)...)
}
