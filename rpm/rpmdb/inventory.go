package rpmdb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/openpgp"
	"wsprovision/rpm/said"
)

// Pubkey is the name under which rpm keeps imported keys; they are listed like packages.
const Pubkey = "gpg-pubkey"

// inventoryFormat is queryFormat, and for a key its armored text as well: PUBKEYS is a tag that only keys have (rpm
// 4.11 to 4.18, makePubkeyHeader and its successors), so that no package's description is ever read as a key.
const inventoryFormat = queryFormat + `%|PUBKEYS?{` + beginOfKey + `\n%{DESCRIPTION}\n` + endOfKey + `\n}:{}|`

// Inventory is everything that rpm has at one moment: the packages by name, and the keys that it believes.
type Inventory struct {
	Packages map[string][]Package
	Keys     []openpgp.Key
}

// Inventory asks rpm once for all of it. A package that rpm lists in a way that is not understood (a blank or a % in
// its name, no release) is none that anybody here asks for, and is passed over.
func (d DB) Inventory(ctx context.Context) (Inventory, error) {
	stdout, err := d.queryAll(ctx, inventoryFormat)
	if err != nil {
		return Inventory{}, fmt.Errorf("list packages: %w", err)
	}
	all, err := parseInventory(stdout)
	if err != nil {
		return Inventory{}, fmt.Errorf("list packages: rpm: %w", err)
	}
	return all, nil
}

// queryAll is what rpm prints of everything that is installed. A header that rpm skips because it is damaged is not
// listed.
func (d DB) queryAll(ctx context.Context, format string) (string, error) {
	stdout, stderr, status, err := d.Read(ctx, "", "rpm", "-qa", "--qf", format)
	if err == nil {
		err = databaseError(withoutSkipped(stderr))
	}
	if err != nil {
		return "", fmt.Errorf("rpm: %w", err)
	}
	if status != 0 {
		return "", said.Error("rpm", status, stdout, stderr)
	}
	return stdout, nil
}

// skippedHeader is one damaged header among all that are listed (rpm 4.11 lib/rpmdb.c): `error: rpmdb: damaged header
// #12 retrieved -- skipping.`, `error: rpmdbNextIterator: skipping h# 475 Header V3 DSA/SHA1 Signature, key ID
// db42a60e: BAD`.
var skippedHeader = lazy.Regexp(`(?m)^error: (rpmdb: damaged header #\d+ retrieved -- skipping|\w+: ` +
	`skipping h#\s*\d+).*$`)

func withoutSkipped(stderr string) string { return skippedHeader().ReplaceAllString(stderr, "") }

func parseInventory(stdout string) (Inventory, error) {
	packages, keys, err := parseListing(stdout)
	if err != nil {
		return Inventory{}, err
	}
	all := Inventory{Packages: packages}
	for _, k := range keys {
		all.Keys = append(all.Keys, k.Key)
	}
	return all, nil
}

func parseListing(stdout string) (packages map[string][]Package, keys []ImportedKey, err error) {
	packages = map[string][]Package{}
	last := Package{}
	for rest := said.Lines(stdout); len(rest) > 0; {
		line := rest[0]
		if rest = rest[1:]; line != beginOfKey {
			last = listedPackage(line)
			if CheckName(last.Name) == nil && last.Name != Pubkey {
				packages[last.Name] = append(packages[last.Name], last)
			}
			continue
		}
		end := slices.Index(rest, endOfKey)
		if end < 0 {
			return nil, nil, fmt.Errorf("not understood: the key of %s has no end", said.Quote(last.String()))
		}
		if last.Name == Pubkey {
			keys = append(keys, keysIn(last, strings.Join(rest[:end], "\n"))...)
		}
		rest = rest[end+1:]
	}
	return packages, keys, nil
}

// listedPackage takes a package without a version or a release for one that is there. The zero Package is none.
func listedPackage(line string) Package {
	f := strings.Split(line, "\t")
	if len(f) != 5 {
		return Package{}
	}
	return packageOf(f)
}

// Since is what this inventory has and an earlier one had not: names of packages and fingerprints of keys, sorted.
func (i Inventory) Since(earlier Inventory) (packages, keys []string) {
	for name := range i.Packages {
		if len(earlier.Packages[name]) == 0 {
			packages = append(packages, name)
		}
	}
	for _, k := range i.Keys {
		if !k.Among(earlier.Keys) {
			keys = append(keys, k.Fingerprint)
		}
	}
	slices.Sort(packages)
	slices.Sort(keys)
	return packages, keys
}

// Lacks are those of the names that no installed package has.
func (i Inventory) Lacks(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return len(i.Packages[name]) > 0 })
}

// Without are those packages, written NAME-EPOCH:VERSION-RELEASE.ARCH or without an epoch of 0, that are not installed
// in just that version.
func (i Inventory) Without(packages []string) []string {
	have := map[string]bool{}
	for _, all := range i.Packages {
		for _, p := range all {
			have[p.String()], have[p.full()] = true, true
		}
	}
	return slices.DeleteFunc(slices.Clone(packages), func(p string) bool { return have[p] })
}

// full is a package's name with an epoch in any case, as yum's summary writes it.
func (p Package) full() string {
	p.Epoch = cmp.Or(p.Epoch, "0")
	return p.String()
}
