package labels

import (
	"context"

	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/selinux"
)

// Labels are those of files, where the kernel gives none.
type Labels struct {
	*host.Host
	Ledger    *state.Ledger
	HasNginx  func(ctx context.Context) (bool, error) // of the packages
	hopeless  bool                                    // a label could not be set here
	bare      []selinux.Path                          // what a walk found to have no label
	labelling bool                                    // bare stays as it is
}
