package policydb

// symbols reads the eight symbol tables, in the order of libsepol's SYM_COMMONS to SYM_CATS.
func (d *decoder) symbols() {
	d.tables().table(d.tables().common)
	d.tables().table(d.tables().class)
	d.tables().table(d.tables().role)
	d.tables().table(d.tables().typ)
	d.tables().table(d.tables().user)
	d.tables().table(d.tables().boolean)
	d.tables().table(d.tables().sensitivity)
	d.tables().table(d.tables().category)
}

func (sy tables) table(entry func()) {
	sy.u32() // number of primary names; aliases are entries too
	sy.repeat(sy.u32(), entry)
}

func (sy tables) common() {
	length := sy.u32()
	sy.words(2)
	permissions := sy.u32()
	sy.name(length)
	sy.repeat(permissions, func() { sy.permission() })
}

func (sy tables) permission() (name string, value uint32) {
	length, value := sy.u32(), sy.u32()
	return sy.name(length), value
}

func (sy tables) class() {
	length, common := sy.u32(), sy.u32()
	value := sy.u32()
	sy.words(1)
	permissions, constraints := sy.u32(), sy.u32()
	class := sy.name(length)
	if common != 0 {
		sy.name(common)
	}
	sy.repeat(permissions, func() {
		name, bit := sy.permission()
		sy.watch.permission(class, value, name, bit)
	})
	sy.repeat(constraints, sy.constraint)
	sy.repeat(sy.u32(), sy.constraint) // validatetrans
	if sy.Version >= versionObjectDefaults {
		sy.words(3)
	}
	if sy.Version >= versionDefaultType {
		sy.words(1)
	}
}

func (sy tables) constraint() {
	const names = 5 // CEXPR_NAMES
	sy.u32()
	sy.repeat(sy.u32(), func() {
		kind := sy.u32()
		sy.words(2)
		if kind != names {
			return
		}
		sy.bitmap()
		if sy.Version >= versionConstraintNames {
			sy.bitmap()
			sy.bitmap()
			sy.u32()
		}
	})
}

func (sy tables) role() {
	length := sy.u32()
	sy.words(2)
	sy.name(length)
	sy.bitmap()
	sy.bitmap()
}

// typ keeps the names of types by value. An alias has the value of its type and lacks the property "primary".
func (sy tables) typ() {
	const primary = 1
	length, value, properties := sy.u32(), sy.u32(), sy.u32()
	sy.u32()
	name := sy.name(length)
	if sy.Err != nil {
		return
	}
	if value == 0 || value > 0xffff { // the access vector table holds types in 16 bits
		sy.fail("type %q has the value %d", name, value)
		return
	}
	sy.watch.typ(name, value)
	for uint32(len(sy.types)) <= value {
		sy.types = append(sy.types, "")
	}
	if properties&primary != 0 || sy.types[value] == "" {
		sy.types[value] = name
	}
}

func (sy tables) user() {
	length := sy.u32()
	sy.words(2)
	sy.name(length)
	sy.bitmap()
	sy.objects().mlsRange()
	sy.level()
}

func (sy tables) boolean() {
	value, state, length := sy.u32(), sy.u32(), sy.u32()
	name := sy.name(length)
	if sy.Err == nil && state > 1 {
		sy.fail("boolean %q has the state %d", name, state)
	}
	sy.watch.boolean(name, value)
	sy.Booleans[name] = state == 1
}

func (sy tables) sensitivity() {
	length := sy.u32()
	sy.u32()
	sy.name(length)
	sy.level()
}

func (sy tables) category() {
	length := sy.u32()
	sy.words(2)
	sy.name(length)
}

func (sy tables) level() {
	sy.u32()
	sy.bitmap()
}

// mlsRange is one level or two; the sensitivities come first, then the categories.
func (co objects) mlsRange() {
	levels := co.u32()
	if co.Err == nil && levels != 1 && levels != 2 {
		co.fail("a range of %d levels", levels)
		return
	}
	co.words(levels)
	co.repeat(levels, co.bitmap)
}

// tables reads the tables of symbols: commons, classes, roles, types, users, booleans, levels, categories.
type tables struct{ *decoder }

func (d *decoder) tables() tables { return tables{d} }
