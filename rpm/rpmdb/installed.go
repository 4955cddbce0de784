package rpmdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/provision/running"
	"wsprovision/rpm/said"
	"wsprovision/rpm/yumerr"
)

// Package is one installed package. Epoch is empty where the package has none, which rpm prints as (none).
type Package struct{ Name, Epoch, Version, Release, Arch string }

// String is name-epoch:version-release.arch, as yum prints it: nginx-1:1.20.1-10.el7.x86_64.
func (p Package) String() string {
	evr := p.Version + "-" + p.Release
	if p.Epoch != "" {
		evr = p.Epoch + ":" + evr
	}
	s := p.Name + "-" + evr
	if p.Arch != "" {
		s += "." + p.Arch
	}
	return s
}

// queryFormat uses tabs, which no tag of a package's name can hold. %|EPOCH?…| is avoided: %{EPOCH} prints (none) in
// every release.
const queryFormat = `%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\n`

// packageName is what rpm allows in a name (rpm 4.11 build/parsePreamble.c), less a leading dash or dot, so that a name
// is never an option, a glob, a path or an expression for yum.
var packageName = lazy.Regexp(`^[A-Za-z0-9_][A-Za-z0-9_.+-]*$`)

func CheckName(name string) error {
	if !packageName().MatchString(name) || strings.HasSuffix(name, ".rpm") {
		return fmt.Errorf("%q is not a package name", name)
	}
	return nil
}

// Installed asks rpm once for all names. A name that is not installed has no entry; a name may have several (kernel,
// two architectures). rpm's exit status is the number of names that are absent and says nothing else, so every line is
// accounted for.
func (d DB) Installed(ctx context.Context, names ...string) (map[string][]Package, error) {
	if len(names) == 0 {
		return map[string][]Package{}, nil
	}
	for _, name := range names {
		if err := CheckName(name); err != nil {
			return nil, fmt.Errorf("query packages: %w", err)
		}
	}
	argv := append([]string{"rpm", "-q", "--qf", queryFormat}, names...)
	stdout, stderr, status, err := d.Read(ctx, "", argv...)
	if err != nil {
		return nil, fmt.Errorf("query packages: rpm: %w", err)
	}
	found, err := parseQuery(stdout, stderr, names)
	if err != nil {
		return nil, fmt.Errorf("query packages: rpm: exit status %d: %w", status, err)
	}
	return found, nil
}

// parseQuery reads rpm -q's two streams. With a broken database rpm says "package X is not installed" on stdout and the
// truth only on stderr (rpm 4.11 lib/query.c), so anything but a warning there is an error.
func parseQuery(stdout, stderr string, names []string) (map[string][]Package, error) {
	if err := databaseError(stderr); err != nil {
		return nil, err
	}
	answered := map[string]bool{}
	found := map[string][]Package{}
	for _, line := range said.Lines(stdout) {
		if name, ok := Absent(line); ok && slices.Contains(names, name) {
			answered[name] = true
			continue
		}
		p, err := ParsePackage(line)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(names, p.Name) {
			return nil, fmt.Errorf("package %s was not asked for: %s", p.Name, said.Quote(line))
		}
		found[p.Name] = append(found[p.Name], p)
		answered[p.Name] = true
	}
	for _, name := range names {
		if !answered[name] {
			return nil, fmt.Errorf("no answer for %s", name)
		}
	}
	return found, nil
}

// Absent is the name in a line that says that a package is not installed.
func Absent(line string) (string, bool) {
	name, ok := strings.CutPrefix(line, "package ")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(name, " is not installed")
}

// ParsePackage reads a line of queryFormat.
func ParsePackage(line string) (Package, error) {
	f := strings.Split(line, "\t")
	if len(f) != 5 || slices.Contains(f, "") || slices.Contains([]string{f[0], f[2], f[3]}, "(none)") {
		return Package{}, fmt.Errorf("not understood: %s", said.Quote(line))
	}
	return packageOf(f), nil
}

// packageOf takes the five fields of queryFormat.
func packageOf(f []string) Package {
	p := Package{Name: f[0], Epoch: f[1], Version: f[2], Release: f[3], Arch: f[4]}
	if p.Epoch == "(none)" {
		p.Epoch = ""
	}
	if p.Arch == "(none)" { // gpg-pubkey has no architecture
		p.Arch = ""
	}
	return p
}

// rpmSpeaks is how rpm and the database below it begin a line of theirs (rpm 4.11 lib/rpmlog, BDB's and sqlite's
// messages). What else comes on stderr (the dynamic loader's words on /etc/ld.so.preload, a wrapper's) says nothing of
// the database.
var rpmSpeaks = lazy.Regexp(`^(error|fatal error|rpm|rpmdb|db\d? error|BDB\d*)\b`)

// ofMacros is rpm's word on a line of /etc/rpm/macros or of a file like it, which it says in every run (rpm 4.11
// rpmio/macro.c) and goes on.
var ofMacros = lazy.Regexp(`^error: Macro %\S+ (has|failed|is) `)

// databaseError is what rpm's stderr says of its database, or nil where there are only warnings and what others say.
func databaseError(stderr string) error {
	hint := databaseHint(stderr)
	for _, line := range said.Lines(stderr) {
		trimmed := strings.TrimSpace(line)
		switch {
		case !rpmSpeaks().MatchString(trimmed), ofMacros().MatchString(trimmed):
		case hint != "":
			return fmt.Errorf("%s: %s", said.Clip(trimmed), hint)
		default:
			return fmt.Errorf("%s", said.Clip(trimmed))
		}
	}
	if hint != "" {
		return fmt.Errorf("%s: %s", said.LastLines(stderr, 1), hint)
	}
	return nil
}

func databaseHint(text string) string {
	database := yumerr.RowOf(yumerr.Database)
	if database.Stderr().MatchString(text) {
		return database.Next
	}
	return ""
}

// DB is the rpm database below Root; Read runs rpm -q and -K.
type DB struct {
	Root string
	Read running.Run
}
