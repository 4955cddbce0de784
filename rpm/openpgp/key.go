package openpgp

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// EPEL7Fingerprint is the key that signs EPEL 7: Fedora EPEL (7) <epel@fedoraproject.org>, RSA 4096, 2013-12-16
// (RPM-GPG-KEY-EPEL-7 of epel-release-7).
const EPEL7Fingerprint = "91E97D7C4A5E96F17F3E888F6A2FAEA2352C64E5"

// Key is one OpenPGP V4 public key, with what the key itself has signed. Its maker is proved by nothing but the
// fingerprint.
type Key struct {
	Fingerprint string    // 40 upper-case hexadecimal digits (RFC 4880 section 12.2)
	UserIDs     []string  // those that the key has certified; unprintable bytes replaced
	Created     time.Time // UTC, whole seconds
	Subkeys     []string  // fingerprints of those that the key has bound to itself, in force now

	Revoked    bool      // it carries a revocation, whoever signed that
	Expired    time.Time // when it expired; zero for a key in force
	Unbound    []string  // fingerprints of subkeys that it has not bound: anybody can have put them there
	Unverified string    // why nothing that it says of itself can be believed; "" for an RSA key that has signed itself
}

// Refused is why rpm should not be given the key, "" for a good one. rpm 4.11 asks for none of it: it imports a
// revoked key, or an expired one, and believes what that signs.
func (k Key) Refused() string {
	switch {
	case k.Revoked:
		return "key " + k.String() + " is revoked: get its successor"
	case len(k.Unbound) > 0:
		return "key " + k.String() + " comes with the subkey " + k.Unbound[0] + ", to which it has put no signature: " +
			"somebody else may have added that; get the key anew from its maker"
	case k.Unverified != "":
		return "key " + k.String() + ": " + k.Unverified
	case !k.Expired.IsZero():
		return "key " + k.String() + " expired on " + k.Expired.Format(time.DateOnly) +
			": get the key as its maker renewed it, or its successor (or set the host's clock right)"
	}
	return ""
}

// String is the fingerprint with the first user id: 91E9… Fedora EPEL (7) <epel@fedoraproject.org>.
func (k Key) String() string {
	if len(k.UserIDs) == 0 {
		return k.Fingerprint
	}
	return k.Fingerprint + " " + k.UserIDs[0]
}

func (k Key) Among(others []Key) bool {
	return slices.ContainsFunc(others, func(other Key) bool { return other.Fingerprint == k.Fingerprint })
}

// ParseKeys reads every public key in a file, ASCII-armored (any number of blocks) or binary. Anything but public
// keys, their user ids, subkeys and signatures is an error, and so is a file without a key. A key that should not be
// trusted is no error: Refused says so.
func ParseKeys(file []byte) ([]Key, error) {
	blocks := [][]byte{file}
	if bytes.Contains(file, []byte(ArmorMark)) {
		var err error
		if blocks, err = Dearmor(file); err != nil {
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

func parseBlock(data []byte) ([]Key, error) {
	var keys []*keyReader
	for len(data) > 0 {
		kind, body, rest, err := Packet(data)
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
	var all []Key
	for _, k := range keys {
		all = append(all, k.finish())
	}
	return all, nil
}

func addPacket(keys []*keyReader, kind int, body []byte) ([]*keyReader, error) {
	switch kind {
	case packetKey:
		k, err := newKeyReader(body)
		if err != nil {
			return nil, err
		}
		return append(keys, k), nil
	case packetSubkey:
		if _, _, err := fingerprintOf(body); err != nil {
			return nil, fmt.Errorf("subkey: %w", err)
		}
	case packetUserID, packetAttribute, packetSignature:
	case packetTrust:
		return keys, nil
	default:
		return nil, fmt.Errorf("packet type %d has no place in a public key", kind)
	}
	keys[len(keys)-1].add(kind, body)
	return keys, nil
}

// fingerprintOf is SHA-1 over 0x99, the body's length in two bytes, and the body (RFC 4880 section 12.2). SHA-1's
// weakness is collisions, which help only somebody who makes both keys.
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

// mostModulus is in bytes: what takes longer to verify than RSA 8192 is made to take long.
const mostModulus = 1024

// rsaKey is the RSA key in a key packet (RFC 4880 section 5.5.2), nil for any other that can sign.
func rsaKey(body []byte) *rsa.PublicKey {
	if len(body) < 6 || body[5] != algorithmRSA && body[5] != algorithmRSASign {
		return nil
	}
	n, rest := mpi(body[6:])
	e, rest := mpi(rest)
	if n == nil || e == nil || len(rest) > 0 || len(e) > 4 || len(n) > mostModulus {
		return nil
	}
	exponent := new(big.Int).SetBytes(e).Int64()
	if exponent > 1<<31-1 {
		return nil
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent)}
}

// mpi takes one multiprecision integer off b (RFC 4880 section 3.2), nil where it is cut short.
func mpi(b []byte) (number, rest []byte) {
	if len(b) < 2 {
		return nil, nil
	}
	size := (int(binary.BigEndian.Uint16(b)) + 7) / 8
	if size == 0 || len(b)-2 < size {
		return nil, nil
	}
	return b[2 : 2+size], b[2+size:]
}

// NormalFingerprint drops blanks, which people copy along, and raises the digits; "" for what is not 40 hexadecimal
// digits.
func NormalFingerprint(s string) string {
	s = strings.ToUpper(strings.Join(strings.Fields(s), ""))
	if len(s) != 40 || strings.Trim(s, "0123456789ABCDEF") != "" {
		return ""
	}
	return s
}

// EndsIn reports whether the id may be this key's or one of its subkeys'. A key that could not be read has 8 digits
// for a fingerprint, and is the one meant by a longer id that ends in them.
func (k Key) EndsIn(id string) bool {
	return slices.ContainsFunc(append([]string{k.Fingerprint}, k.Subkeys...), func(f string) bool {
		return strings.HasSuffix(f, id) || strings.HasSuffix(id, f)
	})
}
