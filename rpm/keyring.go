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
)

// importedFormat ends each key with a line of its own. rpm keeps the armored key in the description of its gpg-pubkey
// package (lib/rpmts.c makePubkeyHeader, 4.11 to 4.18); version and release are the short key id and the creation time.
const importedFormat = `%{VERSION}-%{RELEASE}\n%{DESCRIPTION}\n(end of key)\n`

const (
	beginOfKey = "(key)"
	endOfKey   = "(end of key)"
)

var pubkeyName = regexp.MustCompile(`^[0-9a-f]{8,40}-[0-9a-f]{1,8}$`)

// ImportedKeys are the fingerprints of the keys in the rpm database: those that rpm -K and yum believe. A key that cannot be
// read (version 3, say) is given by its short id of 8 digits.
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

func (h Host) importedKeys(ctx context.Context) ([]Key, error) {
	stdout, stderr, status, err := h.Read(ctx, "", "rpm", "-q", "--qf", importedFormat, "gpg-pubkey")
	if err != nil {
		return nil, fmt.Errorf("list imported keys: rpm: %w", err)
	}
	keys, err := parseImported(stdout, stderr)
	if err != nil {
		return nil, fmt.Errorf("list imported keys: rpm: exit status %d: %w", status, err)
	}
	return keys, nil
}

func parseImported(stdout, stderr string) ([]Key, error) {
	if err := databaseError(stderr); err != nil {
		return nil, err
	}
	if strings.TrimSpace(stdout) == "package gpg-pubkey is not installed" {
		return nil, nil
	}
	var keys []Key
	rest := lines(stdout)
	for len(rest) > 0 {
		end := slices.Index(rest, endOfKey)
		if end < 1 || !pubkeyName.MatchString(rest[0]) {
			return nil, fmt.Errorf("not understood: %s", quote(rest[0]))
		}
		keys = append(keys, importedKey(rest[0], strings.Join(rest[1:end], "\n"))...)
		rest = rest[end+1:]
	}
	if len(keys) == 0 {
		return nil, errors.New("no answer")
	}
	return keys, nil
}

func importedKey(name, description string) []Key {
	keys, err := ParseKeys([]byte(description))
	if err != nil {
		id, _, _ := strings.Cut(name, "-")
		return []Key{{Fingerprint: strings.ToUpper(id)}}
	}
	return keys
}

// ImportKey gives rpm the key in the file at path, which must hold the key of that fingerprint, armored, and no other. rpm is asked
// before (imported already: nothing is run) and after; a key that came along without being asked for is an error that names it.
func (h Host) ImportKey(ctx context.Context, path, fingerprint string) error {
	want := normalFingerprint(fingerprint)
	if want == "" {
		return fmt.Errorf("import key %s: %q is not a fingerprint of 40 hexadecimal digits", path, fingerprint)
	}
	if err := h.checkKeyFile(path, want); err != nil {
		return fmt.Errorf("import key %s: %w", path, err)
	}
	before, err := h.ImportedKeys(ctx)
	if err != nil || slices.Contains(before, want) {
		return err
	}
	if err := (&waiting{h: h}).free(ctx); err != nil {
		return fmt.Errorf("import key %s: %w", path, err)
	}
	stdout, stderr, status, err := h.Change(ctx, "", "rpm", "--import", path)
	if err != nil {
		return fmt.Errorf("import key %s: rpm: %w", path, err)
	}
	after, err := h.ImportedKeys(ctx)
	if err != nil {
		return err
	}
	return keyArrived(path, want, before, after, said("rpm", status, stdout, stderr))
}

func keyArrived(path, want string, before, after []string, said error) error {
	for _, k := range after {
		if k != want && !slices.Contains(before, k) {
			return fmt.Errorf("import key %s: rpm took %s as well: remove it with rpm -e gpg-pubkey-%s", path, k, strings.ToLower(k[len(k)-8:]))
		}
	}
	if !slices.Contains(after, want) {
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
	keys, err := ParseKeys(text)
	if err != nil {
		return err
	}
	if !strings.Contains(string(text), armorMark) {
		return errors.New("the key is binary, and rpm imports ASCII-armored keys only")
	}
	if len(keys) != 1 || keys[0].Fingerprint != want {
		return fmt.Errorf("the file holds %s, not just %s", listKeys(keys), want)
	}
	return nil
}

func listKeys(keys []Key) string {
	var all []string
	for _, k := range keys {
		all = append(all, k.String())
	}
	return strings.Join(all, " and ")
}
