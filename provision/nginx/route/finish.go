package route

import (
	"strconv"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/nginx/variable"
)

// send ends the request with an answer of nginx's own that no error_page replaces (ngx_http_send_header).
func (w *walk) send(status int, body outcome.Body, d conf.Directive, what string) (phase, error) {
	a := &outcome.Answer{Status: status, Body: body, Directive: d, What: what}
	if w.answer.override > 0 {
		a.Status, a.Directive, a.What = w.answer.override, w.answer.by, w.answer.what
	}
	return w.ended(outcome.End{Answer: a})
}

// finish ends the request with a status, or takes it to its error_page (ngx_http_finalize_request,
// ngx_http_special_response_handler).
func (w *walk) finish(status int, d conf.Directive, what string) (phase, error) {
	if status == 444 {
		return w.ended(outcome.End{Answer: &outcome.Answer{Status: status, Body: outcome.Nothing, Directive: d,
			What: what}})
	}
	w.answer.override, w.answer.by, w.answer.what = status, d, what
	if pages := w.Levels.All("error_page"); !w.answer.paged && len(pages) > 0 && w.answer.changes > 0 {
		w.answer.paged = !w.Levels.On("recursive_error_pages", false)
		if page, ok := pageOf(pages, status); ok {
			return toPage(w, page, status)
		}
	}
	body := outcome.OwnPage
	if status < 301 || status > 599 {
		body = outcome.Nothing
	}
	return w.ended(outcome.End{Answer: ownAnswer(w, shown(status), body, d, what)})
}

// own is nginx's page, or nothing, with the redirect if there is one.
func ownAnswer(w *walk, status int, body outcome.Body, d conf.Directive, what string) *outcome.Answer {
	a := &outcome.Answer{Status: status, Body: body, Directive: d, What: what}
	if outcome.IsRedirect(status) {
		a.Location = absoluteLocation(w, w.answer.location)
	}
	return a
}

// shown is the status that a client gets for those of nginx's own.
func shown(status int) int {
	if status >= 494 && status <= 497 {
		return 400
	}
	return status
}

// page is an error_page for one status (ngx_http_err_page_t).
type page struct {
	directive conf.Directive
	uri       string
	// overwrite is the status to send: -1 the one that led here, 0 that of the page.
	overwrite int
}

func pageOf(pages []conf.Directive, status int) (page, bool) {
	for _, d := range pages {
		codes, p := d.Args, page{directive: d, overwrite: -1}
		if len(codes) < 2 {
			continue
		}
		p.uri, codes = codes[len(codes)-1], codes[:len(codes)-1]
		if code, given := strings.CutPrefix(codes[len(codes)-1], "="); given {
			p.overwrite, _ = strconv.Atoi(code)
			codes = codes[:len(codes)-1]
		} else if shown(status) != status {
			p.overwrite = 400
		}
		for _, code := range codes {
			if n, err := strconv.Atoi(code); err == nil && n == status {
				return p, true
			}
		}
	}
	return page{}, false
}

// page is ngx_http_send_error_page.
func toPage(w *walk, p page, status int) (phase, error) {
	uri := w.Value(p.uri)
	if !uri.Known {
		return nil, unfollowed(p.directive, "%s", uri.Why)
	}
	w.step(p.directive, "error_page %d to %s", status, uri.Text)
	w.answer.page = &p.directive
	if p.overwrite >= 0 {
		if w.answer.override = p.overwrite; p.overwrite > 0 && p.overwrite != shown(status) {
			w.answer.by, w.answer.what = p.directive, "error_page "+joined(p.directive.Args)
		}
	}
	switch {
	case strings.HasPrefix(uri.Text, "/"):
		if w.Method != "HEAD" {
			w.Method = "GET"
		}
		path, args, _ := strings.Cut(uri.Text, "?")
		return w.redirected(path, args, p.directive)
	case strings.HasPrefix(uri.Text, "@"):
		return w.namedLocation(uri.Text, p.directive)
	}
	if !outcome.IsRedirect(p.overwrite) {
		w.answer.override = 302
	}
	w.answer.location = uri
	return w.ended(outcome.End{Answer: ownAnswer(w, w.answer.override, outcome.OwnPage, p.directive,
		"error_page "+joined(p.directive.Args))})
}

// redirected is ngx_http_internal_redirect: the request begins anew with another path.
func (w *walk) redirected(path, args string, d conf.Directive) (phase, error) {
	if w.answer.changes--; w.answer.changes == 0 {
		return w.finish(500, d, "a cycle of internal redirects")
	}
	w.At.Path, w.At.Args = path, args
	w.Levels = w.Levels.Server()
	w.At.Internal, w.At.Whole, w.At.Appended, w.At.Matched = true, false, false, true
	return serverRewrite, nil
}

// namedLocation is ngx_http_named_location: the path stays, and so does the query.
func (w *walk) namedLocation(name string, d conf.Directive) (phase, error) {
	if w.answer.changes--; w.answer.changes == 0 {
		return w.finish(500, d, "a cycle of named locations")
	}
	server := w.Levels.Server()
	for _, l := range server.Own("location") {
		if modifier, n := conf.LocationName(l.Args); modifier == "@" && n == name {
			w.At.Internal, w.answer.handler, w.At.Changed = true, nil, false
			w.Levels = server.Below(l, conf.LocationBlock)
			w.step(l, "location %s", name)
			return rewrite, w.enter()
		}
	}
	return w.finish(500, d, "there is no location "+name)
}

// absolute is the Location of a redirect that begins with a slash (ngx_http_header_filter).
func absoluteLocation(w *walk, location variable.Value) variable.Value {
	if !location.Known || !strings.HasPrefix(location.Text, "/") || !w.Levels.On("absolute_redirect", true) {
		return location
	}
	host := variable.Known(head.Host(w.Request.Host))
	if w.Levels.On("server_name_in_redirect", false) {
		host = w.ServerName()
	}
	port := int(w.Request.To.Port())
	switch {
	case !host.Known:
		return host
	case port == 80 && !w.TLS || port == 443 && w.TLS || !w.Levels.On("port_in_redirect", true):
		return variable.Known(w.Scheme() + "://" + host.Text + location.Text)
	}
	return variable.Known(w.Scheme() + "://" + host.Text + ":" + strconv.Itoa(port) + location.Text)
}
