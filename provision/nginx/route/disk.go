package route

import (
	"path"
	"strings"
	"time"

	"wsprovision/provision/nginx/conf"
)

// mostLooks bounds the files that are looked at for one request.
const mostLooks = 64

// find looks at a file of the host, as nginx does.
func (w *walk) find(d conf.Directive, name string) (Found, error) {
	if c := w.levels.value("disable_symlinks"); c != nil && !w.levels.is(c.Name, "off") {
		return Found{}, unfollowed(*c, "with disable_symlinks it is not known what nginx finds at %s", name)
	}
	if w.looked++; w.looked > mostLooks {
		return Found{}, unfollowed(d, "more than %d files are asked for", mostLooks)
	}
	if !path.IsAbs(name) || strings.Contains(name, "\x00") {
		return Found{}, unfollowed(d, "the file %q is not followed", name)
	}
	found := w.look(name)
	if strings.HasSuffix(name, "/") && found.Kind != Directory && found.Kind != Hidden {
		found.Kind = Absent
	}
	if found.Kind == Hidden {
		return found, unfollowed(d, "whether nginx finds %s cannot be told", name)
	}
	if c := w.levels.value("open_file_cache"); c != nil && !w.levels.is(c.Name, "off") && !settled(w, found) {
		return found, unfollowed(*c, "with open_file_cache nginx may know %s as it was before", name)
	}
	if found.Kind == Absent {
		w.step(d, "%s is not there", name)
	} else {
		w.step(d, "%s is there", name)
	}
	return found, nil
}

// settled: what was found has been so for longer than open_file_cache keeps what was (open_file_cache_valid).
func settled(w *walk, found Found) bool {
	valid := time.Minute
	if d := w.levels.value("open_file_cache_valid"); d != nil {
		span, ok := conf.ParseSpan(strings.Join(d.Args, ""))
		if !ok {
			return false
		}
		valid = span
	}
	return time.Since(found.Changed) > valid+time.Minute
}

// base is where files are looked for: root, or alias in place of the location's name.
type base struct {
	directive *conf.Directive
	text      string
	// alias is how much of the path the alias stands for; whole where it is one of a regular expression.
	alias int
	whole bool
}

// base is the root or alias in force, as it is written.
func baseOf(w *walk) base {
	for i := range w.levels {
		each := w.levels[i:]
		if d := each[:1].value("root", "alias"); d != nil {
			b := base{directive: d, text: d.Args[0]}
			if d.Name == "root" {
				b.text = strings.TrimSuffix(b.text, "/")
				return b
			}
			modifier, name := locationName(each.location().Args)
			b.alias, b.whole = len(name), isRegular(modifier)
			return b
		}
	}
	return base{text: "html"}
}

// isAlias: a name of no length is no alias to nginx.
func (b base) isAlias() bool { return b.whole || b.alias > 0 }

// start is the base as a path of the host. False: the path was rewritten, and nginx answers 500 for an alias.
func startOf(w *walk) (base, Value, bool) {
	b := baseOf(w)
	if b.isAlias() && !w.at.matched {
		return b, Value{}, false
	}
	v := w.value(b.text)
	if v.Known && !path.IsAbs(v.Text) {
		v.Text = strings.TrimSuffix(w.prefix, "/") + "/" + v.Text
	}
	return b, v, true
}

// mapped is the file of the path (ngx_http_map_uri_to_path).
func fileOf(w *walk) (base, Value, bool) {
	b, v, ok := startOf(w)
	switch {
	case !ok || !v.Known:
	case b.whole && !w.at.appended:
	case b.whole:
		v.Text += w.at.path
	case b.alias > len(w.at.path):
		v = unknown("the path is shorter than the location's name")
	default:
		v.Text += w.at.path[b.alias:]
	}
	return b, v, ok
}

func documentRoot(w *walk) Value {
	b, v, ok := startOf(w)
	if !ok || b.isAlias() && b.whole {
		return unknown("$document_root is not followed here")
	}
	return v
}

func requestFilename(w *walk) Value {
	_, v, ok := fileOf(w)
	if !ok {
		return unknown("$request_filename is not followed here")
	}
	return v
}

// where is the directive to name for a file: its root, else the block.
func placeOf(w *walk, b base) conf.Directive {
	if b.directive != nil {
		return *b.directive
	}
	return w.levels[0].block
}
