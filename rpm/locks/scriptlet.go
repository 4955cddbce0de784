package locks

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
func (h Locks) InScriptlet() (bool, error) {
	ancestors, err := h.ancestors()
	if err != nil {
		return false, fmt.Errorf("look for an rpm transaction above us: %w", err)
	}
	locks, err := h.FileLocks(RpmLock)
	if err != nil {
		return false, fmt.Errorf("look for an rpm transaction above us: %w", err)
	}
	for _, p := range ancestors {
		if slices.Contains(locks, FileLock{PID: p.PID, Write: true}) { // rpm never takes a read lock
			return true, nil
		}
	}
	o, err := h.Holder()
	if err != nil {
		return false, fmt.Errorf("look for an rpm transaction above us: %w", err)
	}
	return o != nil && o.File != RpmLock && mayLock().MatchString(o.Process.Name) &&
		slices.ContainsFunc(ancestors, func(p Process) bool { return p.PID == o.Process.PID }), nil
}

// ancestors are our parent, its parent and so on up to pid 1; pids of another namespace show as 0 and end the chain.
func (h Locks) ancestors() ([]Process, error) {
	self, err := h.Process("self")
	if err != nil {
		return nil, err
	}
	var all []Process
	for next := self.Parent; next > 0 && len(all) < 1000; {
		p, err := h.Process(strconv.Itoa(next))
		if errors.Is(err, fs.ErrNotExist) {
			break // it ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
		next = p.Parent
	}
	return all, nil
}

// Locks are those of rpm and yum on a host; Root is the prefix of every path that is read.
type Locks struct{ Root string }
