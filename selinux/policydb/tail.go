package policydb

import "encoding/binary"

// What stands behind the portcons, in libsepol's order.

func (d *decoder) moreContexts() {
	d.repeat(d.u32(), func() { // network interfaces
		d.name(d.u32())
		d.context()
		d.context()
	})
	d.addressed(2) // nodes of IPv4
	d.repeat(d.u32(), func() {
		d.u32() // behaviour
		d.name(d.u32())
		d.context()
	})
	d.addressed(8) // nodes of IPv6
	if d.Version < versionInfiniband {
		return
	}
	d.addressed(4) // keys of InfiniBand
	d.repeat(d.u32(), func() {
		length := d.u32()
		d.u32() // port
		d.name(length)
		d.context()
	})
}

// addressed are contexts behind some words each.
func (d *decoder) addressed(words uint32) {
	d.repeat(d.u32(), func() {
		d.words(words)
		d.context()
	})
}

func (d *decoder) fileSystems() {
	d.repeat(d.u32(), func() {
		d.name(d.u32())
		d.repeat(d.u32(), func() {
			d.name(d.u32())
			d.u32() // class
			d.context()
		})
	})
}

func (d *decoder) rangeTransitions() {
	d.repeat(d.u32(), func() {
		d.words(3)
		d.mlsRange()
	})
}

// attributes are, for each value of a type, the values of what the type has. A type has itself, too.
func (d *decoder) attributes() {
	for value := uint32(1); value < uint32(len(d.types)) && d.Err == nil; value++ {
		has := append(d.members(), value)
		if value == d.watch.source {
			d.watch.sources = has
		}
		if value == d.watch.target {
			d.watch.targets = has
		}
	}
}

// members are the bits of an ebitmap, counted from 1.
func (d *decoder) members() (all []uint32) {
	unit, high, nodes := d.u32(), d.u32(), d.u32()
	if d.Err == nil && unit != 64 {
		d.fail("a bitmap in units of %d", unit)
	}
	if high == 0 {
		return nil
	}
	d.repeat(nodes, func() {
		start := d.u32()
		bits := binary.LittleEndian.Uint64(d.Next(8))
		for i := range uint32(64) {
			if bits>>i&1 == 1 {
				all = append(all, start+i+1)
			}
		}
	})
	return all
}
