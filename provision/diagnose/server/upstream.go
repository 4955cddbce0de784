package server

import (
	"fmt"
	"strings"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/nginx/render"
)

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
