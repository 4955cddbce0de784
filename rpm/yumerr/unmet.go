package yumerr

import (
	"fmt"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/said"
)

// Unmet is one requirement that yum could not meet, with the packages that it looked at (output.py
// format_missing_requires):
//
//	Error: Package: audit-libs-python-2.8.4-4.el7.x86_64 (base)
//	           Requires: audit-libs(x86-64) = 2.8.4-4.el7
//	           Installed: audit-libs-2.8.5-4.el7.x86_64 (@updates)
//	               audit-libs(x86-64) = 2.8.5-4.el7
type Unmet struct {
	needer, from string // the package that needs, and its repository
	Requires     string
	seen         []candidate
}

// candidate is a package that would do but for its version.
type candidate struct {
	state    string // Installed, Available, Removing, "Updated By" …
	name     string
	from     string // its repository; of an installed one @ID, or "installed" where yum does not know any more
	provides string
}

var (
	unmetHead  = lazy.Regexp(`^Error: Package: (\S+) \(([^)]*)\)$`)
	unmetNeeds = lazy.Regexp(`^\s+Requires: (.+)$`)
	unmetSeen  = lazy.Regexp(`^\s+(Installed|Available|Installing|Removing|Updated By|Downgraded By|` +
		`Obsoleted By): (\S+) \(([^)]*)\)$`)
)

// Unmet are the requirements in yum's error, each once.
func (r Output) Unmet() (all []Unmet) {
	inside := false
	for _, line := range said.Lines(r.Stderr) {
		line = said.Clip(line)
		if m := unmetHead().FindStringSubmatch(line); m != nil {
			inside = true
			all = append(all, Unmet{needer: m[1], from: m[2]})
		} else if !strings.HasPrefix(line, " ") {
			inside = false
		} else if inside {
			all[len(all)-1].take(line)
		}
	}
	return once(all)
}

func (u *Unmet) take(line string) {
	if m := unmetNeeds().FindStringSubmatch(line); m != nil {
		u.Requires = strings.TrimSpace(m[1])
	} else if m := unmetSeen().FindStringSubmatch(line); m != nil {
		u.seen = append(u.seen, candidate{state: m[1], name: m[2], from: m[3]})
	} else if last := len(u.seen) - 1; last >= 0 && u.seen[last].provides == "" {
		u.seen[last].provides = strings.TrimSpace(line)
	}
}

// once drops what says the same as one before.
func once(all []Unmet) (kept []Unmet) {
	said := map[string]bool{}
	for _, u := range all {
		if s := u.String(); !said[s] {
			said[s] = true
			kept = append(kept, u)
		}
	}
	return kept
}

func (u Unmet) String() string {
	s := fmt.Sprintf("%s (%s) requires %s", u.needer, u.from, u.Requires)
	if there, ok := u.There(); ok {
		return s + ", and " + there.name + " is there" + there.origin()
	}
	if len(u.seen) > 0 {
		return s + ", and " + u.seen[len(u.seen)-1].offer()
	}
	return s + ", which no enabled repository has"
}

// There is the installed package that stands in the way, and stays.
func (u Unmet) There() (candidate, bool) {
	for _, c := range u.seen {
		if c.state == "Installed" {
			return c, true
		}
	}
	return candidate{}, false
}

// origin says where an installed package came from: yum has it from its own database, and writes "installed" of what
// others installed, Anaconda among them.
func (c candidate) origin() string {
	if repo, ok := strings.CutPrefix(c.from, "@"); ok {
		return ", from repository " + repo
	}
	return ", from a repository that yum does not know"
}

func (c candidate) offer() string {
	if c.state == "Available" {
		return "repository " + c.from + " has " + c.name
	}
	return c.name + " (" + c.from + ") is to be installed"
}

// Means is what usually lies behind it, and what to do.
func (u Unmet) Means() string {
	there, installed := u.There()
	name, version := Requirement(u.Requires)
	_, has := Requirement(there.provides)
	switch {
	case installed && version != "" && has != "" && Newer(has, version):
		return fmt.Sprintf("%s is installed in a newer version than the repositories have: they are without the "+
			"updates that this host has got, as an archive of a release is: enable the repository with the updates, "+
			"then run again", BareName(name))
	case installed && version != "" && has != "" && Newer(version, has):
		return fmt.Sprintf("%s is installed in an older version, and no enabled repository has the newer one: enable "+
			"the repository with the updates (yum repolist all)", BareName(name))
	case installed:
		return fmt.Sprintf("what is installed and what the repositories have do not fit: enable the repository that "+
			"%s came from, with its updates", there.name)
	case len(u.seen) > 0:
		return fmt.Sprintf("the repositories do not fit each other: %s is newer, or older, than what it needs; see "+
			"that they are of one release and whole, then: yum clean metadata", u.from)
	}
	return "enable the repository that has it (yum repolist all shows them)"
}

var comparison = lazy.Regexp(`^(\S+)(?: (?:=|<|>|<=|>=) (\S+))?$`)

// Requirement is the name and the version of `NAME = EPOCH:VERSION-RELEASE`; the version may be missing.
func Requirement(s string) (name, version string) {
	m := comparison().FindStringSubmatch(s)
	if m == nil {
		return s, ""
	}
	return m[1], m[2]
}

// BareName is a requirement's name without the architecture: audit-libs(x86-64).
func BareName(name string) string {
	before, _, _ := strings.Cut(name, "(")
	return before
}
