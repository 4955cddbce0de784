package openpgp

import (
	"encoding/binary"
	"fmt"
)

// The packet types that may stand in a public key (RFC 4880 sections 4.3 and 11.1).
const (
	packetSignature = 2
	packetKey       = 6
	packetTrust     = 12
	packetUserID    = 13
	packetSubkey    = 14
	packetAttribute = 17
)

// Packet takes one packet off data (RFC 4880 section 4.2). Lengths that are partial or left open are for streams, and
// refused.
func Packet(data []byte) (kind int, body, rest []byte, err error) {
	tag := data[0]
	if tag&0x80 == 0 {
		return 0, nil, nil, fmt.Errorf("packet tag %#02x", tag)
	}
	kind = int(tag & 0x3f)
	size, used := newLength(data[1:])
	if tag&0x40 == 0 {
		kind = int(tag>>2) & 0x0f
		size, used = oldLength(int(tag&3), data[1:])
	}
	if used == 0 {
		return 0, nil, nil, fmt.Errorf("packet type %d: length cut short, partial or open", kind)
	}
	data = data[1+used:]
	if size > uint64(len(data)) {
		return 0, nil, nil, fmt.Errorf("packet type %d: %d bytes announced, %d there", kind, size, len(data))
	}
	return kind, data[:size], data[size:], nil
}

// oldLength and newLength return the body's length and how many bytes told it, 0 for what is refused.
func oldLength(kind int, b []byte) (uint64, int) {
	switch {
	case kind == 0 && len(b) >= 1:
		return uint64(b[0]), 1
	case kind == 1 && len(b) >= 2:
		return uint64(binary.BigEndian.Uint16(b)), 2
	case kind == 2 && len(b) >= 4:
		return uint64(binary.BigEndian.Uint32(b)), 4
	}
	return 0, 0
}

func newLength(b []byte) (uint64, int) {
	switch {
	case len(b) >= 1 && b[0] < 192:
		return uint64(b[0]), 1
	case len(b) >= 2 && b[0] < 224:
		return uint64(b[0]-192)<<8 + uint64(b[1]) + 192, 2
	case len(b) >= 5 && b[0] == 255:
		return uint64(binary.BigEndian.Uint32(b[1:])), 5
	}
	return 0, 0
}
