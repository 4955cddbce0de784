package config

import (
	"fmt"
	"slices"
	"strings"
)

// check finds what is wrong between values that are right by themselves. A value that was wrong is empty here, and is
// passed over: it has been reported.
func check(c Config, at origins, p *problems) {
	checkEPEL(c.EPEL, at, p)
	names := map[string]string{}
	servers := map[string]string{}
	sockets, defaults := shared{}, map[string]string{}
	for i, site := range c.WithIPv6().Sites {
		key := fmt.Sprintf("sites[%d]", i)
		if site.Name != "" {
			claim(names, site.Name, key+".name", "the name "+site.Name, at, p)
		}
		checkSockets(site, key, servers, at, p)
		checkShared(site, key, sockets, at, p)
		checkPort80(site, key, at, p)
		checkDefault(site, key, defaults, at, p)
		checkProxies(site, key, at, p)
		twice(site.TrustedProxies, key+".trusted_proxies", at, p)
		checkLocations(site, key, at, p)
	}
}

// claim complains where somebody had the thing before.
func claim(taken map[string]string, thing, key, what string, at origins, p *problems) {
	if first, ok := taken[thing]; ok {
		problem := at.problem(key, "")
		problem.Message = fmt.Sprintf("%s is taken already by %s", what, p.place(at.problem(first, ""), problem.Source))
		p.add(problem)
		return
	}
	taken[thing] = key
}

// checkSockets refuses what nginx refuses (a listen twice in a server), and what it only warns of and then ignores (a
// name twice on a socket).
func checkSockets(site Site, key string, servers map[string]string, at origins, p *problems) {
	own := map[string]string{}
	for j, l := range site.Listen {
		if l.Port != 0 {
			claim(own, l.Socket(), element(at, key+".listen", j), "the socket "+l.String(), at, p)
		}
	}
	names := map[string]bool{}
	for j, name := range site.ServerNames {
		here := element(at, key+".server_name", j)
		lower := strings.ToLower(name)
		twice := names[lower]
		names[lower] = true
		switch {
		case name == "":
		case twice:
			p.add(at.problem(here, fmt.Sprintf("the name %s stands twice", name)))
		default:
			claimName(name, here, slices.Concat(site.Listen, site.Port80()), servers, at, p)
		}
	}
}

func claimName(name, here string, listen []Listen, servers map[string]string, at origins, p *problems) {
	for _, l := range listen {
		thing := strings.ToLower(name) + " " + l.Socket()
		if l.Port == 0 || servers[thing] == here { // the socket stands twice, which has been said
			continue
		}
		if _, taken := servers[thing]; taken {
			claim(servers, thing, here, fmt.Sprintf("the name %s on %s", name, l), at, p)
			return // one is enough to be told
		}
		servers[thing] = here
	}
}

// element is the key of a list's element, or of the list where it was written as one value.
func element(at origins, key string, i int) string {
	if one := fmt.Sprintf("%s[%d]", key, i); at.has(one) {
		return one
	}
	return key
}
