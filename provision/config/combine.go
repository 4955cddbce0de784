package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// combine brings the site of the flags and the files' sites together, as the package comment says.
func combine(file contents, from flagSite, at origins, p *problems) []Site {
	given := ""
	for _, s := range siteSettings() {
		if at.has(s.Path) {
			given = s.Path
			break
		}
	}
	sites := file.sites
	i := slices.IndexFunc(sites, func(s Site) bool { return s.Name == from.Name })
	switch {
	case given == "":
	case i >= 0:
		override(&sites[i], fmt.Sprintf("sites[%d]", i), from, at, p)
	case file.slot >= 0:
		sites[file.slot] = create(fmt.Sprintf("sites[%d]", file.slot), given, from, at, p)
	case len(sites) > 0:
		p.add(Problem{Source: at[given].source, Message: fmt.Sprintf(
			"describes the site %s, and %s has other sites (%s): add it there, or leave the file out with --config "+
				"/dev/null",
			from.Name, at["sites[0]"].source, names(sites))})
	default:
		sites = []Site{create("sites[0]", given, from, at, p)}
	}
	return sites
}

func names(sites []Site) string {
	var all []string
	for _, s := range sites {
		all = append(all, s.Name)
	}
	return cut(strings.Join(all, ", "))
}

// create makes the site of the flags where no file has it.
func create(key, given string, from flagSite, at origins, p *problems) Site {
	needs := func(key, hint string) {
		p.add(Problem{Key: key, Source: at[given].source, Message: "needs " + hint + " too"})
	}
	if !at.has("site.server_name") {
		needs("server_name", "--server-name ws.example.com")
	}
	if !at.has("site.backend") {
		needs("backend", "--backend 127.0.0.1:3000")
	}
	if at.has("site.http_backend") && from.Path == "/" {
		given = "site.http_backend"
		needs("path", "--path /ws/ (or another path for the WebSockets, for / goes to --http-backend)")
		delete(at, "site.http_backend")
	}
	at[key] = at[given]
	site := Site{Name: from.Name, StandardListen: true, ServerNames: from.ServerNames,
		Locations: []Location{newLocation(from.Path, from.Backends, true)}}
	at.move("site.name", key+".name")
	at.move("site.server_name", key+".server_name")
	at.move("site.path", key+".locations[0].path")
	at.move("site.backend", key+".locations[0].backend")
	overrideSite(&site, key, from, at, p)
	overrideOrigins(&site, key, from, at, p)
	plainBackend(&site, key, from, at)
	return site
}

// override changes what the flags name in a site of the file.
func override(site *Site, key string, from flagSite, at origins, p *problems) {
	if at.has("site.server_name") {
		site.ServerNames = from.ServerNames
		at.move("site.server_name", key+".server_name")
	}
	overrideSite(site, key, from, at, p)
	for _, name := range []string{"backend", "path"} {
		if !at.has("site." + name) {
			continue
		}
		i := onlyWebSocket(site.Locations)
		if i < 0 {
			p.add(Problem{Key: name, Source: at["site."+name].source, Message: fmt.Sprintf(
				"the site %s has not exactly one WebSocket location in %s: change it there", from.Name,
				at[key].source)})
			continue
		}
		if name == "path" {
			site.Locations[i].Path = from.Path
		} else {
			site.Locations[i].Backends = from.Backends
		}
		at.move("site."+name, fmt.Sprintf("%s.locations[%d].%s", key, i, name))
	}
	overrideOrigins(site, key, from, at, p)
	plainBackend(site, key, from, at)
}

// overrideSite changes what is asked of the whole site.
func overrideSite(site *Site, key string, from flagSite, at origins, p *problems) {
	overrideTLS(site, key+".tls", from, at, p)
	if at.has("site.listen") {
		site.Listen, site.StandardListen = from.Listen, false
		at.move("site.listen", key+".listen")
	}
	if site.StandardListen {
		site.Listen = standardListen(*site)
	}
}

func overrideTLS(site *Site, key string, from flagSite, at origins, p *problems) {
	files := at.has("site.tls_certificate") || at.has("site.tls_key")
	if site.TLS == nil && !files {
		if at.has("site.redirect") {
			p.add(Problem{Key: "redirect", Source: at["site.redirect"].source,
				Message: "needs TLS: give --tls-certificate and --tls-key too"})
		}
		return
	}
	tls := TLS{}
	if site.TLS != nil {
		tls = *site.TLS
	}
	for name, set := range map[string]func(){
		"certificate": func() { tls.Certificate = from.Certificate }, "key": func() { tls.Key = from.Key }} {
		if at.has("site.tls_" + name) {
			set()
			at.move("site.tls_"+name, key+"."+name)
		} else if site.TLS == nil {
			p.add(Problem{Key: key + "." + name, Source: either(at, "site.tls_certificate", "site.tls_key").source,
				Message: "needs --tls-" + name + " too"})
		}
	}
	if at.has("site.redirect") {
		tls.Redirect = from.Redirect
		at.move("site.redirect", key+".redirect")
	}
	site.TLS = &tls
}

func either(at origins, keys ...string) where {
	for _, k := range keys {
		if at.has(k) {
			return at[k]
		}
	}
	return where{}
}

func overrideOrigins(site *Site, key string, from flagSite, at origins, p *problems) {
	if !at.has("site.allowed_origins") {
		return
	}
	i := onlyWebSocket(site.Locations)
	if i < 0 {
		p.add(Problem{Key: "allowed_origins", Source: at["site.allowed_origins"].source, Message: fmt.Sprintf(
			"the site %s has not exactly one WebSocket location in %s: change it there", from.Name, at[key].source)})
		return
	}
	site.Locations[i].AllowedOrigins = from.Origins
	at.move("site.allowed_origins", fmt.Sprintf("%s.locations[%d].allowed_origins", key, i))
}

func onlyWebSocket(locations []Location) int {
	found := -1
	for i, l := range locations {
		if l.WebSocket && found >= 0 {
			return -1
		}
		if l.WebSocket {
			found = i
		}
	}
	return found
}

// plainBackend changes or adds the plain HTTP location on /.
func plainBackend(site *Site, key string, from flagSite, at origins) {
	if !at.has("site.http_backend") {
		return
	}
	i := slices.IndexFunc(site.Locations, func(l Location) bool { return l.Path == "/" && !l.WebSocket })
	if i < 0 {
		i = len(site.Locations)
		site.Locations = append(site.Locations, newLocation("/", from.HTTPBackends, false))
	}
	site.Locations[i].Backends = from.HTTPBackends
	at.move("site.http_backend", fmt.Sprintf("%s.locations[%d].backend", key, i))
	at.add(origins{fmt.Sprintf("%s.locations[%d].path", key, i): at["site.http_backend"]})
}

// move makes a key of the list of sites stand where the flag was written, and forgets the file's elements under it.
func (o origins) move(from, to string) {
	w, ok := o[from]
	if !ok {
		return
	}
	maps.DeleteFunc(o, func(key string, _ where) bool { return strings.HasPrefix(key, to+"[") })
	o[to] = w
}
