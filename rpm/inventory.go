package rpm

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// pubkey is the name under which rpm keeps imported keys; they are listed like packages.
const pubkey = "gpg-pubkey"

// inventoryFormat is queryFormat, and for a key its armored text as well: PUBKEYS is a tag that only keys have (rpm 4.11 to 4.18,
// makePubkeyHeader and its successors), so that no package's description is ever read as a key.
const inventoryFormat = queryFormat + `%|PUBKEYS?{%{DESCRIPTION}\n` + endOfKey + `\n}:{}|`

// Inventory is everything that rpm has at one moment: the packages by name, and the keys that it believes.
type Inventory struct {
	Packages map[string][]Package
	Keys     []Key
}

// Inventory asks rpm once for all of it.
func (h Host) Inventory(ctx context.Context) (Inventory, error) {
	stdout, err := h.queryAll(ctx, inventoryFormat)
	if err != nil {
		return Inventory{}, fmt.Errorf("list packages: %w", err)
	}
	all, err := parseInventory(stdout)
	if err != nil {
		return Inventory{}, fmt.Errorf("list packages: rpm: %w", err)
	}
	return all, nil
}

// queryAll is what rpm prints of everything that is installed.
func (h Host) queryAll(ctx context.Context, format string) (string, error) {
	stdout, stderr, status, err := h.Read(ctx, "", "rpm", "-qa", "--qf", format)
	if err == nil {
		err = databaseError(stderr)
	}
	if err != nil {
		return "", fmt.Errorf("rpm: %w", err)
	}
	if status != 0 {
		return "", said("rpm", status, stdout, stderr)
	}
	return stdout, nil
}

func parseInventory(stdout string) (Inventory, error) {
	all := Inventory{Packages: map[string][]Package{}}
	for rest := lines(stdout); len(rest) > 0; {
		p, err := parsePackage(rest[0])
		if err == nil {
			err = checkName(p.Name)
		}
		if err != nil {
			return Inventory{}, err
		}
		if rest = rest[1:]; p.Name != pubkey {
			all.Packages[p.Name] = append(all.Packages[p.Name], p)
			continue
		}
		end := slices.Index(rest, endOfKey)
		if end < 0 {
			return Inventory{}, fmt.Errorf("not understood: %s has no key in it", p)
		}
		all.Keys = append(all.Keys, importedKey(p.Version, strings.Join(rest[:end], "\n"))...)
		rest = rest[end+1:]
	}
	return all, nil
}

// Since is what this inventory has and an earlier one had not: names of packages and fingerprints of keys, sorted.
func (i Inventory) Since(earlier Inventory) (packages, keys []string) {
	for name := range i.Packages {
		if len(earlier.Packages[name]) == 0 {
			packages = append(packages, name)
		}
	}
	for _, k := range i.Keys {
		if !k.among(earlier.Keys) {
			keys = append(keys, k.Fingerprint)
		}
	}
	slices.Sort(packages)
	slices.Sort(keys)
	return packages, keys
}

// lacks are those of the names that no installed package has.
func (i Inventory) lacks(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return len(i.Packages[name]) > 0 })
}
