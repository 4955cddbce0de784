package policydb

// contexts reads initial SIDs, skips file systems, and reads the portcons, which come third (OCON_PORT).
func (co objects) contexts() {
	co.repeat(co.u32(), co.initialSID)
	co.repeat(co.u32(), func() {
		co.name(co.u32())
		co.context()
		co.context()
	})
	co.repeat(co.u32(), co.portcon)
}

func (co objects) initialSID() {
	const port = 9 // SECINITSID_PORT
	sid := co.u32()
	if typ := co.context(); sid == port {
		co.Unlisted = typ
	}
}

func (co objects) portcon() {
	protocol, low, high := co.u32(), co.u32(), co.u32()
	typ := co.context()
	if co.Err != nil {
		return
	}
	name, ok := protocols[protocol]
	if !ok || low > high || high > 65535 {
		co.fail("portcon of protocol %d, %d-%d", protocol, low, high)
		return
	}
	co.Ports = append(co.Ports, Port{Proto: name, Low: int(low), High: int(high), Type: typ})
}

// context skips user, role and range, and returns the type.
func (co objects) context() string {
	co.words(2)
	value := co.u32()
	co.mlsRange()
	if co.Err != nil {
		return ""
	}
	if value >= uint32(len(co.types)) || co.types[value] == "" {
		co.fail("a context of the unknown type %d", value)
		return ""
	}
	return co.types[value]
}

// objects reads the contexts of what has no file: ports, initial SIDs, file systems.
type objects struct{ *decoder }

func (d *decoder) objects() objects { return objects{d} }
