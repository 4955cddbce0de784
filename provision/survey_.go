package provision

import (
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
)

// Survey is what a survey has read of nginx's configuration and of who listens.
type Survey struct {
	*host.Host
	engine   *engine.Engine
	surveyed *memory
}
