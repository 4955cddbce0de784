package answer

import (
	"context"
	"strings"

	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
)

// Refusal is one of nginx's own: the client lacks what a directive asks for.
type Refusal struct {
	Directive string // ssl_verify_client, auth_basic or deny
	Status    int
	Place     conf.Directive // for its file and line
}

// Refused is the refusal that the answer is. It is none where a backend may have answered so.
func Refused(ctx context.Context, e *facts.Evidence) (Refusal, bool) {
	if facts.StatusOf(e) == nil || e.TreeErr != nil {
		return Refusal{}, false
	}
	r := Refusal{Status: facts.Seen(e).Status}
	if d := facts.ServerValue(e, "ssl_verify_client"); d != nil && certificateIsMissing(e) {
		r.Directive, r.Place = d.Name, *d
		return r, true
	}
	if limitLine(e, "access forbidden by rule") != "" {
		r.Directive, r.Place = "deny", ruleOf(e)
		return r, true
	}
	m := ownAnswer(ctx, e)
	if m == nil || m.by.Name != "auth_basic" && m.by.Name != "deny" {
		return Refusal{}, false
	}
	r.Directive, r.Place = m.by.Name, m.by
	return r, true
}

// certificateIsMissing: nginx says so (ngx_http_special_response.c).
func certificateIsMissing(e *facts.Evidence) bool {
	return e.Target.TLS != nil && strings.Contains(facts.Seen(e).Body, "No required SSL certificate was sent")
}
