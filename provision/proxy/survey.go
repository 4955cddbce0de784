package proxy

import (
	"wsprovision/provision/host"
	"wsprovision/provision/known"
	"wsprovision/provision/managed"
	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/render"
)

// memory is what a survey has read of the host: while it lasts nothing is changed, and nothing need be read twice.
type memory struct {
	files  *Files
	Reader *conf.Reader
	ports  *host.Occupancy
	build  *render.Build
}

// Files is what was read of the files of ours, or why it could not be.
type Files struct {
	all []managed.File
	err error
}

// surveyed is the key of the memory.
type surveyed struct{}

// memory is empty after a change.
func (m *Survey) memory() *memory {
	return known.Once(m.Known, surveyed{}, func() *memory {
		m.Surveyed = &memory{Reader: host.ConfReader(m.Host)}
		return m.Surveyed
	})
}

// tester is nginx -t by what the survey has read.
func (v *Candidate) tester() nginx.Nginx {
	n := v.Nginx
	n.Reader = v.Survey.memory().Reader
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

// Survey is what a survey has read of nginx's configuration and of who listens.
type Survey struct {
	*host.Host
	Surveyed *memory // the newest
}
