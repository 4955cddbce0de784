package rpmdb

import (
	"fmt"
	"strings"
	"testing"

	"wsprovision/rpm/rpmtest"
)

func FuzzParseImported(f *testing.F) {
	f.Add(fmt.Sprintf(rpmtest.ListedKey, strings.TrimSpace(rpmtest.KeyFile(f, "three.asc"))), "")
	f.Add("package gpg-pubkey is not installed\n", "")
	f.Fuzz(func(t *testing.T, stdout, stderr string) {
		keys, err := parseImported(stdout, stderr)
		for _, k := range keys {
			if err != nil || k.Fingerprint == "" {
				t.Errorf("%v, %v", keys, err)
			}
		}
	})
}
