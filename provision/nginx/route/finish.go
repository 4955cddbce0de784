package route

import (
	"strconv"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/head"
)

// send ends the request with an answer of nginx's own that no error_page replaces (ngx_http_send_header).
func (w *walk) send(status int, body Body, d conf.Directive, what string) (phase, error) {
	a := &Answer{Status: status, Body: body, Directive: d, What: what}
	if w.answer.override > 0 {
		a.Status, a.Directive, a.What = w.answer.override, w.answer.by, w.answer.what
	}
	return w.ended(End{Answer: a})
}

// finish ends the request with a status, or takes it to its error_page (ngx_http_finalize_request,
// ngx_http_special_response_handler).
func (w *walk) finish(status int, d conf.Directive, what string) (phase, error) {
	if status == 444 {
		return w.ended(End{Answer: &Answer{Status: status, Body: Nothing, Directive: d, What: what}})
	}
	w.answer.override, w.answer.by, w.answer.what = status, d, what
	if pages := w.levels.all("error_page"); !w.answer.paged && len(pages) > 0 && w.answer.changes > 0 {
		w.answer.paged = !w.levels.on("recursive_error_pages", false)
		if page, ok := pageOf(pages, status); ok {
			return toPage(w, page, status)
		}
	}
	body := OwnPage
	if status < 301 || status > 599 {
		body = Nothing
	}
	return w.ended(End{Answer: ownAnswer(w, shown(status), body, d, what)})
}

// own is nginx's page, or nothing, with the redirect if there is one.
func ownAnswer(w *walk, status int, body Body, d conf.Directive, what string) *Answer {
	a := &Answer{Status: status, Body: body, Directive: d, What: what}
	if isRedirect(status) {
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
	uri := w.value(p.uri)
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
		if w.answer.method != "HEAD" {
			w.answer.method = "GET"
		}
		path, args, _ := strings.Cut(uri.Text, "?")
		return w.redirected(path, args, p.directive)
	case strings.HasPrefix(uri.Text, "@"):
		return w.namedLocation(uri.Text, p.directive)
	}
	if !isRedirect(p.overwrite) {
		w.answer.override = 302
	}
	w.answer.location = uri
	return w.ended(End{Answer: ownAnswer(w, w.answer.override, OwnPage, p.directive,
		"error_page "+joined(p.directive.Args))})
}

// redirected is ngx_http_internal_redirect: the request begins anew with another path.
func (w *walk) redirected(path, args string, d conf.Directive) (phase, error) {
	if w.answer.changes--; w.answer.changes == 0 {
		return w.finish(500, d, "a cycle of internal redirects")
	}
	w.at.path, w.at.args = path, args
	w.levels = w.levels.server()
	w.at.internal, w.at.whole, w.at.appended, w.at.matched = true, false, false, true
	return serverRewrite, nil
}

// namedLocation is ngx_http_named_location: the path stays, and so does the query.
func (w *walk) namedLocation(name string, d conf.Directive) (phase, error) {
	if w.answer.changes--; w.answer.changes == 0 {
		return w.finish(500, d, "a cycle of named locations")
	}
	server := w.levels.server()
	for _, l := range server.own("location") {
		if modifier, n := locationName(l.Args); modifier == "@" && n == name {
			w.at.internal, w.answer.handler, w.at.changed = true, nil, false
			w.levels = server.below(l, locationLevel)
			w.step(l, "location %s", name)
			return rewrite, w.enter()
		}
	}
	return w.finish(500, d, "there is no location "+name)
}

// absolute is the Location of a redirect that begins with a slash (ngx_http_header_filter).
func absoluteLocation(w *walk, location Value) Value {
	if !location.Known || !strings.HasPrefix(location.Text, "/") || !w.levels.on("absolute_redirect", true) {
		return location
	}
	host := known(head.Host(w.request.Host))
	if w.levels.on("server_name_in_redirect", false) {
		host = serverName(w)
	}
	port := int(w.request.To.Port())
	switch {
	case !host.Known:
		return host
	case port == 80 && !w.tls || port == 443 && w.tls || !w.levels.on("port_in_redirect", true):
		return known(schemeOf(w) + "://" + host.Text + location.Text)
	}
	return known(schemeOf(w) + "://" + host.Text + ":" + strconv.Itoa(port) + location.Text)
}
