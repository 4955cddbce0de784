package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"

	"wsprovision/provision/host"
)

// LedgerPath is the record of everything the agent changed.
const LedgerPath = host.StateDir + "/ledger.json"

// The versions of the ledger's form. Version 1 is what 1.0.0 knows, and what is
// written as long as it says all there is to say: the way back to 1.0.0 stays
// open. Version 2 has any kind and field of this agent's, and large contents
// beside the ledger.
const (
	LedgerVersion1 = 1
	LedgerVersion2 = 2
)

// NewLedger is an empty ledger, which lies on the disk with its first record.
func NewLedger(files *host.Files) *Ledger { return &Ledger{Version: LedgerVersion1, files: files} }

// ReadLedger reads the ledger; one that was never written is empty.
func ReadLedger(files *host.Files) (*Ledger, error) {
	l := NewLedger(files)
	have, err := files.Read(LedgerPath)
	if err != nil || have.Content == nil {
		return l, err
	}
	if err := l.decode(have.Content); err != nil {
		return nil, fmt.Errorf("read %s: %w", LedgerPath, err)
	}
	return l, l.bringContents()
}

// decode is strict about version 2: what a later agent has written into it, and
// this one does not know, would be lost with the next write.
func (l *Ledger) decode(text []byte) error {
	if err := json.Unmarshal(text, l); err != nil {
		return fmt.Errorf("%w; it tells what the agent changed on this host: restore it from a backup, or move it "+
			"away and lose the way back", err)
	}
	switch l.Version {
	case LedgerVersion1:
	case LedgerVersion2:
		if err := Strictly(text, &Ledger{}); err != nil {
			return fmt.Errorf("%w, which this agent does not know: use the newer agent that wrote it", err)
		}
	default:
		return fmt.Errorf("its version is %d, which this agent does not know: use the newer agent that wrote it",
			l.Version)
	}
	for _, e := range l.Entries {
		if kinds[e.Kind] == 0 || kinds[e.Kind] > l.Version {
			return fmt.Errorf("the entry of %s is of the kind %q, which this agent does not know in version %d: "+
				"use the newer agent that wrote it", e.Name, e.Kind, l.Version)
		}
	}
	return nil
}

func Strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func (l *Ledger) save() error {
	if len(l.Entries) == 0 {
		if err := l.files.Remove(LedgerPath); err != nil {
			return err
		}
		return l.Sweep()
	}
	if err := l.files.MakeDir(host.StateDir, 0o700); err != nil {
		return err
	}
	text, entries, err := l.encode()
	if err == nil {
		err = l.putContents(entries)
	}
	if err != nil {
		return fmt.Errorf("record in %s: %w", LedgerPath, err)
	}
	if err := l.files.Write(LedgerPath, text, 0o600); err != nil {
		return err
	}
	l.Entries = entries
	return l.Sweep()
}

// encode is the ledger's text, and its entries with what of them lies beside it.
func (l *Ledger) encode() (text []byte, entries []Entry, err error) {
	for _, e := range l.Entries {
		if kinds[e.Kind] == 0 {
			return nil, nil, fmt.Errorf("%s: the kind %q is not among kinds, and could not be read again", e.Name,
				e.Kind)
		}
	}
	entries = slices.Clone(l.Entries)
	l.Version = LedgerVersion1
	putBeside(entries, LargeContent)
	if text, err = l.text(entries); err != nil || isVersion1(text) {
		return text, entries, err
	}
	l.Version = LedgerVersion2
	if len(text) > limit1 { // of contents that are not large
		putBeside(entries, smallContent)
	}
	text, err = l.text(entries)
	return text, entries, err
}

// putBeside has contents of more than limit bytes lie beside the ledger, and
// what is lost stay named.
func putBeside(entries []Entry, limit int) {
	for i := range entries {
		switch e := &entries[i]; {
		case len(e.Bytes) > limit:
			e.Beside = contentName(e.Bytes)
		case !e.IsLost():
			e.Beside = ""
		}
	}
}

func (l *Ledger) text(entries []Entry) ([]byte, error) {
	out := Ledger{Version: l.Version, Entries: slices.Clone(entries), Had: l.Had}
	for i := range out.Entries {
		if e := &out.Entries[i]; e.Beside != "" {
			e.Bytes = nil
		}
	}
	text, err := json.MarshalIndent(out, "", "  ")
	return append(text, '\n'), err
}

// ledger1 is the form that 1.0.0 reads, for ever as it is.
type ledger1 struct {
	Version int      `json:"ledger_version"`
	Entries []entry1 `json:"entries"`
	Had     []string `json:"packages_before"`
}

type entry1 struct {
	Kind   Kind        `json:"kind"`
	Name   string      `json:"name"`
	Before string      `json:"before"`
	Left   string      `json:"left"`
	Prior  string      `json:"prior"`
	Bytes  []byte      `json:"bytes"`
	Mode   fs.FileMode `json:"mode"`
	UID    int         `json:"uid"`
	GID    int         `json:"gid"`
}

// limit1 is the largest ledger that 1.0.0 reads, in bytes.
const limit1 = 4 << 20

// isVersion1 reports whether 1.0.0 understands all of a ledger's text.
func isVersion1(text []byte) bool {
	var l ledger1
	if len(text) > limit1 || Strictly(text, &l) != nil {
		return false
	}
	return !slices.ContainsFunc(l.Entries, func(e entry1) bool { return kinds[e.Kind] != 1 })
}
