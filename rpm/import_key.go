package rpm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/said"
)

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
	before, err := h.DB.Keyring(ctx)
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
	after, err := h.DB.Keyring(ctx)
	if err != nil {
		return err
	}
	return keyArrived(path, want, before, after, said.Error("rpm", status, stdout, stderr))
}

// is compares whole fingerprints.
func is(fingerprint string) func(rpmdb.ImportedKey) bool {
	return func(k rpmdb.ImportedKey) bool { return k.Fingerprint == fingerprint }
}

func keyArrived(path, want string, before, after []rpmdb.ImportedKey, said error) error {
	for _, k := range after {
		if k.Fingerprint != want && !slices.ContainsFunc(before, is(k.Fingerprint)) {
			return fmt.Errorf("import key %s: rpm took %s as well: remove it with rpm -e %s", path, k.Fingerprint, k.In)
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
