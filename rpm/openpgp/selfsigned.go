package openpgp

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // the hashes that a self-signature may have
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/binary"
	"slices"
	"time"
)

// The algorithms, hashes, signature types and subpackets that count here (RFC 4880 sections 9.1, 9.4, 5.2.1 and
// 5.2.3.1).
const (
	algorithmRSA     = 1
	algorithmRSASign = 3

	sigCertification = 0x10 // to 0x13
	sigBinding       = 0x18
	sigByTheSubkey   = 0x19
	sigDirect        = 0x1f
	sigRevokesKey    = 0x20
	sigRevokesSubkey = 0x28
	sigRevokesUserID = 0x30

	subCreated    = 2
	subExpires    = 3
	subKeyExpires = 9
	subKeyFlags   = 27
	subEmbedded   = 32
)

// signatureHashes leaves out MD5 and RIPEMD-160. SHA-1 stays: the keys of RHEL 7's time, EPEL 7's own among them, have
// signed themselves with it, and a collision would help only whoever holds the key.
var signatureHashes = map[byte]crypto.Hash{2: crypto.SHA1, 8: crypto.SHA256, 9: crypto.SHA384, 10: crypto.SHA512,
	11: crypto.SHA224}

// selfSignature is a version 4 signature packet (RFC 4880 section 5.2.3).
type selfSignature struct {
	kind, algorithm byte
	hash            crypto.Hash
	hashed          []byte // from the version to the last hashed subpacket
	check           []byte // the digest's first two bytes
	number          []byte
	created         time.Time
	expires         time.Duration // after created; 0 is never
	keyExpires      time.Duration // after the key was created; 0 is never
	signs           bool          // a key flag: may sign data
	embedded        []byte        // a signature packet's body, by the subkey
}

// parseSelfSignature gives ok for a signature that is understood wholly. Another one, or another's, proves nothing.
func parseSelfSignature(body []byte) (s selfSignature, ok bool) {
	if len(body) < 6 || body[0] != 4 {
		return s, false
	}
	s.kind, s.algorithm, s.hash = body[1], body[2], signatureHashes[body[3]]
	end := 6 + int(binary.BigEndian.Uint16(body[4:]))
	if s.hash == 0 || s.algorithm != algorithmRSA && s.algorithm != algorithmRSASign || len(body) < end+2 {
		return s, false
	}
	s.hashed = body[:end]
	unhashed := body[end+2:]
	size := int(binary.BigEndian.Uint16(body[end:]))
	if len(unhashed) < size+2 {
		return s, false
	}
	rest := unhashed[size:]
	s.check = rest[:2]
	if s.number, rest = mpi(rest[2:]); s.number == nil || len(rest) > 0 {
		return s, false
	}
	return s, s.read(s.hashed[6:], true) && s.read(unhashed[:size], false) && !s.created.IsZero()
}

// read takes the subpackets (RFC 4880 section 5.2.3.1). What is not hashed anybody can have added: only the subkey's
// own signature is taken from there, which proves itself. A critical one that is not known makes the signature void.
func (s *selfSignature) read(area []byte, hashed bool) bool {
	for len(area) > 0 {
		size, used := subpacketLength(area)
		if used == 0 || size == 0 || size > uint64(len(area)-used) {
			return false
		}
		kind, content := area[used], area[used+1:used+int(size)]
		area = area[used+int(size):]
		if kind&0x7f == subEmbedded {
			s.embedded = content
		} else if hashed && !s.take(kind&0x7f, content) && kind&0x80 != 0 {
			return false
		}
	}
	return true
}

// take reports whether the subpacket is known.
func (s *selfSignature) take(kind byte, content []byte) bool {
	var seconds time.Duration
	if len(content) == 4 {
		seconds = time.Duration(binary.BigEndian.Uint32(content)) * time.Second
	}
	switch kind {
	case subCreated:
		s.created = time.Unix(int64(seconds/time.Second), 0).UTC()
		return len(content) == 4
	case subExpires:
		s.expires = seconds
		return len(content) == 4
	case subKeyExpires:
		s.keyExpires = seconds
		return len(content) == 4
	case subKeyFlags:
		s.signs = len(content) > 0 && content[0]&2 != 0
		return true
	}
	// Exportable, revocable, preferences, issuer, primary user id, policy and features, which change nothing here.
	return slices.Contains([]byte{4, 7, 11, 16, 21, 22, 23, 24, 25, 26, 28, 30, 33, 34}, kind)
}

func subpacketLength(b []byte) (uint64, int) {
	if len(b) >= 2 && b[0] >= 224 && b[0] < 255 { // where a packet's length would be partial
		return uint64(b[0]-192)<<8 + uint64(b[1]) + 192, 2
	}
	return newLength(b)
}

// by reports whether the key has made the signature over these bytes.
func (s selfSignature) by(key *rsa.PublicKey, over ...[]byte) bool {
	if key == nil || len(s.number) > key.Size() {
		return false
	}
	h := s.hash.New()
	for _, part := range append(over, s.hashed) {
		h.Write(part)
	}
	trailer := binary.BigEndian.AppendUint32([]byte{4, 0xff}, uint32(len(s.hashed)))
	h.Write(trailer)
	digest := h.Sum(nil)
	padded := make([]byte, key.Size())
	copy(padded[len(padded)-len(s.number):], s.number)
	return bytes.Equal(digest[:2], s.check) && rsa.VerifyPKCS1v15(key, s.hash, digest, padded) == nil
}

// outlived reports whether the signature's own time is over.
func (s selfSignature) outlived(now time.Time) bool {
	return s.expires > 0 && now.After(s.created.Add(s.expires))
}

// The ways in which keys and user ids are hashed (RFC 4880 section 5.2.4).
func hashedKey(body []byte) []byte {
	return append([]byte{0x99, byte(len(body) >> 8), byte(len(body))}, body...)
}

func hashedUserID(kind int, body []byte) []byte {
	mark := byte(0xb4)
	if kind == packetAttribute {
		mark = 0xd1
	}
	return append(binary.BigEndian.AppendUint32([]byte{mark}, uint32(len(body))), body...)
}
