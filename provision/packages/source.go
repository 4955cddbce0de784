package packages

import (
	"os"

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
	chosen   bool     // this run has found that only the archive answers
}

// keyed are the sources with which a key of the configuration's is put on the host in any case.
var keyed = []string{config.EPELMirror, config.EPELPackage}

// AsksForKey reports whether the key's file is one that is wanted.
func (k Keys) AsksForKey() bool { return k.asks(KeyPath) }

func (src *Source) mirror() bool { return src.Config.EPEL.Source == config.EPELMirror }

// leftForOneRun reports whether the repository of one run is there.
func (rs Repositories) leftForOneRun() bool {
	fi, err := os.Lstat(rs.Root + runDir)
	return err == nil && fi.IsDir()
}
