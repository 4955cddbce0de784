package route

import (
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/variable"
)

// mostChanges is how often the path may change, and one more (NGX_HTTP_MAX_URI_CHANGES).
const mostChanges = 11

// serverRewrite runs the statements of the server.
func serverRewrite(w *walk) (phase, error) {
	w.Levels = w.Levels.Server()
	next, err := w.script(w.Levels[0].Block.Body)
	if next != nil || err != nil || w.end != nil {
		return next, err
	}
	return findLocation, nil
}

// findLocation is ngx_http_core_find_config_phase.
func findLocation(w *walk) (phase, error) {
	w.answer.handler, w.At.Changed = nil, false
	found, how, err := locate(w, w.Levels.Server())
	if err != nil {
		return nil, err
	}
	w.Levels = found
	if l := found.Location(); l != nil {
		w.step(*l, "location %s for %s", joined(l.Args), w.At.Path)
	}
	if !w.At.Internal && internal(found) {
		return w.finish(404, *found.Value("internal"), "internal")
	}
	if err := w.enter(); err != nil {
		return nil, err
	}
	if how == withSlash {
		return addSlash(w, *found.Location())
	}
	return rewrite, nil
}

func internal(l conf.Levels) bool { return l.Value("internal") != nil }

// addSlash is the redirect from /x to /x/, where only that location passes requests on.
func addSlash(w *walk, l conf.Directive) (phase, error) {
	_, name := conf.LocationName(l.Args)
	w.answer.location = variable.AsValue(head.Redirect(name))
	if w.answer.location.Known && w.At.Args != "" {
		w.answer.location.Text += "?" + w.At.Args
	}
	return w.finish(301, l, "the location's name ends with a slash")
}

// enter is ngx_http_update_location_config: what stands in the innermost block takes effect.
func (w *walk) enter() error {
	if err := readable(w.Levels[0].Block.Body); err != nil {
		return err
	}
	if limit := limitFor(w); limit != nil {
		w.Levels = w.Levels.Below(*limit, conf.InnerBlock)
		if err := readable(limit.Body); err != nil {
			return err
		}
	}
	switch h := handlerOf(w.Levels); {
	case h != nil:
		w.answer.handler = h
	case w.Levels[0].Block.Name == "limit_except":
		if p := backendOf(w.Levels); p != nil {
			w.answer.handler = p
		}
	}
	return nil
}

// limited is the limit_except that holds for the method; HEAD is allowed where GET is.
func limitFor(w *walk) *conf.Directive {
	for _, d := range w.Levels.Own("limit_except") {
		allowed := false
		for _, m := range d.Args {
			allowed = allowed || strings.EqualFold(m, w.Method) || strings.EqualFold(m, "GET") && w.Method == "HEAD"
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

// handlerOf is the last of them in the innermost block.
func handlerOf(l conf.Levels) *conf.Directive {
	if l[0].Kind < conf.LocationBlock {
		return nil
	}
	found := conf.Named(l[0].Block.Body, passers...)
	if len(found) == 0 {
		return nil
	}
	return &found[len(found)-1]
}

// backendOf is the one that passes requests on; a block within a location has that of the location.
func backendOf(l conf.Levels) *conf.Directive {
	for _, each := range l {
		if each.Kind < conf.LocationBlock {
			return nil
		}
		for _, d := range conf.Named(each.Block.Body, passers[:6]...) {
			return &d
		}
		if each.Kind == conf.LocationBlock {
			return nil
		}
	}
	return nil
}

// rewrite runs the statements of the location. Those of a location around it are not run, nor those of the server
// again where no location matched.
func rewrite(w *walk) (phase, error) {
	if w.Levels[0].Kind == conf.LocationBlock {
		next, err := w.script(w.Levels[0].Block.Body)
		if next != nil || err != nil || w.end != nil {
			return next, err
		}
	}
	if !w.At.Changed {
		return preaccess, nil
	}
	if w.answer.changes--; w.answer.changes == 0 {
		return w.finish(500, w.Levels[0].Block, "a cycle of rewrites")
	}
	w.Levels = w.Levels.Server()
	return findLocation, nil
}
