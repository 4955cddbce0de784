package yumconf

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"wsprovision/rpm/said"
	"wsprovision/rpm/yumerr"
)

// A package that yum does not have may be one that its configuration hides: yum 3.4.3 says "No package X available."
// of a name that exclude= or includepkgs= keeps out and of one in a disabled repository, as of one that nobody has
// (yum/__init__.py excludePackages, includePackages).

// hiding is one line of yum's configuration that keeps a package from yum, and what to do about it.
type hiding struct {
	what string // `exclude=nginx* of [main] in /etc/yum.conf:7 hides nginx`
	next string
	sure bool // the line names the package; else it does not name it, or the repository is disabled and may not have it
}

func (d hiding) String() string { return d.what + ": " + d.next }

// Hidden looks for what keeps yum from the packages that it said it does not have, and for what is sure to keep it
// from the other ones that are absent: yum stops at the first.
func (c Conf) Hidden(said, absent []string) (all []hiding) {
	main, repos, err := c.Definitions()
	if err != nil {
		return nil // yum will say so itself
	}
	for _, name := range absent {
		unsure := !slices.Contains(said, name)
		found := append(c.hiddenInMain(name, main), c.hiddenInRepositories(name, main, repos)...)
		all = append(all, slices.DeleteFunc(found, func(d hiding) bool { return unsure && !d.sure })...)
	}
	return all
}

// excludesHold tells whether the excludes of main or of a repository are looked at: disable_excludes= puts them off
// (yum.conf(5)).
func excludesHold(main section, where string) bool {
	off := listOption(main.Keys["disable_excludes"])
	return !slices.Contains(off, "all") && !slices.Contains(off, where)
}

func (c Conf) hiddenInMain(name string, main section) (all []hiding) {
	if !excludesHold(main, "main") {
		return nil
	}
	for _, item := range c.listed(main, "exclude") {
		if item.hides(name) {
			all = append(all, hiding{
				what: fmt.Sprintf("exclude=%s of [main] in %s hides %s", item.pattern, item.place, name),
				next: "take it out there, or for once: yum --disableexcludes=main install " + name,
				sure: true,
			})
		}
	}
	return all
}

// hiddenInRepositories asks first those repositories that commonly have the package, and where these hide nothing the
// others that are enabled.
func (c Conf) hiddenInRepositories(name string, main section, repos []definition) []hiding {
	var usual, others []hiding
	for _, d := range repos {
		found := c.hiddenBy(name, main, d)
		if usuallyHas(d.Repository, name) {
			usual = append(usual, found...)
		} else if d.Enabled {
			others = append(others, found...)
		}
	}
	if len(usual) > 0 {
		return usual
	}
	return others
}

func (c Conf) hiddenBy(name string, main section, d definition) (all []hiding) {
	if !d.Enabled {
		return []hiding{disabled(name, main, d)}
	}
	if excludesHold(main, d.ID) {
		for _, item := range c.listed(d.section, "exclude") {
			if item.hides(name) {
				all = append(all, hiding{
					what: fmt.Sprintf("exclude=%s of [%s] in %s hides %s", item.pattern, d.ID, item.place, name),
					next: fmt.Sprintf("%s, or for once: yum --disableexcludes=%s install %s",
						d.mend("exclude", "take it out there"), d.ID, name),
					sure: true,
				})
			}
		}
	}
	kept := c.listed(d.section, "includepkgs")
	if len(kept) > 0 && !slices.ContainsFunc(kept, func(item listItem) bool { return item.hides(name) }) {
		all = append(all, hiding{
			what: fmt.Sprintf("includepkgs= of [%s] in %s does not name %s", d.ID, kept[0].place, name),
			next: d.mend("includepkgs", "add it there, and what it needs"),
		})
	}
	return all
}

// fromSubscription is the file that subscription-manager writes anew, with the overrides that the server keeps.
const fromSubscription = "redhat.repo"

// mend is how a repository's option is changed for good: in its file, but for subscription-manager's.
func (d definition) mend(option, there string) string {
	if filepath.Base(d.File) != fromSubscription {
		return there
	}
	return fmt.Sprintf("subscription-manager wrote it: subscription-manager repo-override --repo=%s --remove=%s", d.ID,
		option)
}

// disabled is a repository with enabled=0, said by itself or by [main].
func disabled(name string, main section, d definition) hiding {
	next := fmt.Sprintf("put enabled=1 there if it has %s, or for once: yum --enablerepo=%s install %s", name, d.ID,
		name)
	if filepath.Base(d.File) == fromSubscription {
		next = fmt.Sprintf("if it has %s: subscription-manager repos --enable=%s", name, d.ID)
	}
	return hiding{what: fmt.Sprintf("repository %s is disabled in %s", d.ID, disabledAt(main, d)), next: next}
}

func disabledAt(main section, d definition) string {
	return cmp.Or(d.section.at["enabled"], main.at["enabled"], d.File)
}

// DisabledOnes lists the repositories that are disabled, for a package that no enabled one has and no other is known
// to have.
func (c Conf) DisabledOnes() string {
	main, repos, _ := c.Definitions()
	var all []string
	for _, d := range repos {
		if !d.Enabled && !beside(d.Repository) {
			all = append(all, d.ID+" in "+disabledAt(main, d))
		}
	}
	if len(all) == 0 {
		return ""
	}
	return "disabled are: " + yumerr.Some(all)
}

// listItem is one word of a list in yum's configuration, and where it stands.
type listItem struct{ pattern, place string }

// listed are the words of a list; `glob:` names files of more (yum/config.py ListOption, read_in_items_from_dot_dir).
func (c Conf) listed(s section, key string) (all []listItem) {
	for _, word := range listOption(s.Keys[key]) {
		if files, ok := strings.CutPrefix(word, "glob:"); ok {
			all = append(all, c.listFiles(files)...)
			continue
		}
		all = append(all, listItem{word, s.at[key]})
	}
	return all
}

// mostList bounds a file of such words, in bytes.
const mostList = 1 << 20

func (c Conf) listFiles(pattern string) (all []listItem) {
	files, _ := filepath.Glob(filepath.Join(c.Root, pattern))
	for _, file := range files {
		shown := strings.TrimPrefix(file, c.Root)
		text, err := c.FetchFile(shown, mostList)
		if err != nil {
			continue
		}
		for i, line := range said.Lines(string(text)) {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			for _, word := range listOption(line) {
				all = append(all, listItem{word, fmt.Sprintf("%s:%d", shown, i+1)})
			}
		}
	}
	return all
}

// hides tells whether the word means packages of that name, some of their versions at least. A word that is no glob is
// a name, a name with architecture or a name with version; `all` is a package called all (yum/sqlitesack.py
// _parse_pkg, packages.py buildPkgRefDict).
func (item listItem) hides(name string) bool {
	for _, form := range []string{name, name + "." + arch, name + ".noarch", name + unknownVersion, "1:" + name +
		unknownVersion} {
		if globMatches(item.pattern, form) {
			return true
		}
	}
	return versionOf(item.pattern, name)
}

// arch is the only architecture that we are built for.
const arch = "x86_64"

// unknownVersion stands for a version that is not known: only * and ? match it.
const unknownVersion = "-\x00-\x00." + arch

// versionOf tells whether a pattern begins with the name and a version of it: nginx-1.20*.
func versionOf(pattern, name string) bool {
	pattern = strings.ToLower(pattern)
	if epoch, rest, ok := strings.Cut(pattern, ":"); ok && epoch != "" && strings.Trim(epoch, "0123456789") == "" {
		pattern = rest
	}
	rest, ok := strings.CutPrefix(pattern, strings.ToLower(name)+"-")
	return ok && rest != "" && rest[0] >= '0' && rest[0] <= '9'
}

// usuallyHas tells of the repositories of CentOS, RHEL and EPEL which has what we need: nginx is EPEL's, epel-release
// CentOS extras', the rest base's and updates'.
func usuallyHas(r Repository, name string) bool {
	if beside(r) {
		return false
	}
	id, where := strings.ToLower(r.ID), strings.ToLower(r.BaseURL+" "+r.Mirrorlist+" "+r.Metalink)
	switch {
	case strings.HasPrefix(name, "nginx"):
		return strings.Contains(id, "epel") || strings.Contains(id, "nginx") || strings.Contains(where, "epel") ||
			strings.Contains(where, "nginx")
	case name == "epel-release":
		return strings.Contains(id, "extras") && !strings.HasPrefix(id, "rhel-") // Red Hat's has other things
	}
	return id == "base" || id == "updates" || id == "os" || strings.HasSuffix(id, "-server-rpms")
}

// beside are repositories that stand beside one and hold something else: sources, debugging information, what is being
// tested.
func beside(r Repository) bool {
	for _, word := range []string{"source", "debug", "testing", "-src", "fasttrack", "-beta"} {
		if strings.Contains(strings.ToLower(r.ID), word) {
			return true
		}
	}
	return false
}
