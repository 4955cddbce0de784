package provision

import (
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
)

// memory is what a survey has read of the host: while it lasts nothing is changed, and nothing need be read twice.
type memory struct {
	files  *siteFiles
	reader nginx.Reader
	ports  *host.Occupancy
}

// siteFiles is what was read of the files of ours, or why it could not be.
type siteFiles struct {
	all []siteFile
	err error
}

// memory is empty outside a survey: after a change nothing is believed.
func (r *Run) memory() *memory {
	if r.engine == nil || !r.engine.Surveying {
		return &memory{}
	}
	if r.surveyed == nil {
		r.surveyed = &memory{}
	}
	return r.surveyed
}

// tester is nginx -t by what the survey has read.
func (r *Run) tester() nginx.Nginx {
	n := r.Nginx
	n.Reader = &r.memory().reader
	return n
}

// occupied is who listens on this host.
func (r *Run) occupied() *host.Occupancy {
	m := r.memory()
	if m.ports == nil {
		m.ports = host.ReadOccupancy(r.Host)
	}
	return m.ports
}
