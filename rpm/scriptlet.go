package rpm

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
)

// InScriptlet is true where one of our ancestors is in an rpm transaction or holds yum's lock, that is, where we were
// started by an RPM scriptlet or by a yum plugin: yum called from there waits for its own parent for ever (rpm 4.11,
// lib/rpmlock.c). The error is fs.ErrNotExist where there is no /proc to tell from.
func (h Host) InScriptlet() (bool, error) {
	ancestors, err := h.ancestors()
	if err != nil {
		return false, fmt.Errorf("look for an rpm transaction above us: %w", err)
	}
	locks, err := h.fileLocks(rpmLock)
	if err != nil {
		return false, fmt.Errorf("look for an rpm transaction above us: %w", err)
	}
	for _, p := range ancestors {
		if slices.Contains(locks, fileLock{pid: p.pid, write: true}) { // rpm never takes a read lock
			return true, nil
		}
	}
	o, err := h.holder()
	if err != nil {
		return false, fmt.Errorf("look for an rpm transaction above us: %w", err)
	}
	return o != nil && o.file != rpmLock && mayLock.MatchString(o.process.name) &&
		slices.ContainsFunc(ancestors, func(p process) bool { return p.pid == o.process.pid }), nil
}

// ancestors are our parent, its parent and so on up to pid 1; pids of another namespace show as 0 and end the chain.
func (h Host) ancestors() ([]process, error) {
	self, err := h.process("self")
	if err != nil {
		return nil, err
	}
	var all []process
	for next := self.parent; next > 0 && len(all) < 1000; {
		p, err := h.process(strconv.Itoa(next))
		if errors.Is(err, fs.ErrNotExist) {
			break // it ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
		next = p.parent
	}
	return all, nil
}
