package packages

import (
	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/managed"
	"wsprovision/provision/state"
)

// Source is where EPEL's packages come from.
type Source struct {
	*host.Host
	Config   config.Config
	Ledger   *state.Ledger
	Managed  *managed.Files
	Packages *Packages
	release  *Release // what epel.package names; nil: fetch it
}

func (src *Source) AsksForKey() bool {
	return src.Config.EPEL.Source == config.EPELMirror || src.Config.EPEL.Source == config.EPELPackage
}
