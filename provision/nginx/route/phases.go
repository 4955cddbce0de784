package route

import (
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/head"
)

// mostChanges is how often the path may change, and one more (NGX_HTTP_MAX_URI_CHANGES).
const mostChanges = 11

// serverRewrite runs the statements of the server.
func serverRewrite(w *walk) (phase, error) {
	w.levels = w.levels.server()
	next, err := w.script(w.levels[0].block.Body)
	if next != nil || err != nil || w.end != nil {
		return next, err
	}
	return findLocation, nil
}

// findLocation is ngx_http_core_find_config_phase.
func findLocation(w *walk) (phase, error) {
	w.answer.handler, w.at.changed = nil, false
	found, how, err := locate(w, w.levels.server())
	if err != nil {
		return nil, err
	}
	w.levels = found
	if l := found.location(); l != nil {
		w.step(*l, "location %s for %s", joined(l.Args), w.at.path)
	}
	if !w.at.internal && internal(found) {
		return w.finish(404, *found.value("internal"), "internal")
	}
	if err := w.enter(); err != nil {
		return nil, err
	}
	if how == withSlash {
		return addSlash(w, *found.location())
	}
	return rewrite, nil
}

func internal(l levels) bool { return l.value("internal") != nil }

// addSlash is the redirect from /x to /x/, where only that location passes requests on.
func addSlash(w *walk, l conf.Directive) (phase, error) {
	_, name := locationName(l.Args)
	w.answer.location = asValue(head.Redirect(name))
	if w.answer.location.Known && w.at.args != "" {
		w.answer.location.Text += "?" + w.at.args
	}
	return w.finish(301, l, "the location's name ends with a slash")
}

// enter is ngx_http_update_location_config: what stands in the innermost block takes effect.
func (w *walk) enter() error {
	if err := readable(w.levels[0].block.Body); err != nil {
		return err
	}
	if limit := limitFor(w); limit != nil {
		w.levels = w.levels.below(*limit, withinLocation)
		if err := readable(limit.Body); err != nil {
			return err
		}
	}
	switch h := w.levels.handler(); {
	case h != nil:
		w.answer.handler = h
	case w.levels[0].block.Name == "limit_except":
		if p := w.levels.backend(); p != nil {
			w.answer.handler = p
		}
	}
	return nil
}

// limited is the limit_except that holds for the method; HEAD is allowed where GET is.
func limitFor(w *walk) *conf.Directive {
	for _, d := range w.levels.own("limit_except") {
		allowed := false
		for _, m := range d.Args {
			allowed = allowed || equalFold(m, w.answer.method) || equalFold(m, "GET") && w.answer.method == "HEAD"
		}
		if !allowed {
			return &d
		}
	}
	return nil
}

// passers are the directives that answer a request of their location, whatever its path (clcf->handler).
var passers = []string{"proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass",
	"stub_status", "empty_gif", "flv", "mp4"}

// handler is the last of them in the innermost block.
func (l levels) handler() *conf.Directive {
	if l[0].kind < locationLevel {
		return nil
	}
	found := named(l[0].block.Body, passers...)
	if len(found) == 0 {
		return nil
	}
	return &found[len(found)-1]
}

// backend is the one that passes requests on; a block within a location has that of the location.
func (l levels) backend() *conf.Directive {
	for _, each := range l {
		if each.kind < locationLevel {
			return nil
		}
		for _, d := range named(each.block.Body, passers[:6]...) {
			return &d
		}
		if each.kind == locationLevel {
			return nil
		}
	}
	return nil
}

// rewrite runs the statements of the location. Those of a location around it are not run, nor those of the server
// again where no location matched.
func rewrite(w *walk) (phase, error) {
	if w.levels[0].kind == locationLevel {
		next, err := w.script(w.levels[0].block.Body)
		if next != nil || err != nil || w.end != nil {
			return next, err
		}
	}
	if !w.at.changed {
		return preaccess, nil
	}
	if w.answer.changes--; w.answer.changes == 0 {
		return w.finish(500, w.levels[0].block, "a cycle of rewrites")
	}
	w.levels = w.levels.server()
	return findLocation, nil
}
