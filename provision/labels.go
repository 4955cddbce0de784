package provision

import (
	"errors"
	"io/fs"
	"slices"

	"wsprovision/provision/host"
	"wsprovision/selinux"
)

// noteRelabel has the ledger know that the relabel is the agent's doing.
func (r *Run) noteRelabel() error {
	return r.ledger.Record(Entry{Kind: KindFile, Name: host.RelabelPath, Before: Absent, Left: digest([]byte(host.RelabelOrder))})
}

// relabelIsOurs reports whether the agent scheduled the relabel that is
// scheduled. One of an administrator's stands, whatever the labels are.
func (r *Run) relabelIsOurs() (bool, error) {
	have, err := r.Files.Read(host.RelabelPath)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) && r.Euid != 0 {
			err = nil
		}
		return false, err
	}
	e, recorded := r.ledger.Find(KindFile, host.RelabelPath)
	return recorded && e.Before == Absent && digest(have.Content) == e.Left, nil
}

// promiseRelabel comes before anything that would be left without a label if
// the machine went down before the labels are given.
func (r *Run) promiseRelabel() error {
	status, err := r.SELinux.Status()
	if err != nil || status.Store == "" || status.Configured == selinux.Disabled || !host.LabelsNothing(r.Host) {
		return err
	}
	return host.ScheduleRelabel(r.Host)
}

// takeBackRelabel is for when every file has its label after all.
func (r *Run) takeBackRelabel() error {
	host.SyncDisks(r.Host) // a label may lie on another file system than the promise
	if err := r.Files.Remove(host.RelabelPath); err != nil {
		return err
	}
	return r.ledger.keep(slices.DeleteFunc(slices.Clone(r.ledger.Entries),
		Entry{Kind: KindFile, Name: host.RelabelPath}.same))
}
