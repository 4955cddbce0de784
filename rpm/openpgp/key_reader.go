package openpgp

import (
	"crypto/rsa"
	"fmt"
	"strings"
	"time"

	"wsprovision/rpm/said"
)

// keyReader gathers one key's packets. A signature belongs to the key, the user id or the subkey that it follows (RFC
// 4880 section 11.1).
type keyReader struct {
	key    Key
	public *rsa.PublicKey // nil where the key's signatures cannot be verified here
	hashed []byte
	now    time.Time

	kind int    // of the packet that signatures follow
	body []byte // and its content

	signed, revoked bool // what follows says of it
	usable          bool // a subkey: it may be used for what its binding says
	signatures      int

	said     bool          // some signature by the key says how long it is in force
	saidAt   time.Time     // when the newest of these was made
	lifetime time.Duration // and what it says; 0 is for ever
}

// MostSignatures bounds the time for one key: each is verified, because nothing but that tells whose it is.
const MostSignatures = 1000

func newKeyReader(body []byte) (*keyReader, error) {
	fingerprint, created, err := fingerprintOf(body)
	if err != nil {
		return nil, err
	}
	k := &keyReader{key: Key{Fingerprint: fingerprint, Created: created}, hashed: hashedKey(body), kind: packetKey,
		now: time.Now()}
	if k.public = rsaKey(body); k.public == nil {
		k.key.Unverified = "it is no RSA key of at most 8192 bits: what it says of itself cannot be verified here, " +
			"and RHEL 7's rpm takes no key of an elliptic curve; get an RSA key"
	}
	return k, nil
}

func (k *keyReader) add(kind int, body []byte) {
	if kind != packetSignature {
		k.leave()
		k.kind, k.body = kind, body
		return
	}
	if len(body) > 1 && body[0] == 4 && body[1] == sigRevokesKey || len(body) > 2 && body[0] == 3 &&
		body[2] == sigRevokesKey {
		k.key.Revoked = true // by a key that we do not have, perhaps: when in doubt, it holds
	}
	k.signatures++
	switch s, ok := parseSelfSignature(body); {
	case k.kind == packetSubkey && revokesSubkey(body):
		k.revoked = true
	case k.signatures > MostSignatures:
		k.key.Unverified = fmt.Sprintf("it has more than %d signatures: get it from its maker, without those of "+
			"others", MostSignatures)
	case !ok || s.outlived(k.now):
	case k.kind == packetKey && s.kind == sigDirect && s.by(k.public, k.hashed):
		k.say(s)
	case k.kind == packetUserID || k.kind == packetAttribute:
		k.onUserID(s)
	case k.kind == packetSubkey:
		k.onSubkey(s)
	}
}

// revokesSubkey is true whoever made the signature.
func revokesSubkey(body []byte) bool {
	return len(body) > 1 && body[0] == 4 && body[1] == sigRevokesSubkey || len(body) > 2 && body[0] == 3 &&
		body[2] == sigRevokesSubkey
}

// say keeps how long the key is in force by its newest signature; of two of one second, the shorter time holds.
func (k *keyReader) say(s selfSignature) {
	shorter := s.keyExpires > 0 && (k.lifetime == 0 || s.keyExpires < k.lifetime)
	if !k.said || s.created.After(k.saidAt) || s.created.Equal(k.saidAt) && shorter {
		k.said, k.saidAt, k.lifetime = true, s.created, s.keyExpires
	}
}

func (k *keyReader) onUserID(s selfSignature) {
	isCertification := s.kind >= sigCertification && s.kind <= sigCertification+3
	if !isCertification && s.kind != sigRevokesUserID || !s.by(k.public, k.hashed, hashedUserID(k.kind, k.body)) {
		return
	}
	if !isCertification {
		k.revoked = true
		return
	}
	k.signed = true
	k.say(s)
}

// onSubkey takes a binding. A subkey that may sign has to agree, or it could be somebody else's (RFC 4880 section
// 5.2.1, type 0x19).
func (k *keyReader) onSubkey(s selfSignature) {
	subkey := hashedKey(k.body)
	if s.kind != sigBinding || !s.by(k.public, k.hashed, subkey) {
		return
	}
	k.signed = true
	created := k.subkeyCreated()
	if s.keyExpires > 0 && k.now.After(created.Add(s.keyExpires)) {
		return
	}
	if s.signs {
		back, ok := parseSelfSignature(s.embedded)
		if !ok || back.kind != sigByTheSubkey || !back.by(rsaKey(k.body), k.hashed, subkey) {
			return
		}
	}
	k.usable = true
}

func (k *keyReader) subkeyCreated() time.Time {
	_, created, _ := fingerprintOf(k.body) // which was good when the packet came
	return created
}

// leave settles what the packet that is behind us was worth.
func (k *keyReader) leave() {
	switch k.kind {
	case packetUserID:
		if k.signed && !k.revoked {
			k.key.UserIDs = append(k.key.UserIDs,
				said.Clip(strings.ReplaceAll(said.Printable(string(k.body)), "\x00", "?")))
		}
	case packetSubkey:
		fingerprint, _, _ := fingerprintOf(k.body)
		if !k.signed && k.public != nil {
			k.key.Unbound = append(k.key.Unbound, fingerprint)
		} else if k.usable && !k.revoked {
			k.key.Subkeys = append(k.key.Subkeys, fingerprint)
		}
	}
	k.kind, k.signed, k.revoked, k.usable = 0, false, false, false
}

func (k *keyReader) finish() Key {
	k.leave()
	if k.key.Unverified == "" && !k.said {
		k.key.Unverified = "it has put no good signature to any user id of its own: get it anew from its maker"
	}
	if end := k.key.Created.Add(k.lifetime); k.lifetime > 0 && k.now.After(end) {
		k.key.Expired = end
	}
	return k.key
}
