package provision

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/rpm/locks"
)

// ErrNotRoot says that the run needs root's rights.
var ErrNotRoot = errors.New("this needs root: run it with sudo, or as root")

// checkPlatform holds the preconditions: root, RHEL 7 or a rebuild of it, and
// not inside an RPM scriptlet, where yum would wait for ever for the lock that
// its own parent holds.
func (r *Run) checkPlatform(context.Context) (engine.Finding, error) {
	var f engine.Finding
	os, err := host.ReadOSRelease(r.Root)
	if err != nil {
		return f, err
	}
	f.Notes = append(f.Notes, fmt.Sprintf("%s, %s", os, r.Where.Why))
	if r.Euid != 0 {
		f.Warnings = append(f.Warnings, "not run as root: what only root may read is not in this plan")
	}
	if !os.Supported() {
		if !r.AnyPlatform {
			return f, fmt.Errorf("this is %s, and the agent knows RHEL 7 and its rebuilds; --any-platform goes on "+
				"all the same", os)
		}
		f.Warnings = append(f.Warnings,
			fmt.Sprintf("%s is not RHEL 7 or a rebuild of it; going on all the same", os))
	}
	r.sayDefaults(&f)
	inside, err := locks.Locks{Root: r.RPM.Root}.InScriptlet()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Warnings = append(f.Warnings,
			"no /proc here: cannot tell whether this is called from an RPM scriptlet, where yum would wait for ever")
	case err != nil:
		return f, err
	case inside:
		return f, errors.New("called from an RPM scriptlet: yum would wait for ever for the transaction that called " +
			"it; call the agent after the transaction")
	}
	return f, nil
}
