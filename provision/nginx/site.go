package nginx

import (
	"wsprovision/provision/nginx/render"
	"wsprovision/provision/site"
)

// The model of what is rendered.
type (
	Site     = site.Site
	Listen   = site.Listen
	TLS      = site.TLS
	Location = site.Location
	Backend  = site.Backend
)

// Render gives the one file of a site that shares nothing.
func Render(s Site) ([]byte, error) { return render.Alone(s) }

// IsHost reports whether the name is a host's.
func IsHost(name string) bool { return render.IsHost(name) }
