package policydb

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Policy is what this package wants from a kernel policy: the booleans with their defaults, and the ports.
type Policy struct {
	Version  uint32
	Booleans map[string]bool
	Ports    []Port // in the kernel's order: the first that covers a port gives its type
	Unlisted string // type of a port that none covers (the initial SID "port")
}

// Versions of the format (libsepol, policydb.h) at which something that we walk over changed.
const (
	versionOldest          = 24 // boundaries; RHEL 6 wrote 24, RHEL 7 writes 28 to 31
	versionFilenameTrans   = 25
	versionRoleTransClass  = 26
	versionObjectDefaults  = 27
	versionDefaultType     = 28
	versionConstraintNames = 29
	versionXperms          = 30
	versionInfiniband      = 31
	versionFilenamePacked  = 33
	versionNewest          = 33
)

const (
	policyMagic  = 0xf97cff8c
	policyTarget = "SE Linux"
)

// ErrPolicyFormat means that the file is not a policy this reader understands.
var ErrPolicyFormat = errors.New("not a kernel policy of version 24 to 33")

// ReadPolicy walks a kernel binary policy up to its portcons and no further. Nothing of the access vector table is
// kept. The order is that of libsepol's policydb_read and of the kernel's security/selinux/ss/policydb.c.
func ReadPolicy(r io.Reader) (*Policy, error) {
	d := NewDecoder(r)
	d.header()
	d.symbols()
	d.avtab()
	d.conditionals()
	d.roleTransitions()
	d.roleAllows()
	d.filenameTransitions()
	d.objects().contexts()
	if d.Err != nil {
		return nil, fmt.Errorf("policy: byte %d: %w", d.offset, d.Err)
	}
	return &d.Policy, nil
}

// decoder reads little-endian numbers; after the first error everything reads as zero, and loops end.
type decoder struct {
	Policy
	r      *bufio.Reader
	offset int64
	Err    error
	types  []string // by value
	watch  *watch   // nil: no rule is kept
}

func NewDecoder(r io.Reader) *decoder {
	return &decoder{r: bufio.NewReaderSize(r, 64<<10), Policy: Policy{Booleans: map[string]bool{}}}
}

func (d *decoder) fail(format string, args ...any) {
	if d.Err == nil {
		d.Err = fmt.Errorf("%w: %s", ErrPolicyFormat, fmt.Sprintf(format, args...))
	}
}

// failRead keeps what the disk said apart from what the format says: a short file is a broken format.
func (d *decoder) failRead(err error) {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		d.fail("it ends too early")
	case d.Err == nil:
		d.Err = err
	}
}

// Next returns the next n bytes, valid until the following call; n is at most the buffer's 64 KiB.
func (d *decoder) Next(n int) []byte {
	if d.Err != nil {
		return make([]byte, n)
	}
	b, err := d.r.Peek(n)
	if err != nil {
		d.failRead(err)
		return make([]byte, n)
	}
	_, _ = d.r.Discard(n) // cannot fail: the bytes are buffered
	d.offset += int64(n)
	return b
}

func (d *decoder) u32() uint32 { return binary.LittleEndian.Uint32(d.Next(4)) }

func (d *decoder) skip(n int64) {
	for n > 0 && d.Err == nil {
		step, err := d.r.Discard(int(min(n, 1<<30)))
		d.offset += int64(step)
		n -= int64(step)
		if err != nil {
			d.failRead(err)
		}
	}
}

// words skips n 32-bit words.
func (d *decoder) words(n uint32) { d.skip(4 * int64(n)) }

// repeat calls f n times, or until the first error.
func (d *decoder) repeat(n uint32, f func()) {
	for ; n > 0 && d.Err == nil; n-- {
		f()
	}
}

// name reads a name of n bytes. Real names have less than a hundred.
func (d *decoder) name(n uint32) string {
	if n == 0 || n > 4096 {
		d.fail("a name of %d bytes", n)
		return ""
	}
	return string(d.Next(int(n)))
}

// bitmap skips an ebitmap: the unit, the highest bit, the number of nodes; a node is a start and 64 bits.
func (d *decoder) bitmap() {
	unit, high, nodes := d.u32(), d.u32(), d.u32()
	if d.Err == nil && unit != 64 {
		d.fail("a bitmap in units of %d", unit)
	}
	if high != 0 {
		d.skip(12 * int64(nodes))
	}
}

func (d *decoder) header() {
	if magic := d.u32(); d.Err == nil && magic != policyMagic {
		d.fail("magic number %#x", magic)
		return
	}
	if n := d.u32(); d.Err == nil && n != uint32(len(policyTarget)) {
		d.fail("target name of %d bytes", n) // XenFlask has as many, a module has another number
		return
	}
	if s := string(d.Next(len(policyTarget))); d.Err == nil && s != policyTarget {
		d.fail("target %q", s)
	}
	d.Version = d.u32()
	if d.Err == nil && (d.Version < versionOldest || d.Version > versionNewest) {
		d.fail("version %d", d.Version)
	}
	d.u32() // configuration: MLS, handling of unknown permissions
	if symbols, kinds := d.u32(), d.u32(); d.Err == nil && (symbols != 8 || kinds < 3) {
		d.fail("%d symbol tables, %d kinds of context", symbols, kinds)
	}
	d.bitmap() // policy capabilities
	d.bitmap() // permissive types
}

// PortType is the type of the first record that covers the port, as in the kernel (security_port_sid).
func (p *Policy) PortType(proto string, port int) string {
	for _, r := range p.Ports {
		if r.covers(proto, port) {
			return r.Type
		}
	}
	return p.Unlisted
}
