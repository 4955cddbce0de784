package provision

import (
	"encoding/base64"
	"testing"

	"wsprovision/rpm"
)

// armoredKey is an OpenPGP public key (RFC 4880: version 4, RSA, a modulus of its own for each seed) and its fingerprint.
func armoredKey(t testing.TB, seed byte) (text, fingerprint string) {
	t.Helper()
	body := []byte{4, 0x52, 0xae, 0x68, 0x84, 1, 0, 16, 0x80 | seed, 1, 0, 2, 3}
	packet := append([]byte{0xc6, byte(len(body))}, body...)
	user := "EPEL for tests"
	packet = append(packet, 0xcd, byte(len(user)))
	packet = append(packet, user...)
	sum := crc24(packet)
	text = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + base64.StdEncoding.EncodeToString(packet) + "\n=" +
		base64.StdEncoding.EncodeToString([]byte{byte(sum >> 16), byte(sum >> 8), byte(sum)}) + "\n-----END PGP PUBLIC KEY BLOCK-----\n"
	keys, err := rpm.ParseKeys([]byte(text))
	if err != nil || len(keys) != 1 {
		t.Fatalf("a key of our own making: %v", err)
	}
	return text, keys[0].Fingerprint
}

// signingKey is the text of a key alone.
func (h *fakeHost) signingKey(seed byte) string {
	text, _ := armoredKey(h.t, seed)
	return text
}

// crc24 is RFC 4880 section 6.1.
func crc24(data []byte) uint32 {
	crc := uint32(0xb704ce)
	for _, b := range data {
		crc ^= uint32(b) << 16
		for range 8 {
			if crc <<= 1; crc&0x1000000 != 0 {
				crc ^= 0x1864cfb
			}
		}
	}
	return crc & 0xffffff
}
