package state

import (
	"fmt"

	multierror "github.com/hashicorp/go-multierror"

	"wsprovision/provision/engine"
)

// Unsettled is in no entry's words: what is still on its way, a file that waits
// beside its place or for a reload, is neither there nor given up.
const Unsettled = ""

// ReadBack reads back the entries that are only announced. One that cannot be
// read stays as it is.
func (l *Ledger) ReadBack(read func(Entry) (string, error)) error {
	var all *multierror.Error
	var entries []Entry
	for _, e := range l.Entries {
		kept, undone, err := e.readBack(read)
		if err != nil {
			all = multierror.Append(all, fmt.Errorf("read back %s %s: %w", e.Kind, e.Name, err))
		}
		if !undone {
			entries = append(entries, kept)
		}
	}
	return engine.Lines(multierror.Append(all, l.Keep(entries)))
}

func (e Entry) readBack(read func(Entry) (string, error)) (kept Entry, undone bool, err error) {
	if e.Prior == "" {
		return e, false, nil
	}
	now, err := read(e)
	if err != nil || now == Unsettled {
		return e, false, err
	}
	kept, undone = e.settled(now)
	return kept, undone, nil
}

// settled is the entry with what was read back of it: what it announced is
// there, or what stood there before still is. Undone is one whose thing is as
// it was before the agent came.
func (e Entry) settled(now string) (kept Entry, undone bool) {
	undone = now == e.Before && (e.Left != e.Before || e.Prior != e.Before)
	switch now {
	case e.Left:
		e.Prior = ""
	case e.Prior:
		e.Left, e.Prior = e.Prior, ""
	}
	return e, undone
}

// IsTheirs reports whether what is there now is not the agent's although it has an
// entry: the agent has never come to replace it, a revert has brought it back, or
// it came after the agent had removed its own.
func (e Entry) IsTheirs(now string) bool {
	return e.Prior != "" && now == e.Before || e.Left == Absent && now != e.Prior
}
