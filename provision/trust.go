package provision

import (
	"errors"
	"fmt"
	"os"

	"wsprovision/provision/hostfile"
	"wsprovision/provision/state"
)

// ErrUntrusted says that somebody else than root could have written what a run
// goes by.
var ErrUntrusted = errors.New("somebody else than root could change what this run goes by")

// trustsItsState refuses to change the host by a ledger, a note of an owed
// reload or a report that somebody else than root could have written: a revert
// writes what they say, as root.
func (r *Run) trustsItsState() error {
	if r.Euid != 0 {
		return nil
	}
	var paths []string
	for _, path := range []string{state.LedgerPath, state.HistoryPath, state.OwedPath} {
		if _, err := os.Lstat(r.Root + path); err == nil {
			paths = append(paths, r.Root+path)
		}
	}
	err := hostfile.Trusted(paths...)
	switch {
	case err == nil:
		return nil
	case r.planning:
		r.notice("apply and revert will refuse this: " + err.Error())
		return nil
	}
	return fmt.Errorf("%w:\n%w", ErrUntrusted, err)
}
