package config

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// contents is the file's layer, and its sites.
type contents struct {
	layer
	sites []Site
	adopt []string
	slot  int // the place of a site that no file has, below 0 for none
	// Of each file of the directory of sites: what is in it, how many sites are counted before its own, and how many
	// those are.
	read         map[string][]byte
	first, count map[string]int
}

// readFile walks the whole file. The loops over settings keep its keys and the flags' the same ones.
// Its sites are counted from first on: those before it are in other files.
func readFile(path string, content []byte, deferred bool, first int, p *problems) contents {
	c := contents{layer: newLayer()}
	c.at[""] = where{source: path}
	document := parse(path, content, p)
	if document == nil {
		return c
	}
	r := &reader{path: path, p: p, at: c.at}
	top := r.section(document, "", known("", deferred)...)
	c.at[""] = where{source: path}
	mappings := map[string]map[string]*yaml.Node{"": top}
	for name := range sections {
		mappings[name] = r.section(top[name], name, known(name, false)...)
	}
	for _, s := range settings() {
		section := parent(s.Path)
		if n := mappings[section][strings.TrimPrefix(s.Path, section+".")]; n != nil {
			w := r.note(n, s.Path)
			if text := r.scalar(n, s.Path); text != nil {
				c.set(s, *text, w, p)
			}
		}
	}
	p.counted(path, first)
	c.sites = r.sites(top["sites"], first)
	if top["adopt"] != nil {
		c.adopt = list(r, top["adopt"], "adopt", "consent", func(s scalar) (string, error) { return s.text, nil })
	}
	return c
}

// sites may be empty: a host that is to serve none any more.
func (r *reader) sites(n *yaml.Node, first int) []Site {
	if n == nil || null(n) || n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		return nil
	}
	var all []Site
	for i, item := range r.items(n, "sites", "site", false) {
		all = append(all, r.site(item, fmt.Sprintf("sites[%d]", first+i)))
	}
	return all
}

func (r *reader) site(n *yaml.Node, key string) Site {
	var s Site
	if read(r, n, key, siteFields(), &s) {
		completeSite(r, key, &s)
	}
	return s
}

// known are the keys of a mapping beside the sites; the file of deferred work has one more.
func known(section string, deferred bool) []string {
	var names []string
	for _, k := range Keys() {
		if name := k.Path[strings.LastIndexByte(k.Path, '.')+1:]; parent(k.Path) == section {
			names = append(names, name)
		}
	}
	if deferred {
		names = append(names, "adopt")
	}
	return names
}

// parent is the path of the mapping that holds a key, "" for the whole file.
func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '.'))] }

// list parses one value or several.
func list[T any](r *reader, n *yaml.Node, key, of string, parse func(scalar) (T, error)) []T {
	var all []T
	for i, item := range r.items(n, key, of, true) {
		at := key
		if n.Kind == yaml.SequenceNode {
			at = fmt.Sprintf("%s[%d]", key, i)
		}
		one, _ := value(r, item, at, parse) // a wrong one keeps its place, so that the others keep their numbers
		all = append(all, one)
	}
	return all
}
