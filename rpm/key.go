package rpm

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// EPEL7Fingerprint is the key that signs EPEL 7: Fedora EPEL (7) <epel@fedoraproject.org>, RSA 4096, 2013-12-16 (FACTS 4.4).
const EPEL7Fingerprint = "91E97D7C4A5E96F17F3E888F6A2FAEA2352C64E5"

// Key is one OpenPGP V4 public key. Only the fingerprint proves anything: the user ids are what its maker wrote, and no
// self-signature is verified here.
type Key struct {
	Fingerprint string    // 40 upper-case hexadecimal digits (RFC 4880 section 12.2)
	UserIDs     []string  // unprintable bytes replaced
	Created     time.Time // UTC, whole seconds
	Subkeys     []string  // fingerprints
}

// String is the fingerprint with the first user id: 91E9… Fedora EPEL (7) <epel@fedoraproject.org>.
func (k Key) String() string {
	if len(k.UserIDs) == 0 {
		return k.Fingerprint
	}
	return k.Fingerprint + " " + k.UserIDs[0]
}

func (k Key) among(others []Key) bool {
	return slices.ContainsFunc(others, func(other Key) bool { return other.Fingerprint == k.Fingerprint })
}

// ParseKeys reads every public key in a file, ASCII-armored (any number of blocks) or binary. Anything but public keys, their
// user ids, subkeys and signatures is an error, and so is a file without a key.
func ParseKeys(file []byte) ([]Key, error) {
	blocks := [][]byte{file}
	if bytes.Contains(file, []byte(armorMark)) {
		var err error
		if blocks, err = dearmor(file); err != nil {
			return nil, err
		}
	} else if len(file) == 0 || file[0]&0x80 == 0 {
		return nil, errors.New("not an OpenPGP public key")
	}
	var keys []Key
	for _, block := range blocks {
		some, err := parseBlock(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, some...)
	}
	return keys, nil
}

// The packet types that may stand in a public key (RFC 4880 sections 4.3 and 11.1).
const (
	packetSignature = 2
	packetKey       = 6
	packetTrust     = 12
	packetUserID    = 13
	packetSubkey    = 14
	packetAttribute = 17
)

func parseBlock(data []byte) ([]Key, error) {
	var keys []Key
	for len(data) > 0 {
		kind, body, rest, err := packet(data)
		if err != nil {
			return nil, err
		}
		data = rest
		if kind != packetKey && len(keys) == 0 {
			return nil, fmt.Errorf("not an OpenPGP public key: it begins with packet type %d", kind)
		}
		if keys, err = addPacket(keys, kind, body); err != nil {
			return nil, err
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("not an OpenPGP public key: an empty block")
	}
	return keys, nil
}

func addPacket(keys []Key, kind int, body []byte) ([]Key, error) {
	switch kind {
	case packetKey:
		fingerprint, created, err := fingerprintOf(body)
		if err != nil {
			return nil, err
		}
		return append(keys, Key{Fingerprint: fingerprint, Created: created}), nil
	case packetSubkey:
		fingerprint, _, err := fingerprintOf(body)
		if err != nil {
			return nil, fmt.Errorf("subkey: %w", err)
		}
		last := &keys[len(keys)-1]
		last.Subkeys = append(last.Subkeys, fingerprint)
	case packetUserID:
		last := &keys[len(keys)-1]
		last.UserIDs = append(last.UserIDs, clip(strings.ReplaceAll(printable(string(body)), "\x00", "?")))
	case packetSignature, packetTrust, packetAttribute:
	default:
		return nil, fmt.Errorf("packet type %d has no place in a public key", kind)
	}
	return keys, nil
}

// packet takes one packet off data (RFC 4880 section 4.2). Lengths that are partial or left open are for streams, and refused.
func packet(data []byte) (kind int, body, rest []byte, err error) {
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

// fingerprintOf is SHA-1 over 0x99, the body's length in two bytes, and the body (RFC 4880 section 12.2). SHA-1's weakness is collisions,
// which help only somebody who makes both keys.
func fingerprintOf(body []byte) (string, time.Time, error) {
	if len(body) < 8 || len(body) > 0xffff {
		return "", time.Time{}, fmt.Errorf("public key of %d bytes", len(body))
	}
	if body[0] != 4 {
		return "", time.Time{}, fmt.Errorf("public key of version %d: rpm 4.11 takes version 4 only", body[0])
	}
	sum := sha1.New()
	sum.Write([]byte{0x99, byte(len(body) >> 8), byte(len(body))})
	sum.Write(body)
	created := time.Unix(int64(binary.BigEndian.Uint32(body[1:5])), 0).UTC()
	return fmt.Sprintf("%X", sum.Sum(nil)), created, nil
}

// normalFingerprint drops blanks, which people copy along, and raises the digits; "" for what is not 40 hexadecimal digits.
func normalFingerprint(s string) string {
	s = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	if len(s) != 40 || strings.Trim(s, "0123456789ABCDEF") != "" {
		return ""
	}
	return s
}
