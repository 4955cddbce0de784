package sitekeys

import (
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/config/reading"
	"wsprovision/provision/site"
)

// Check finds what is wrong between values that are right by themselves. A value that was wrong is empty here, and is
// passed over: it has been reported.
func Check(sites []site.Site, at reading.Origins, p *reading.Problems) {
	names := map[string]string{}
	servers := map[string]string{}
	sockets, defaults := shared{}, map[string]string{}
	for i, s := range sites {
		key := fmt.Sprintf("sites[%d]", i)
		if s.Name != "" {
			claim(names, s.Name, key+".name", "the name "+s.Name, at, p)
		}
		checkSockets(s, key, servers, at, p)
		checkShared(s, key, sockets, at, p)
		checkPort80(s, key, at, p)
		checkDefault(s, key, defaults, at, p)
		checkProxies(s, key, at, p)
		twice(s.TrustedProxies, key+".trusted_proxies", at, p)
		checkLocations(s, key, at, p)
	}
}

// claim complains where somebody had the thing before.
func claim(taken map[string]string, thing, key, what string, at reading.Origins, p *reading.Problems) {
	if first, ok := taken[thing]; ok {
		problem := at.Problem(key, "")
		problem.Message = fmt.Sprintf("%s is taken already by %s", what, p.Place(at.Problem(first, ""), problem.Source))
		p.Add(problem)
		return
	}
	taken[thing] = key
}

// checkSockets refuses what nginx refuses (a listen twice in a server), and what it only warns of and then ignores (a
// name twice on a socket).
func checkSockets(s site.Site, key string, servers map[string]string, at reading.Origins, p *reading.Problems) {
	own := map[string]string{}
	for j, l := range s.Listen {
		if l.Port != 0 {
			claim(own, l.Socket(), element(at, key+".listen", j), "the socket "+l.String(), at, p)
		}
	}
	names := map[string]bool{}
	for j, name := range s.ServerNames {
		here := element(at, key+".server_name", j)
		lower := strings.ToLower(name)
		twice := names[lower]
		names[lower] = true
		switch {
		case name == "":
		case twice:
			p.Add(at.Problem(here, fmt.Sprintf("the name %s stands twice", name)))
		default:
			claimName(name, here, slices.Concat(s.Listen, s.Port80()), servers, at, p)
		}
	}
}

func claimName(name, here string, listen []site.Listen, servers map[string]string, at reading.Origins,
	p *reading.Problems) {
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
func element(at reading.Origins, key string, i int) string {
	if one := fmt.Sprintf("%s[%d]", key, i); at.Has(one) {
		return one
	}
	return key
}
