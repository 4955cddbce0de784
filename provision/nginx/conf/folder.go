package conf

import (
	"path"
	"slices"

	"wsprovision/provision/nginx/glob"
)

// pattern is what an include brings by a pattern, and the blocks around it.
type pattern struct {
	text    string
	context []string
}

// Folder is the directory whose files of these names nginx reads into http: the standard one, or else the first that
// http includes by a pattern which all of the names match. Where there is none, it is the standard one and false; where
// the configuration cannot be read so far, the standard one is taken to be it. What blocks include by patterns is not
// read for it, so that it costs the same with a thousand sites.
func (r *Reader) Folder(root, conf, standard string, names ...string) (string, bool) {
	t := Tree{conf: path.Clean(conf), source: newSource(root, nil, r)}
	l := &loader{tree: &t, surface: true}
	if _, err := l.file(File{Path: t.conf}); err != nil {
		return standard, true
	}
	var dirs []string
	for _, p := range l.patterns {
		if dir := path.Dir(p.text); slices.Equal(p.context, []string{"http"}) && !glob.HasMeta(dir) &&
			brings(path.Base(p.text), names) && t.source.exists(dir) {
			dirs = append(dirs, dir)
		}
	}
	real := t.source.resolve(standard)
	switch {
	case len(dirs) == 0:
		return standard, false
	case slices.ContainsFunc(dirs, func(d string) bool { return t.source.resolve(d) == real }):
		return standard, true
	}
	return path.Clean(dirs[0]), true
}

// brings tells whether a part of a pattern matches all of the names.
func brings(part string, names []string) bool {
	g, err := glob.Parse(part)
	return err == nil && !slices.ContainsFunc(names, func(name string) bool { return !g.Match(name) })
}

// InHTTP tells whether nginx would read the file into http, and not only into another block or none.
func (t Tree) InHTTP(name string) bool {
	return slices.ContainsFunc(t.openings(name), func(f File) bool { return slices.Equal(f.Context, []string{"http"}) })
}
