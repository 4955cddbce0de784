package policydb

// symbols reads the eight symbol tables, in the order of libsepol's SYM_COMMONS to SYM_CATS.
func (d *decoder) symbols() {
	d.table(d.common)
	d.table(d.class)
	d.table(d.role)
	d.table(d.typ)
	d.table(d.user)
	d.table(d.boolean)
	d.table(d.sensitivity)
	d.table(d.category)
}

func (d *decoder) table(entry func()) {
	d.u32() // number of primary names; aliases are entries too
	d.repeat(d.u32(), entry)
}

func (d *decoder) common() {
	length := d.u32()
	d.words(2)
	permissions := d.u32()
	d.name(length)
	d.repeat(permissions, func() { d.permission() })
}

func (d *decoder) permission() (name string, value uint32) {
	length, value := d.u32(), d.u32()
	return d.name(length), value
}

func (d *decoder) class() {
	length, common := d.u32(), d.u32()
	value := d.u32()
	d.words(1)
	permissions, constraints := d.u32(), d.u32()
	class := d.name(length)
	if common != 0 {
		d.name(common)
	}
	d.repeat(permissions, func() {
		name, bit := d.permission()
		d.watch.permission(class, value, name, bit)
	})
	d.repeat(constraints, d.constraint)
	d.repeat(d.u32(), d.constraint) // validatetrans
	if d.Version >= versionObjectDefaults {
		d.words(3)
	}
	if d.Version >= versionDefaultType {
		d.words(1)
	}
}

func (d *decoder) constraint() {
	const names = 5 // CEXPR_NAMES
	d.u32()
	d.repeat(d.u32(), func() {
		kind := d.u32()
		d.words(2)
		if kind != names {
			return
		}
		d.bitmap()
		if d.Version >= versionConstraintNames {
			d.bitmap()
			d.bitmap()
			d.u32()
		}
	})
}

func (d *decoder) role() {
	length := d.u32()
	d.words(2)
	d.name(length)
	d.bitmap()
	d.bitmap()
}

// typ keeps the names of types by value. An alias has the value of its type and lacks the property "primary".
func (d *decoder) typ() {
	const primary = 1
	length, value, properties := d.u32(), d.u32(), d.u32()
	d.u32()
	name := d.name(length)
	if d.Err != nil {
		return
	}
	if value == 0 || value > 0xffff { // the access vector table holds types in 16 bits
		d.fail("type %q has the value %d", name, value)
		return
	}
	d.watch.typ(name, value)
	for uint32(len(d.types)) <= value {
		d.types = append(d.types, "")
	}
	if properties&primary != 0 || d.types[value] == "" {
		d.types[value] = name
	}
}

func (d *decoder) user() {
	length := d.u32()
	d.words(2)
	d.name(length)
	d.bitmap()
	d.mlsRange()
	d.level()
}

func (d *decoder) boolean() {
	value, state, length := d.u32(), d.u32(), d.u32()
	name := d.name(length)
	if d.Err == nil && state > 1 {
		d.fail("boolean %q has the state %d", name, state)
	}
	d.watch.boolean(name, value)
	d.Booleans[name] = state == 1
}

func (d *decoder) sensitivity() {
	length := d.u32()
	d.u32()
	d.name(length)
	d.level()
}

func (d *decoder) category() {
	length := d.u32()
	d.words(2)
	d.name(length)
}

func (d *decoder) level() {
	d.u32()
	d.bitmap()
}

// mlsRange is one level or two; the sensitivities come first, then the categories.
func (d *decoder) mlsRange() {
	levels := d.u32()
	if d.Err == nil && levels != 1 && levels != 2 {
		d.fail("a range of %d levels", levels)
		return
	}
	d.words(levels)
	d.repeat(levels, d.bitmap)
}
