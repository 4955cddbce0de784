package route

import (
	"slices"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/nginx/variable"
)

// pass takes the request to a backend.
func passOn(w *walk, h conf.Directive) (phase, error) {
	d := backendOf(w.Levels)
	if d == nil || d.Name != h.Name || len(d.Args) != 1 {
		return nil, unfollowed(h, "which backend an if has is not followed")
	}
	p := &outcome.Pass{Directive: *d, Method: variable.Known(w.Method), Version: "1.0"}
	p.Override, p.Page = w.answer.override, w.answer.page
	w.step(*d, "%s %s", d.Name, joined(d.Args))
	if d.Name != "proxy_pass" {
		p.Scheme, _, _ = strings.Cut(d.Name, "_")
		p.Target = variable.Unknown("%s has no target", p.Scheme)
		return passed(w, p)
	}
	url, err := urlOf(w, *d)
	if err != nil {
		return nil, err
	}
	if !url.text.Known {
		p.Scheme, p.Target = url.scheme, variable.Unknown("%s", url.text.Why)
	} else if next, err := toBackend(w, p, url); next != nil || err != nil || w.end != nil {
		return next, err
	}
	if v := w.Levels.Value("proxy_http_version"); v != nil {
		p.Version = v.Args[0]
	}
	if m := w.Levels.Value("proxy_method"); m != nil {
		p.Method = w.Value(m.Args[0])
	}
	p.Fields = fieldsFor(w, url)
	return passed(w, p)
}

// passed adds what may come of it: backends fail, caches answer, and error_page may want the backend's errors.
func passed(w *walk, p *outcome.Pass) (phase, error) {
	module, _, _ := strings.Cut(p.Directive.Name, "_")
	if c := w.Levels.Value(module + "_cache"); c != nil && !w.Levels.Is(module+"_cache", "off") {
		w.gated(*c, 0, "an answer that is cached")
	}
	for _, failure := range []struct {
		status int
		what   string
	}{{502, "the backend refuses the connection, or does not speak as it should"},
		{504, "the backend does not answer in time"}, {500, "nginx cannot make the connection"}} {
		w.gated(p.Directive, failure.status, failure.what)
	}
	if w.Levels.On(module+"_intercept_errors", false) {
		for _, d := range w.Levels.All("error_page") {
			for _, status := range statuses(d) {
				w.gated(p.Directive, status, "the backend's answer, which "+module+"_intercept_errors takes")
			}
		}
	}
	return w.ended(outcome.End{Pass: p})
}

func statuses(d conf.Directive) []int {
	var all []int
	for status := 300; status < 600; status++ {
		if _, ok := pageOf([]conf.Directive{d}, status); ok && !slices.Contains([]int{500, 502, 504}, status) {
			all = append(all, status)
		}
	}
	return all
}

// to fills in the backend and its target, or ends the request where nginx has none.
func toBackend(w *walk, p *outcome.Pass, u url) (phase, error) {
	if u.scheme == "" {
		return w.finish(500, p.Directive, "proxy_pass to "+u.text.Text+", which is no URL")
	}
	p.Scheme = u.scheme
	if p.Backends, p.Upstream = backendsOf(w, u); len(p.Backends) == 0 && p.Upstream == "" {
		return nil, unfollowed(p.Directive, "the backend %s is not understood", u.authority)
	}
	if u.dynamic && p.Upstream == "" && !u.isAddress() && w.Levels.Value("resolver") == nil {
		return w.finish(502, p.Directive, "there is no resolver for "+u.authority)
	}
	p.Target = targetFor(w, u)
	return nil, nil
}

// target is the path and query that the backend is asked for (ngx_http_proxy_create_request).
func targetFor(w *walk, u url) variable.Value {
	switch {
	case u.dynamic && u.uri != "":
		return variable.Known(u.uri)
	case u.uri == "" && w.At.Whole:
		return variable.Known(w.At.Unparsed)
	}
	replaced, uri := 0, ""
	if w.At.Matched && u.uri != "" {
		replaced, uri = len(u.location), u.uri
	}
	if replaced > len(w.At.Path) {
		return variable.Unknown("the path is shorter than the location's name")
	}
	rest := variable.Known(w.At.Path[replaced:])
	if w.At.Quoted || w.At.Internal {
		rest = variable.AsValue(head.Escape(rest.Text, head.InPath))
	}
	if rest.Known {
		rest.Text = uri + rest.Text
		if w.At.Args != "" {
			rest.Text += "?" + w.At.Args
		}
	}
	return rest
}
