package labels

import (
	"errors"
	"io/fs"
	"slices"

	"wsprovision/provision/host"
	"wsprovision/provision/state"
	"wsprovision/selinux"
)

// NoteRelabel has the ledger know that the relabel is the agent's doing.
func (l *Labels) NoteRelabel() error {
	return l.Ledger.Record(state.Entry{Kind: state.KindFile, Name: host.RelabelPath, Before: state.Absent,
		Left: state.Digest([]byte(host.RelabelOrder))})
}

// relabelIsOurs reports whether the agent scheduled the relabel that is
// scheduled. One of an administrator's stands, whatever the labels are.
func (l *Labels) relabelIsOurs() (bool, error) {
	have, err := l.Files.Read(host.RelabelPath)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) && l.Euid != 0 {
			err = nil
		}
		return false, err
	}
	e, recorded := l.Ledger.Find(state.KindFile, host.RelabelPath)
	return recorded && e.Before == state.Absent && state.Digest(have.Content) == e.Left, nil
}

// PromiseRelabel comes before anything that would be left without a label if
// the machine went down before the labels are given.
func (l *Labels) PromiseRelabel() error {
	status, err := l.SELinux.Status()
	if err != nil || status.Store == "" || status.Configured == selinux.Disabled || !host.LabelsNothing(l.Host) {
		return err
	}
	return host.ScheduleRelabel(l.Host)
}

// takeBackRelabel is for when every file has its label after all.
func (l *Labels) takeBackRelabel() error {
	host.SyncDisks(l.Host) // a label may lie on another file system than the promise
	if err := l.Files.Remove(host.RelabelPath); err != nil {
		return err
	}
	return l.Ledger.Keep(slices.DeleteFunc(slices.Clone(l.Ledger.Entries),
		state.Entry{Kind: state.KindFile, Name: host.RelabelPath}.Same))
}
