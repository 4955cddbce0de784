package policydb

import "encoding/binary"

// What stands behind the portcons, in libsepol's order.

func (co objects) moreContexts() {
	co.repeat(co.u32(), func() { // network interfaces
		co.name(co.u32())
		co.context()
		co.context()
	})
	co.addressed(2) // nodes of IPv4
	co.repeat(co.u32(), func() {
		co.u32() // behaviour
		co.name(co.u32())
		co.context()
	})
	co.addressed(8) // nodes of IPv6
	if co.Version < versionInfiniband {
		return
	}
	co.addressed(4) // keys of InfiniBand
	co.repeat(co.u32(), func() {
		length := co.u32()
		co.u32() // port
		co.name(length)
		co.context()
	})
}

// addressed are contexts behind some words each.
func (co objects) addressed(words uint32) {
	co.repeat(co.u32(), func() {
		co.words(words)
		co.context()
	})
}

func (co objects) fileSystems() {
	co.repeat(co.u32(), func() {
		co.name(co.u32())
		co.repeat(co.u32(), func() {
			co.name(co.u32())
			co.u32() // class
			co.context()
		})
	})
}

func (d *decoder) rangeTransitions() {
	d.repeat(d.u32(), func() {
		d.words(3)
		d.objects().mlsRange()
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
