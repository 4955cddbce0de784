package rpm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/said"
)

const (
	beginOfKey = "(key)"
	endOfKey   = "(end of key)"
)

// pubkeyRelease is version and release of a gpg-pubkey package: the key's id and the time of its creation (rpm 4.11
// to 4.18 lib/rpmts.c makePubkeyHeader).
var pubkeyRelease = regexp.MustCompile(`^[0-9a-f]{8,40}-[0-9a-f]{1,8}$`)

// ImportedKeys are the fingerprints of the keys in the rpm database: those that rpm -K and yum believe. A key that
// cannot be read (version 3, say) is given by its short id of 8 digits.
func (h Host) ImportedKeys(ctx context.Context) ([]string, error) {
	keys, err := h.importedKeys(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, k := range keys {
		all = append(all, k.Fingerprint)
	}
	return all, nil
}

// importedKey is a key in the rpm database, with the package that holds it: gpg-pubkey-352c64e5-52ae6884.
type importedKey struct {
	openpgp.Key
	in string
}

func (h Host) importedKeys(ctx context.Context) ([]importedKey, error) {
	stdout, stderr, status, err := h.Read(ctx, "", "rpm", "-q", "--qf", inventoryFormat, pubkey)
	if err != nil {
		return nil, fmt.Errorf("list imported keys: rpm: %w", err)
	}
	keys, err := parseImported(stdout, stderr)
	if err != nil {
		return nil, fmt.Errorf("list imported keys: rpm: exit status %d: %w", status, err)
	}
	return keys, nil
}

func parseImported(stdout, stderr string) ([]importedKey, error) {
	if err := databaseError(stderr); err != nil {
		return nil, err
	}
	if strings.TrimSpace(stdout) == "package "+pubkey+" is not installed" {
		return nil, nil
	}
	_, keys, err := parseListing(stdout)
	if err == nil && len(keys) == 0 {
		err = fmt.Errorf("not understood: %s", said.Quote(stdout))
	}
	return keys, err
}

// keysIn reads what rpm keeps of one imported key: the armored key is the description of its package.
func keysIn(p Package, description string) []importedKey {
	in := pubkey + "-" + p.Version + "-" + p.Release
	keys, err := openpgp.ParseKeys([]byte(description))
	if err != nil {
		return []importedKey{{openpgp.Key{Fingerprint: strings.ToUpper(p.Version)}, in}}
	}
	var all []importedKey
	for _, k := range keys {
		all = append(all, importedKey{k, in})
	}
	return all
}

// ImportKey gives rpm the key in the file at path, which must hold the key of that fingerprint, armored, and no other.
// rpm is asked before (imported already: nothing is run) and after; a key that came along without being asked for is an
// error that names it.
func (h Host) ImportKey(ctx context.Context, path, fingerprint string) error {
	want := openpgp.NormalFingerprint(fingerprint)
	if want == "" {
		return fmt.Errorf("import key %s: %q is not a fingerprint of 40 hexadecimal digits", path, fingerprint)
	}
	if err := h.checkKeyFile(path, want); err != nil {
		return fmt.Errorf("import key %s: %w", path, err)
	}
	before, err := h.importedKeys(ctx)
	if err != nil || slices.ContainsFunc(before, is(want)) {
		return err
	}
	if err := (&waiting{h: h}).free(ctx); err != nil {
		return fmt.Errorf("import key %s: %w", path, err)
	}
	stdout, stderr, status, err := h.Change(ctx, "", "rpm", "--import", path)
	if err != nil {
		return fmt.Errorf("import key %s: rpm: %w", path, err)
	}
	after, err := h.importedKeys(ctx)
	if err != nil {
		return err
	}
	return keyArrived(path, want, before, after, said.Error("rpm", status, stdout, stderr))
}

// is compares whole fingerprints.
func is(fingerprint string) func(importedKey) bool {
	return func(k importedKey) bool { return k.Fingerprint == fingerprint }
}

func keyArrived(path, want string, before, after []importedKey, said error) error {
	for _, k := range after {
		if k.Fingerprint != want && !slices.ContainsFunc(before, is(k.Fingerprint)) {
			return fmt.Errorf("import key %s: rpm took %s as well: remove it with rpm -e %s", path, k.Fingerprint, k.in)
		}
	}
	if !slices.ContainsFunc(after, is(want)) {
		return fmt.Errorf("import key %s: %w, and %s is not imported", path, said, want)
	}
	return nil
}

// checkKeyFile refuses a binary file too: rpm 4.11 calls it "not an armored public key".
func (h Host) checkKeyFile(path, want string) error {
	if !filepath.IsAbs(path) {
		return errors.New("the path is not absolute") // rpm would take 0x… for a key server's id
	}
	text, err := os.ReadFile(filepath.Join(h.Root, path))
	if err != nil {
		return err
	}
	keys, err := openpgp.ParseKeys(text)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), openpgp.ArmorMark) {
		return errors.New("the key is binary, and rpm imports ASCII-armored keys only")
	}
	if len(keys) != 1 || keys[0].Fingerprint != want {
		return fmt.Errorf("the file holds %s, not just %s", listKeys(keys), want)
	}
	if why := keys[0].Refused(); why != "" {
		return errors.New(why)
	}
	return nil
}

func listKeys(keys []openpgp.Key) string {
	var all []string
	for _, k := range keys {
		all = append(all, k.String())
	}
	return strings.Join(all, " and ")
}
