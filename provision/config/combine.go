package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// combine brings the site of the flags and the file's sites together, as the package comment says.
func combine(file []Site, from flagSite, at origins, p *problems) []Site {
	given := ""
	for _, s := range settings() {
		if strings.HasPrefix(s.Path, "site.") && at.has(s.Path) {
			given = s.Path
			break
		}
	}
	i := slices.IndexFunc(file, func(s Site) bool { return s.Name == from.Name })
	switch {
	case given == "":
		return file
	case i >= 0:
		override(&file[i], fmt.Sprintf("sites[%d]", i), from, at, p)
		return file
	case len(file) > 0:
		p.add(Problem{Source: at[given].source, Message: fmt.Sprintf(
			"describes the site %s, and %s has other sites (%s): add it there, or leave the file out with --config "+
				"/dev/null",
			from.Name, at["sites[0]"].source, names(file))})
		return file
	}
	return []Site{create(given, from, at, p)}
}

func names(sites []Site) string {
	var all []string
	for _, s := range sites {
		all = append(all, s.Name)
	}
	return cut(strings.Join(all, ", "))
}

// create makes the one site of a run without any in a file.
func create(given string, from flagSite, at origins, p *problems) Site {
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
	at["sites[0]"] = at[given]
	site := Site{Name: from.Name, Listen: []Listen{{Port: 80}}, ServerNames: from.ServerNames,
		Locations: []Location{newLocation(from.Path, from.Backend, true)}}
	at.move("site.name", "sites[0].name")
	at.move("site.server_name", "sites[0].server_name")
	at.move("site.path", "sites[0].locations[0].path")
	at.move("site.backend", "sites[0].locations[0].backend")
	if at.has("site.listen") {
		site.Listen = from.Listen
		at.move("site.listen", "sites[0].listen")
	}
	plainBackend(&site, "sites[0]", from, at)
	return site
}

// override changes what the flags name in a site of the file.
func override(site *Site, key string, from flagSite, at origins, p *problems) {
	if at.has("site.server_name") {
		site.ServerNames = from.ServerNames
		at.move("site.server_name", key+".server_name")
	}
	if at.has("site.listen") {
		site.Listen = from.Listen
		at.move("site.listen", key+".listen")
	}
	for _, name := range []string{"backend", "path"} {
		if !at.has("site." + name) {
			continue
		}
		i := onlyWebSocket(site.Locations)
		if i < 0 {
			p.add(Problem{Key: name, Source: at["site."+name].source, Message: fmt.Sprintf(
				"the site %s has not exactly one WebSocket location in %s: change it there", from.Name, at[key].source)})
			continue
		}
		if name == "path" {
			site.Locations[i].Path = from.Path
		} else {
			site.Locations[i].Backend = from.Backend
		}
		at.move("site."+name, fmt.Sprintf("%s.locations[%d].%s", key, i, name))
	}
	plainBackend(site, key, from, at)
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
		site.Locations = append(site.Locations, newLocation("/", from.HTTPBackend, false))
	}
	site.Locations[i].Backend = from.HTTPBackend
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
