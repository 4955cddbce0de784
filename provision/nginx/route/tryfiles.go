package route

import (
	"strconv"
	"strings"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
	"wsprovision/provision/nginx/variable"
)

// precontent is try_files. It holds for its own block alone (ngx_http_try_files_handler).
func precontent(w *walk) (phase, error) {
	found := w.Levels.Own("try_files")
	if len(found) == 0 || w.Levels[0].Kind == conf.InnerBlock {
		return content, nil
	}
	d := found[len(found)-1]
	if len(d.Args) < 2 {
		return nil, unfollowed(d, "try_files is not understood")
	}
	for _, arg := range d.Args[:len(d.Args)-1] {
		b, root, ok := w.Start()
		if !ok {
			return w.finish(500, d, "alias where the path was rewritten")
		}
		name, isDirectory := strings.CutSuffix(arg, "/")
		tried := triedName(w, b, name)
		if !tried.Known || !root.Known {
			return nil, unfollowed(d, "%s", tried.Why+root.Why)
		}
		there, err := w.find(d, root.Text+tried.Text)
		if err != nil {
			return nil, err
		}
		if there.Kind != files.Absent && (there.Kind == files.Directory) == isDirectory {
			foundFile(w, b, tried.Text, isDirectory)
			return content, nil
		}
	}
	return fallback(w, d, d.Args[len(d.Args)-1])
}

// tried is a name of try_files; one with variables that begins with what an alias stands for loses that.
func triedName(w *walk, b variable.Base, name string) variable.Value {
	v := w.Value(name)
	if v.Known && b.Alias > 0 && !b.Whole && strings.Contains(name, "$") && b.Alias <= len(w.At.Path) {
		v.Text = strings.TrimPrefix(v.Text, w.At.Path[:b.Alias])
	}
	return v
}

func foundFile(w *walk, b variable.Base, name string, isDirectory bool) {
	switch {
	case b.Whole && isDirectory:
	case b.Whole:
		w.At.Path, w.At.Appended = name, true
	default:
		w.At.Path = w.At.Path[:b.Alias] + name
	}
}

// fallback is the last of try_files: a status, a named location, or another path.
func fallback(w *walk, d conf.Directive, last string) (phase, error) {
	if code, ok := strings.CutPrefix(last, "="); ok {
		status, err := strconv.Atoi(code)
		if err != nil || status < 300 {
			return nil, unfollowed(d, "try_files with %s is not followed", last)
		}
		return w.finish(status, d, "try_files "+last)
	}
	b, _, ok := w.Start()
	if !ok {
		return w.finish(500, d, "alias where the path was rewritten")
	}
	v := triedName(w, b, last)
	switch {
	case !v.Known:
		return nil, unfollowed(d, "%s", v.Why)
	case v.Text == "":
		return nil, unfollowed(d, "the last of try_files is nothing")
	}
	w.step(d, "try_files falls back to %s", v.Text)
	if strings.HasPrefix(v.Text, "@") {
		return w.namedLocation(v.Text, d)
	}
	path, args, _ := strings.Cut(v.Text, "?")
	return w.redirected(path, args, d)
}
