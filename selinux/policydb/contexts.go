package policydb

// contexts reads initial SIDs, skips file systems, and reads the portcons, which come third (OCON_PORT).
func (d *decoder) contexts() {
	d.repeat(d.u32(), d.initialSID)
	d.repeat(d.u32(), func() {
		d.name(d.u32())
		d.context()
		d.context()
	})
	d.repeat(d.u32(), d.portcon)
}

func (d *decoder) initialSID() {
	const port = 9 // SECINITSID_PORT
	sid := d.u32()
	if typ := d.context(); sid == port {
		d.Unlisted = typ
	}
}

func (d *decoder) portcon() {
	protocol, low, high := d.u32(), d.u32(), d.u32()
	typ := d.context()
	if d.Err != nil {
		return
	}
	name, ok := protocols[protocol]
	if !ok || low > high || high > 65535 {
		d.fail("portcon of protocol %d, %d-%d", protocol, low, high)
		return
	}
	d.Ports = append(d.Ports, Port{Proto: name, Low: int(low), High: int(high), Type: typ})
}

// context skips user, role and range, and returns the type.
func (d *decoder) context() string {
	d.words(2)
	value := d.u32()
	d.mlsRange()
	if d.Err != nil {
		return ""
	}
	if value >= uint32(len(d.types)) || d.types[value] == "" {
		d.fail("a context of the unknown type %d", value)
		return ""
	}
	return d.types[value]
}
