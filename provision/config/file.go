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
}

// readFile walks the whole file. The loops over settings keep its keys and the flags' the same ones.
func readFile(path string, content []byte, deferred bool, p *problems) contents {
	c := contents{layer: newLayer()}
	c.at[""] = where{source: path}
	document := parse(path, content, p)
	if document == nil {
		return c
	}
	r := &reader{path: path, p: p, at: c.at}
	keys := []string{"sites", "epel", "selinux", "on_drift", "wait", "worker_shutdown_timeout"}
	if deferred {
		keys = append(keys, "adopt")
	}
	top := r.section(document, "", keys...)
	c.at[""] = where{source: path}
	sections := map[string]map[string]*yaml.Node{
		"":        top,
		"epel":    r.section(top["epel"], "epel", "source", "package", "baseurl", "gpgkey", "fingerprint"),
		"selinux": r.section(top["selinux"], "selinux", "label_listen_ports"),
		"wait":    r.section(top["wait"], "wait", "yum_lock", "semanage_lock"),
	}
	for _, s := range settings() {
		section, name, found := strings.Cut(s.key, ".")
		if !found {
			section, name = "", s.key
		}
		if n := sections[section][name]; n != nil {
			w := r.note(n, s.key)
			if text := r.scalar(n, s.key); text != nil {
				c.set(s, *text, w, p)
			}
		}
	}
	c.sites = r.sites(top["sites"])
	if top["adopt"] != nil {
		c.adopt = list(r, top, "", "adopt", "consent", func(s scalar) (string, error) { return s.text, nil })
	}
	return c
}

// sites may be empty: a host that is to serve none any more.
func (r *reader) sites(n *yaml.Node) []Site {
	if n == nil || null(n) || n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		return nil
	}
	var all []Site
	for i, item := range r.items(n, "sites", "site", false) {
		all = append(all, r.site(item, fmt.Sprintf("sites[%d]", i)))
	}
	return all
}

func (r *reader) site(n *yaml.Node, key string) Site {
	m := r.mapping(n, key, "name", "server_name", "listen", "tls", "locations")
	site := Site{
		Name:        required(r, m, key, "name", siteName),
		ServerNames: list(r, m, key, "server_name", "name", serverName),
		TLS:         r.tls(m["tls"], key+".tls"),
		Listen:      []Listen{{Port: 80}},
	}
	if m["tls"] != nil {
		site.Listen = []Listen{{Port: 443}}
	}
	if m["listen"] != nil {
		site.Listen = list(r, m, key, "listen", "port", listen)
	}
	if locations := m["locations"]; locations != nil {
		for i, item := range r.items(locations, key+".locations", "location", false) {
			site.Locations = append(site.Locations, r.location(item, fmt.Sprintf("%s.locations[%d]", key, i)))
		}
	} else if m != nil {
		r.missing(key, "locations")
	}
	return site
}

// list parses one value or several.
func list[T any](r *reader, m map[string]*yaml.Node, key, name, of string, parse func(scalar) (T, error)) []T {
	n := m[name]
	if n == nil {
		if m != nil {
			r.missing(key, name)
		}
		return nil
	}
	var all []T
	for i, item := range r.items(n, join(key, name), of, true) {
		at := join(key, name)
		if n.Kind == yaml.SequenceNode {
			at = fmt.Sprintf("%s[%d]", at, i)
		}
		one, _ := value(r, item, at, parse) // a wrong one keeps its place, so that the others keep their numbers
		all = append(all, one)
	}
	return all
}

func (r *reader) tls(n *yaml.Node, key string) *TLS {
	if n == nil {
		return nil
	}
	m := r.mapping(n, key, "certificate", "key")
	return &TLS{
		Certificate: required(r, m, key, "certificate", filePath),
		Key:         required(r, m, key, "key", filePath),
	}
}

func (r *reader) location(n *yaml.Node, key string) Location {
	m := r.mapping(n, key, "path", "backend", "websocket", "read_timeout", "send_timeout", "connect_timeout")
	l := newLocation("", Backend{}, optional(r, m, key, "websocket", truth, true))
	l.Path = required(r, m, key, "path", locationPath)
	l.Backend = required(r, m, key, "backend", backend)
	l.ReadTimeout = optional(r, m, key, "read_timeout", timeout, l.ReadTimeout)
	l.SendTimeout = optional(r, m, key, "send_timeout", timeout, l.SendTimeout)
	l.ConnectTimeout = optional(r, m, key, "connect_timeout", timeout, l.ConnectTimeout)
	return l
}

// newLocation has the timeouts that suit its kind: a WebSocket may be silent for a day, a plain response not.
func newLocation(path string, to Backend, webSocket bool) Location {
	silence := plainTimeout
	if webSocket {
		silence = webSocketTimeout
	}
	return Location{Path: path, Backend: to, WebSocket: webSocket,
		ReadTimeout: silence, SendTimeout: silence, ConnectTimeout: connectTimeout}
}
