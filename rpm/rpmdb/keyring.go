package rpmdb

import (
	"context"
	"fmt"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/said"
)

const (
	beginOfKey = "(key)"
	endOfKey   = "(end of key)"
)

// PubkeyRelease is version and release of a gpg-pubkey package: the key's id and the time of its creation (rpm 4.11
// to 4.18 lib/rpmts.c makePubkeyHeader).
var PubkeyRelease = lazy.Regexp(`^[0-9a-f]{8,40}-[0-9a-f]{1,8}$`)

// ImportedKeys are the fingerprints of the keys in the rpm database: those that rpm -K and yum believe. A key that
// cannot be read (version 3, say) is given by its short id of 8 digits.
func (d DB) ImportedKeys(ctx context.Context) ([]string, error) {
	keys, err := d.Keyring(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, k := range keys {
		all = append(all, k.Fingerprint)
	}
	return all, nil
}

// ImportedKey is a key in the rpm database, with the package that holds it: gpg-pubkey-352c64e5-52ae6884.
type ImportedKey struct {
	openpgp.Key
	In string
}

// Keyring are the keys in the database, with the package of each.
func (d DB) Keyring(ctx context.Context) ([]ImportedKey, error) {
	stdout, stderr, status, err := d.Read(ctx, "", "rpm", "-q", "--qf", inventoryFormat, Pubkey)
	if err != nil {
		return nil, fmt.Errorf("list imported keys: rpm: %w", err)
	}
	keys, err := parseImported(stdout, stderr)
	if err != nil {
		return nil, fmt.Errorf("list imported keys: rpm: exit status %d: %w", status, err)
	}
	return keys, nil
}

func parseImported(stdout, stderr string) ([]ImportedKey, error) {
	if err := databaseError(stderr); err != nil {
		return nil, err
	}
	if strings.TrimSpace(stdout) == "package "+Pubkey+" is not installed" {
		return nil, nil
	}
	_, keys, err := parseListing(stdout)
	if err == nil && len(keys) == 0 {
		err = fmt.Errorf("not understood: %s", said.Quote(stdout))
	}
	return keys, err
}

// keysIn reads what rpm keeps of one imported key: the armored key is the description of its package.
func keysIn(p Package, description string) []ImportedKey {
	in := Pubkey + "-" + p.Version + "-" + p.Release
	keys, err := openpgp.ParseKeys([]byte(description))
	if err != nil {
		return []ImportedKey{{openpgp.Key{Fingerprint: strings.ToUpper(p.Version)}, in}}
	}
	var all []ImportedKey
	for _, k := range keys {
		all = append(all, ImportedKey{k, in})
	}
	return all
}
