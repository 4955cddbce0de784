package provision

import (
	"wsprovision/provision/host"
	"wsprovision/provision/managed"
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
	all []managed.File
	err error
}

// memory is empty outside a survey: after a change nothing is believed.
func (m *Survey) memory() *memory {
	if m.engine == nil || !m.engine.Surveying {
		return &memory{}
	}
	if m.surveyed == nil {
		m.surveyed = &memory{}
	}
	return m.surveyed
}

// tester is nginx -t by what the survey has read.
func (v *Candidate) tester() nginx.Nginx {
	n := v.Nginx
	n.Reader = &v.survey.memory().reader
	return n
}

// occupied is who listens on this host.
func (m *Survey) occupied() *host.Occupancy {
	known := m.memory()
	if known.ports == nil {
		known.ports = host.ReadOccupancy(m.Host)
	}
	return known.ports
}
