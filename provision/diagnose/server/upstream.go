package server

import (
	"fmt"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/render"
)

// upstreamNamed says besides which groups there are, one of whose names may be meant.
func upstreamNamed(e *facts.Evidence, name string) *cause.Diagnosis {
	d := UpstreamName(name)
	var groups []string
	mend := d.Mend
	for _, u := range e.Tree.Section() {
		if u.Name != "upstream" || len(u.Args) != 1 {
			continue
		}
		groups = append(groups, fmt.Sprintf("%s in %s:%d", u.Args[0], u.File, u.Line))
		mend = mend.Say("; where the upstream block ").Name(u.Args[0]).Say(" is meant, write its name")
	}
	if len(groups) == 0 || strings.Contains(name, ".") {
		return d
	}
	d.Mend = mend
	d.Evidence = append(d.Evidence, "no upstream block has that name; there is "+strings.Join(groups, ", "))
	return d
}

// UpstreamName is the diagnosis of a backend's name that does not resolve, which nginx looks up as it starts.
func UpstreamName(name string) *cause.Diagnosis {
	host, _, _ := strings.Cut(name, ":")
	if !render.IsHost(host) {
		return cause.New(cause.UpstreamUnresolved, "the name of a backend does not resolve on this host",
			cause.Say("add it to DNS or to /etc/hosts, or name the backend by its address; then systemctl "+
				"reload-or-restart nginx"))
	}
	return cause.New(cause.UpstreamUnresolved,
		fmt.Sprintf("the backend's name %s does not resolve on this host, and nginx neither starts nor reloads with "+
			"such a name", host),
		cause.Say("add ").Name(host).Say(" to DNS or to /etc/hosts (getent hosts ").Name(host).
			Say(" proves it), or name the backend by its address; then systemctl reload-or-restart nginx"))
}
