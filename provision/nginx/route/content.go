package route

import (
	"slices"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/nginx/variable"
)

// content makes the answer, or passes the request on (ngx_http_core_content_phase).
func content(w *walk) (phase, error) {
	if h := w.answer.handler; h != nil {
		return handled(w, *h)
	}
	if w.At.Path == "" {
		return nil, unfollowed(w.Levels[0].Block, "an empty path is not followed")
	}
	for _, name := range []string{"random_index", "dav_methods"} {
		if d := w.Levels.Value(name); d != nil && !w.Levels.Is(name, "off") {
			return nil, unfollowed(*d, "%s is not followed", name)
		}
	}
	if d := w.Levels.Value("gzip_static"); d != nil && !w.Levels.Is("gzip_static", "off") &&
		(w.Request.Has("Accept-Encoding") || !w.Levels.Is("gzip_static", "on")) {
		return nil, unfollowed(*d, "gzip_static is not followed for a client that takes gzip")
	}
	if !strings.HasSuffix(w.At.Path, "/") || !slices.Contains([]string{"GET", "HEAD", "POST"}, w.Method) {
		return staticFile(w)
	}
	return directoryIndex(w)
}

// handled is a location with a handler of its own.
func handled(w *walk, h conf.Directive) (phase, error) {
	switch h.Name {
	case "flv", "mp4":
		return nil, unfollowed(h, "%s is not followed", h.Name)
	case "stub_status", "empty_gif":
		if w.Method != "GET" && w.Method != "HEAD" {
			return w.finish(405, h, h.Name+" takes GET only")
		}
		return w.send(200, outcome.Text, h, h.Name)
	}
	return passOn(w, h)
}

// static is ngx_http_static_handler.
func staticFile(w *walk) (phase, error) {
	b, file, ok := w.File()
	at := w.Place(b)
	switch {
	case !slices.Contains([]string{"GET", "HEAD", "POST"}, w.Method):
		return w.finish(405, at, "nginx serves files, and the method is "+w.Method)
	case !ok:
		return w.finish(500, at, "alias where the path was rewritten")
	case !file.Known:
		return nil, unfollowed(at, "%s", file.Why)
	}
	found, err := w.find(at, file.Text)
	if err != nil {
		return nil, err
	}
	switch {
	case found.Kind == files.Absent || found.Kind == files.Special:
		return w.finish(404, at, "there is no file "+file.Text)
	case !found.Readable:
		return nil, unfollowed(at, "whether nginx may read %s cannot be told", file.Text)
	case found.Kind == files.Directory:
		return directorySlash(w, at)
	case w.Method == "POST":
		return w.finish(405, at, "nginx serves the file "+file.Text+", and the method is POST")
	case w.Request.Has("If-Modified-Since", "If-Unmodified-Since", "If-Match", "If-None-Match", "Range", "If-Range"):
		return nil, unfollowed(at, "a request for a part of a file, or for a newer one, is not followed")
	}
	return w.send(200, outcome.File, at, "the file "+file.Text)
}

// directorySlash is the redirect to a directory with its slash.
func directorySlash(w *walk, at conf.Directive) (phase, error) {
	w.answer.location = variable.AsValue(head.Redirect(w.At.Path))
	if w.answer.location.Known {
		w.answer.location.Text += "/"
		if w.At.Args != "" {
			w.answer.location.Text += "?" + w.At.Args
		}
	}
	return w.finish(301, at, "a directory is asked for without its slash")
}

// directory is ngx_http_index_handler, and what nginx does where it finds no index.
func directoryIndex(w *walk) (phase, error) {
	b, dir, ok := w.File()
	at := w.Place(b)
	names := []string{"index.html"}
	if given := w.Levels.All("index"); len(given) > 0 {
		names = nil
		for _, d := range given {
			names = append(names, d.Args...)
		}
	}
	for i, name := range names {
		v := w.Value(name)
		switch {
		case !v.Known:
			return nil, unfollowed(at, "%s", v.Why)
		case strings.HasPrefix(v.Text, "/"):
			w.step(at, "index %s", v.Text)
			return w.redirected(v.Text, w.At.Args, at)
		case !ok:
			return w.finish(500, at, "alias where the path was rewritten")
		case !dir.Known:
			return nil, unfollowed(at, "%s", dir.Why)
		}
		found, err := w.find(at, dir.Text+v.Text)
		if err != nil {
			return nil, err
		}
		if found.Kind != files.Absent {
			return w.redirected(w.At.Path+v.Text, w.At.Args, at)
		}
		if i > 0 {
			continue
		}
		if itself, err := w.find(at, strings.TrimSuffix(dir.Text, "/")+"/"); err != nil || itself.Kind == files.Absent {
			return ifAbsent(w, err, at, dir.Text)
		}
	}
	return unlisted(w, at, dir)
}

func ifAbsent(w *walk, err error, at conf.Directive, dir string) (phase, error) {
	if err != nil {
		return nil, err
	}
	return w.finish(404, at, "there is no directory "+dir)
}

// unlisted is a directory without an index: a list of its files, or 403.
func unlisted(w *walk, at conf.Directive, dir variable.Value) (phase, error) {
	if list := w.Levels.Value("autoindex"); list != nil && w.Levels.Is("autoindex", "on") && w.Method != "POST" {
		found, err := w.find(at, dir.Text)
		switch {
		case err != nil:
			return nil, err
		case !found.Readable || w.Levels.Is("autoindex_format", "jsonp"):
			return nil, unfollowed(*list, "whether nginx may list %s cannot be told", dir.Text)
		}
		return w.send(200, outcome.Listing, *list, "autoindex")
	}
	return w.finish(403, at, "a directory without an index")
}
