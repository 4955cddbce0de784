package route

import (
	"path"
	"strings"
	"time"

	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
)

// mostLooks bounds the files that are looked at for one request.
const mostLooks = 64

// find looks at a file of the host, as nginx does.
func (w *walk) find(d conf.Directive, name string) (files.Found, error) {
	if c := w.Levels.Value("disable_symlinks"); c != nil && !w.Levels.Is(c.Name, "off") {
		return files.Found{}, unfollowed(*c, "with disable_symlinks it is not known what nginx finds at %s", name)
	}
	if w.looked++; w.looked > mostLooks {
		return files.Found{}, unfollowed(d, "more than %d files are asked for", mostLooks)
	}
	if !path.IsAbs(name) || strings.Contains(name, "\x00") {
		return files.Found{}, unfollowed(d, "the file %q is not followed", name)
	}
	found := w.look(name)
	if strings.HasSuffix(name, "/") && found.Kind != files.Directory && found.Kind != files.Hidden {
		found.Kind = files.Absent
	}
	if found.Kind == files.Hidden {
		return found, unfollowed(d, "whether nginx finds %s cannot be told", name)
	}
	if c := w.Levels.Value("open_file_cache"); c != nil && !w.Levels.Is(c.Name, "off") && !settled(w, found) {
		return found, unfollowed(*c, "with open_file_cache nginx may know %s as it was before", name)
	}
	if found.Kind == files.Absent {
		w.step(d, "%s is not there", name)
	} else {
		w.step(d, "%s is there", name)
	}
	return found, nil
}

// settled: what was found has been so for longer than open_file_cache keeps what was (open_file_cache_valid).
func settled(w *walk, found files.Found) bool {
	valid := time.Minute
	if d := w.Levels.Value("open_file_cache_valid"); d != nil {
		span, ok := conf.ParseSpan(strings.Join(d.Args, ""))
		if !ok {
			return false
		}
		valid = span
	}
	return time.Since(found.Changed) > valid+time.Minute
}
