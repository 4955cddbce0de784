package policydb

import (
	"encoding/binary"
	"slices"
)

// watch keeps the rules that allow one access, whatever their types, until the attributes are known. A nil one keeps
// nothing.
type watch struct {
	access         Access
	class, bit     uint32 // 0: the policy does not know them
	source, target uint32
	names          map[uint32]string // of booleans
	when           []term            // of the list that is read; nil for the unconditional one
	holds          bool
	seen           []rule
	// what each of the two types is besides itself: its attributes
	sources, targets []uint32
}

type rule struct {
	source, target uint32
	grant
}

func (w *watch) permission(class string, value uint32, name string, bit uint32) {
	if w != nil && class == w.access.Class && name == w.access.Permission {
		w.class, w.bit = value, bit
	}
}

func (w *watch) typ(name string, value uint32) {
	if w == nil {
		return
	}
	if name == w.access.Source {
		w.source = value
	}
	if name == w.access.Target {
		w.target = value
	}
}

func (w *watch) boolean(name string, value uint32) {
	if w != nil {
		w.names[value] = name
	}
}

func (w *watch) under(when []term, holds bool) {
	if w != nil {
		w.when, w.holds = when, holds
	}
}

// rule keeps an entry of the access vector table: the key's types, class and kind, and a mask of permissions.
func (w *watch) rule(entry []byte) {
	const allowed, kinds = 0x0001, 0x0fff // AVTAB_ALLOWED; the highest bit says that the entry is enabled
	if w == nil || w.bit < 1 || w.bit > 32 {
		return
	}
	number := func(at int) uint32 { return uint32(binary.LittleEndian.Uint16(entry[at:])) }
	mask := binary.LittleEndian.Uint32(entry[8:])
	if number(4) == w.class && number(6)&kinds == allowed && mask>>(w.bit-1)&1 == 1 {
		w.seen = append(w.seen, rule{number(0), number(2), grant{w.when, w.holds, w.names}})
	}
}

func (w *watch) granted() (all []grant) {
	for _, r := range w.seen {
		if slices.Contains(w.sources, r.source) && slices.Contains(w.targets, r.target) {
			all = append(all, r.grant)
		}
	}
	return all
}
