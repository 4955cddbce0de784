package config

import (
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/config/sitekeys"
)

// combine brings the site of the flags and the files' sites together, as the package comment says.
func combine(file contents, from flagSite, at reading.Origins, p *reading.Problems) []Site {
	given := ""
	for _, s := range siteSettings() {
		if at.Has(s.Path) {
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
		p.Add(reading.Problem{Source: at[given].Source, Message: fmt.Sprintf(
			"describes the site %s, and %s has other sites (%s): add it there, or leave the file out with --config "+
				"/dev/null",
			from.Name, at["sites[0]"].Source, names(sites))})
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
	return kinds.Cut(strings.Join(all, ", "))
}

// create makes the site of the flags where no file has it.
func create(key, given string, from flagSite, at reading.Origins, p *reading.Problems) Site {
	needs := func(key, hint string) {
		p.Add(reading.Problem{Key: key, Source: at[given].Source, Message: "needs " + hint + " too"})
	}
	if !at.Has("site.server_name") {
		needs("server_name", "--server-name ws.example.com")
	}
	if !at.Has("site.backend") {
		needs("backend", "--backend 127.0.0.1:3000")
	}
	if at.Has("site.http_backend") && from.Path == "/" {
		given = "site.http_backend"
		needs("path", "--path /ws/ (or another path for the WebSockets, for / goes to --http-backend)")
		delete(at, "site.http_backend")
	}
	at[key] = at[given]
	site := Site{Name: from.Name, StandardListen: true, ServerNames: from.ServerNames,
		Locations: []Location{sitekeys.NewLocation(from.Path, from.Backends, true)}}
	at.Move("site.name", key+".name")
	at.Move("site.server_name", key+".server_name")
	at.Move("site.path", key+".locations[0].path")
	at.Move("site.backend", key+".locations[0].backend")
	overrideSite(&site, key, from, at, p)
	overrideOrigins(&site, key, from, at, p)
	plainBackend(&site, key, from, at)
	return site
}

// override changes what the flags name in a site of the file.
func override(site *Site, key string, from flagSite, at reading.Origins, p *reading.Problems) {
	if at.Has("site.server_name") {
		site.ServerNames = from.ServerNames
		at.Move("site.server_name", key+".server_name")
	}
	overrideSite(site, key, from, at, p)
	for _, name := range []string{"backend", "path"} {
		if !at.Has("site." + name) {
			continue
		}
		i := onlyWebSocket(site.Locations)
		if i < 0 {
			p.Add(reading.Problem{Key: name, Source: at["site."+name].Source, Message: fmt.Sprintf(
				"the site %s has not exactly one WebSocket location in %s: change it there", from.Name,
				at[key].Source)})
			continue
		}
		if name == "path" {
			site.Locations[i].Path = from.Path
		} else {
			site.Locations[i].Backends = from.Backends
		}
		at.Move("site."+name, fmt.Sprintf("%s.locations[%d].%s", key, i, name))
	}
	overrideOrigins(site, key, from, at, p)
	plainBackend(site, key, from, at)
}

// overrideSite changes what is asked of the whole site.
func overrideSite(site *Site, key string, from flagSite, at reading.Origins, p *reading.Problems) {
	overrideTLS(site, key+".tls", from, at, p)
	if at.Has("site.listen") {
		site.Listen, site.StandardListen = from.Listen, false
		at.Move("site.listen", key+".listen")
	}
	if site.StandardListen {
		site.Listen = sitekeys.StandardListen(*site)
	}
}

func overrideTLS(site *Site, key string, from flagSite, at reading.Origins, p *reading.Problems) {
	files := at.Has("site.tls_certificate") || at.Has("site.tls_key")
	if site.TLS == nil && !files {
		if at.Has("site.redirect") {
			p.Add(reading.Problem{Key: "redirect", Source: at["site.redirect"].Source,
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
		if at.Has("site.tls_" + name) {
			set()
			at.Move("site.tls_"+name, key+"."+name)
		} else if site.TLS == nil {
			p.Add(reading.Problem{Key: key + "." + name,
				Source:  either(at, "site.tls_certificate", "site.tls_key").Source,
				Message: "needs --tls-" + name + " too"})
		}
	}
	if at.Has("site.redirect") {
		tls.Redirect = from.Redirect
		at.Move("site.redirect", key+".redirect")
	}
	site.TLS = &tls
}

func either(at reading.Origins, keys ...string) reading.Where {
	for _, k := range keys {
		if at.Has(k) {
			return at[k]
		}
	}
	return reading.Where{}
}

func overrideOrigins(site *Site, key string, from flagSite, at reading.Origins, p *reading.Problems) {
	if !at.Has("site.allowed_origins") {
		return
	}
	i := onlyWebSocket(site.Locations)
	if i < 0 {
		p.Add(reading.Problem{Key: "allowed_origins", Source: at["site.allowed_origins"].Source, Message: fmt.Sprintf(
			"the site %s has not exactly one WebSocket location in %s: change it there", from.Name, at[key].Source)})
		return
	}
	site.Locations[i].AllowedOrigins = from.Origins
	at.Move("site.allowed_origins", fmt.Sprintf("%s.locations[%d].allowed_origins", key, i))
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
func plainBackend(site *Site, key string, from flagSite, at reading.Origins) {
	if !at.Has("site.http_backend") {
		return
	}
	i := slices.IndexFunc(site.Locations, func(l Location) bool { return l.Path == "/" && !l.WebSocket })
	if i < 0 {
		i = len(site.Locations)
		site.Locations = append(site.Locations, sitekeys.NewLocation("/", from.HTTPBackends, false))
	}
	site.Locations[i].Backends = from.HTTPBackends
	at.Move("site.http_backend", fmt.Sprintf("%s.locations[%d].backend", key, i))
	at.Add(reading.Origins{fmt.Sprintf("%s.locations[%d].path", key, i): at["site.http_backend"]})
}
