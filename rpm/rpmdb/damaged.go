package rpmdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/said"
)

// Damage is a file of an installed package that is not what the package brought.
// Damage is a file of a package that has lost its content.
type Damage struct {
	Package, Path string
	// Empty says that nothing is in it any more. rpm would keep an empty configuration file for an administrator's.
	Empty bool
}

// verifyArgv asks for contents alone, which are what is lost; rpm 4.11 knows all of these options.
var verifyArgv = []string{"rpm", "-V", "--nodeps", "--noscripts", "--nomtime", "--nomode", "--nouser", "--nogroup",
	"--nordev", "--nolinkto"}

// Damaged looks in installed packages for what a power cut does to files that rpm wrote and never synced, while its
// database was: they are empty, cut off or gone. A configuration file that has content is somebody's.
func (d DB) Damaged(ctx context.Context, names ...string) ([]Damage, error) {
	var all []Damage
	for _, name := range names {
		stdout, stderr, _, err := d.Read(ctx, "", append(slices.Clone(verifyArgv), name)...)
		if err == nil {
			err = databaseError(stderr)
		}
		if err != nil {
			return nil, fmt.Errorf("verify %s: rpm: %w", name, err)
		}
		for _, line := range said.Lines(stdout) {
			if d, ok := d.Damage(name, line); ok {
				all = append(all, d)
			}
		}
	}
	return all, nil
}

// verified is a line of rpm -V (rpm(8), VERIFY OPTIONS): nine marks or "missing", an attribute, and the path.
var verified = lazy.Regexp(`^(missing|[.?A-Z0-9]{8,9})\s+([cdglnr]\s+)?(/.*)$`)

func (d DB) Damage(name, line string) (Damage, bool) {
	m := verified().FindStringSubmatch(line)
	if m == nil {
		return Damage{}, false
	}
	lost, config, path := m[1] == "missing", strings.HasPrefix(m[2], "c"), m[3]
	info, err := os.Lstat(filepath.Join(d.Root, path))
	empty := err == nil && info.Mode().IsRegular() && info.Size() == 0
	changed := strings.ContainsAny(m[1], "S5") && !config
	return Damage{name, path, empty}, lost && err != nil || empty || changed
}
