package policydb

import "encoding/binary"

func (d *decoder) avtab() { d.Rules(d.u32()) }

// Rules skips n entries of the access vector table. There are a hundred thousand of them, so whole buffers are walked.
// An entry has a key of four 16-bit numbers and a value of 4 bytes, or of 34 for an extended permission.
func (d *decoder) Rules(n uint32) {
	const (
		key      = 8
		value    = 4
		extended = 34     // kind, driver, 8 words
		xperms   = 0x0700 // AVTAB_XPERMS
	)
	for n > 0 && d.Err == nil {
		if _, err := d.r.Peek(key + value); err != nil {
			d.failRead(err)
			return
		}
		b, used := d.buffered(), 0
		for n > 0 && len(b)-used >= key+value {
			size := key + value
			if binary.LittleEndian.Uint16(b[used+6:])&xperms != 0 {
				if d.Version < versionXperms {
					d.fail("an extended permission in version %d", d.Version)
					return
				}
				size = key + extended
			}
			if len(b)-used < size {
				break
			}
			d.watch.rule(b[used : used+size])
			used += size
			n--
		}
		if used == 0 { // the buffer ends within an extended permission
			d.Next(key + extended)
			n--
			continue
		}
		d.skip(int64(used))
	}
}

func (d *decoder) buffered() []byte {
	b, _ := d.r.Peek(d.r.Buffered())
	return b
}

func (d *decoder) conditionals() {
	d.repeat(d.u32(), func() {
		d.u32() // state
		when := d.expression()
		d.watch.under(when, true)
		d.Rules(d.u32())
		d.watch.under(when, false)
		d.Rules(d.u32())
	})
}

// expression is a condition as the kernel evaluates it: operands before operators.
func (d *decoder) expression() []term {
	const most = 1024 // a real one has less than ten
	n := d.u32()
	if d.Err == nil && n > most {
		d.fail("a condition of %d terms", n)
	}
	var all []term
	d.repeat(n, func() { all = append(all, term{operator(d.u32()), d.u32()}) })
	return all
}

func (d *decoder) roleTransitions() {
	size := uint32(3)
	if d.Version >= versionRoleTransClass {
		size = 4
	}
	d.skip(4 * int64(size) * int64(d.u32()))
}

func (d *decoder) roleAllows() { d.skip(8 * int64(d.u32())) }

func (d *decoder) filenameTransitions() {
	switch {
	case d.Version >= versionFilenamePacked:
		d.repeat(d.u32(), d.packedFilenameTransition)
	case d.Version >= versionFilenameTrans:
		d.repeat(d.u32(), func() {
			d.name(d.u32())
			d.words(4)
		})
	}
}

// packedFilenameTransition is all rules with one name, target and class.
func (d *decoder) packedFilenameTransition() {
	d.name(d.u32())
	d.words(2)
	d.repeat(d.u32(), func() {
		d.bitmap()
		d.u32()
	})
}
