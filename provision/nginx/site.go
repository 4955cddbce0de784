package nginx

import "wsprovision/provision/site"

// The model of what is rendered.
type (
	Site     = site.Site
	Listen   = site.Listen
	TLS      = site.TLS
	Location = site.Location
	Backend  = site.Backend
)
