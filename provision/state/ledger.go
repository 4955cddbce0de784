package state

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"slices"

	"wsprovision/provision/host"
)

// Ledger records, for each thing that the agent changed, what was there before
// its first change and what it left. It is written before the change it
// describes, and what became of the change is read back afterwards: an
// announcement that came to nothing leaves the ledger again.
type Ledger struct {
	Version int     `json:"ledger_version"`
	Entries []Entry `json:"entries"` // in the order of their first change
	// Had is there while a transaction of yum's is announced: the names of all
	// packages that were there before. Dependencies are not known beforehand.
	Had []string `json:"packages_before,omitzero"`

	files *host.Files
}

// Kind is what an Entry speaks of.
type Kind string

// The kinds of things that the agent changes. A new one has its place in kinds, too.
const (
	KindFile    Kind = "file"
	KindBoolean Kind = "boolean" // the persistent value
	KindRunning Kind = "boolean-running"
	KindPort    Kind = "port"
	KindEnabled Kind = "unit-enabled"
	KindActive  Kind = "unit-active"
	KindPackage Kind = "package"
	KindKey     Kind = "key"
	// KindLine is one line of nginx.conf, under the name of the key that asks for it; Before and Left are the line.
	KindLine    Kind = "line"
	KindContext Kind = "fcontext" // a local record of file contexts, by its specification
	// KindFirewall is a port that a zone of firewalld's lets in: "public 80/tcp"; what its files have, and what runs.
	KindFirewall Kind = "firewall"
	// KindSysctl is a value of the kernel that runs, by its name.
	KindSysctl          Kind = "sysctl"
	KindFirewallRunning Kind = "firewall-running"
)

// kinds are the versions of the ledger that brought each kind.
var kinds = map[Kind]int{
	KindFile: 1, KindBoolean: 1, KindRunning: 1, KindPort: 1, KindEnabled: 1, KindActive: 1, KindPackage: 1, KindKey: 1,
	KindLine:    2,
	KindContext: 2, KindFirewall: 2, KindFirewallRunning: 2, KindSysctl: 2,
}

// Entry is one thing's record. Before and Left are in the words that Check
// reads: "on", "http_port_t", "absent", "disabled". A file's Before is its
// content, mode and owner; its Left is a SHA-256 of what the agent wrote.
type Entry struct {
	Kind   Kind   `json:"kind"`
	Name   string `json:"name"`
	Before string `json:"before"`
	Left   string `json:"left"`
	// Prior is there from the announcement of Left until it is read back: what
	// stood there when it was announced. A run that died between the two
	// leaves it, and until then it is the agent's too.
	Prior string      `json:"prior,omitempty"`
	Bytes []byte      `json:"bytes,omitempty"`
	Mode  fs.FileMode `json:"mode,omitempty"`
	// Label is a file's where it is not the one that the policy has for its path.
	Label string `json:"label,omitempty"`
	// Labels are what the files in a directory had, by their paths.
	Labels map[string]string `json:"labels,omitempty"`
	host.Owner
	// Beside is the SHA-256 of Bytes that lie in a file of their own, under
	// contentsDir, and not in the ledger.
	Beside string `json:"bytes_sha256,omitempty"`

	// Adopts says that what is there now is somebody else's, whatever the ledger knew.
	Adopts bool `json:"-"`
}

// IsLost reports whether the file that held Bytes is gone or has another content.
func (e Entry) IsLost() bool { return e.Beside != "" && e.Bytes == nil }

// Absent is the Before or Left of what was not there.
const Absent = "absent"

// Find gives the record of a thing.
func (l *Ledger) Find(kind Kind, name string) (Entry, bool) {
	i := slices.IndexFunc(l.Entries, Entry{Kind: kind, Name: name}.Same)
	if i < 0 {
		return Entry{}, false
	}
	return l.Entries[i], true
}

// Names are what is recorded of these kinds.
func (l *Ledger) Names(kinds ...Kind) []string {
	var names []string
	for _, e := range l.Entries {
		if slices.Contains(kinds, e.Kind) {
			names = append(names, e.Name)
		}
	}
	return names
}

// Record notes, durably, what is about to be changed. What was there before
// the agent's first change is kept for good: later runs only move Left. What is
// taken over is what was there before from then on.
func (l *Ledger) Record(entries ...Entry) error { return l.RecordWith(l.Had, entries) }

func (l *Ledger) RecordWith(had []string, entries []Entry) error {
	updated := slices.Clone(l.Entries)
	for _, e := range entries {
		i := slices.IndexFunc(updated, e.Same)
		if i >= 0 && !e.Adopts {
			updated[i].Announce(e)
			continue
		}
		e.Prior, e.Adopts = e.Before, false
		if i >= 0 {
			updated[i] = e
		} else {
			updated = append(updated, e)
		}
	}
	return l.replace(updated, had)
}

// Announce moves Left. What stands there in its place is Prior, unless somebody
// else has put it there: then it is not the agent's, whatever becomes of Left.
func (e *Entry) Announce(next Entry) {
	known := next.Before == e.Left || next.Before == e.Prior || next.Before == e.Before
	switch {
	case next.Left == e.Left && (!known || next.Before == e.Left):
		return
	case known:
		e.Prior = next.Before
	default:
		e.Prior = e.Left
	}
	e.Left = next.Left
}

// Keep makes the entries the ledger's, on the disk first.
func (l *Ledger) Keep(entries []Entry) error { return l.replace(entries, l.Had) }

func (l *Ledger) replace(entries []Entry, had []string) error {
	known := func(a, b Entry) bool {
		return a.Same(b) && a.Left == b.Left && a.Prior == b.Prior && a.Before == b.Before
	}
	if (l.Had == nil) == (had == nil) && slices.Equal(l.Had, had) && slices.EqualFunc(l.Entries, entries, known) {
		return nil
	}
	before := *l
	l.Entries, l.Had = entries, had
	if err := l.save(); err != nil {
		*l = before
		return err
	}
	return nil
}

// Same reports whether two entries speak of the same thing.
func (e Entry) Same(other Entry) bool { return e.Kind == other.Kind && e.Name == other.Name }

// IsAgents reports whether the agent left this, or found it when it announced what
// it was about to leave and has not read back yet.
func (e Entry) IsAgents(now string) bool { return now == e.Left || now == e.Prior }

// Undoing announces that a revert brings back what was there before.
func (e Entry) Undoing(now string) Entry {
	return Entry{Kind: e.Kind, Name: e.Name, Before: now, Left: e.Before}
}

const digestPrefix = "sha256:"

// Digest names a file's content in an Entry.
func Digest(content []byte) string {
	if content == nil {
		return Absent
	}
	sum := sha256.Sum256(content)
	return digestPrefix + hex.EncodeToString(sum[:])
}
