package config

import (
	"fmt"
	"strings"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/config/sitekeys"

	"go.yaml.in/yaml/v3"
)

// contents is the file's layer, and its sites.
type contents struct {
	layer
	sites []Site
	// adopt and record are of deferred work alone.
	adopt  []string
	record *Record
	slot   int // the place of a site that no file has, below 0 for none
	// Of each file of the directory of sites: what is in it, how many sites are counted before its own, and how many
	// those are.
	read         map[string][]byte
	first, count map[string]int
}

// readFile walks the whole file. The loops over settings keep its keys and the flags' the same ones.
// Its sites are counted from first on: those before it are in other files.
func readFile(path string, content []byte, deferred bool, first int, p *reading.Problems) contents {
	c := contents{layer: newLayer()}
	c.at[""] = reading.Where{Source: path}
	document := reading.Parse(path, content, p)
	if document == nil {
		return c
	}
	r := &reading.Reader{Path: path, Problems: p, At: c.at}
	top := r.Section(document, "", known("", deferred)...)
	c.at[""] = reading.Where{Source: path}
	mappings := map[string]map[string]*yaml.Node{"": top}
	for name := range sections {
		mappings[name] = r.Section(top[name], name, known(name, false)...)
	}
	for _, s := range settings() {
		section := parent(s.Path)
		if n := mappings[section][strings.TrimPrefix(s.Path, section+".")]; n != nil {
			w := r.Note(n, s.Path)
			if text := r.Scalar(n, s.Path); text != nil {
				c.set(s, *text, w, p)
			}
		}
	}
	p.Counted(path, first)
	c.sites = readSites(r, top["sites"], first)
	if top["adopt"] != nil {
		c.adopt = reading.List(r, top["adopt"], "adopt", "consent", func(s kinds.Scalar) (string, error) {
			return s.Text, nil
		})
	}
	if top["record"] != nil {
		c.record = readRecord(r, top["record"])
	}
	return c
}

func readRecord(r *reading.Reader, n *yaml.Node) *Record {
	var record Record
	if err := n.Decode(&record); err != nil {
		r.Complain(n, "record", "not a record of the agent's: "+err.Error())
		return nil
	}
	return &record
}

// readSites may find none: a host that is to serve none any more.
func readSites(r *reading.Reader, n *yaml.Node, first int) []Site {
	if n == nil || reading.Null(n) || n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		return nil
	}
	var all []Site
	for i, item := range r.Items(n, "sites", "site", false) {
		all = append(all, readSite(r, item, fmt.Sprintf("sites[%d]", first+i)))
	}
	return all
}

func readSite(r *reading.Reader, n *yaml.Node, key string) Site {
	var s Site
	if reading.Read(r, n, key, sitekeys.Fields(), &s) {
		sitekeys.Complete(r, key, &s)
	}
	return s
}

// known are the keys of a mapping beside the sites; the file of deferred work has two more.
func known(section string, deferred bool) []string {
	var names []string
	for _, k := range keys() {
		if name := k.Path[strings.LastIndexByte(k.Path, '.')+1:]; parent(k.Path) == section {
			names = append(names, name)
		}
	}
	if deferred {
		names = append(names, "adopt", "record")
	}
	return names
}

// parent is the path of the mapping that holds a key, "" for the whole file.
func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '.'))] }
