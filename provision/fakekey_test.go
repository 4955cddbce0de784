package provision

import (
	"fmt"
	"os"
	"testing"

	"wsprovision/rpm/openpgp"
)

// armoredKey is one of the keys that gpg made for the tests (RSA 2048, signed by itself in 2013), and its fingerprint.
func armoredKey(t testing.TB, number byte) (text, fingerprint string) {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("testdata/key-%d.asc", number))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := openpgp.ParseKeys(content)
	if err != nil || len(keys) != 1 || keys[0].Refused() != "" {
		t.Fatalf("a key of our own making: %v, %v", keys, err)
	}
	return string(content), keys[0].Fingerprint
}

// signingKey is the text of a key alone.
func (h *fakeHost) signingKey(number byte) string {
	text, _ := armoredKey(h.t, number)
	return text
}
