package yumerr

import (
	"fmt"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/said"
)

// words are the lines that a person needs of what yum said, for a kind whose first lines are known.
func (r Output) words(kind Kind, evidence []string) string {
	switch kind {
	case NoPackage:
		if all := r.missing(); len(all) > 0 {
			return strings.Join(all, " ")
		}
	case Unreachable:
		return r.unreachable(evidence)
	case Dependency:
		if all := r.Unmet(); len(all) > 0 {
			return Some(all)
		}
	case Conflict:
		return Some(evidence)
	case Scriptlet:
		return r.scriptWords(evidence)
	case BadKey:
		return r.keyWords(evidence)
	case TooNew:
		return strings.Join(append(evidence[:1:1], r.needed()...), "; ")
	}
	return evidence[0]
}

// Some are the first three of many, and how many more there are.
func Some[T any](all []T) string {
	const most = 3
	var shown []string
	for _, one := range all[:min(most, len(all))] {
		shown = append(shown, fmt.Sprint(one))
	}
	s := strings.Join(shown, "; ")
	if more := len(all) - most; more > 0 {
		s += fmt.Sprintf("; and %d more", more)
	}
	return s
}

// boilerplate is the first line of yum's advice on a repository that failed. It names the repository by a name that a
// person gave it, or by none.
const boilerplate = "One of the configured repositories failed"

// unreachable is what could not be had, and what the mirrors said.
func (r Output) unreachable(evidence []string) string {
	specific := slices.DeleteFunc(slices.Clone(evidence), func(line string) bool {
		return strings.HasPrefix(line,
			boilerplate)
	})
	told := evidence[len(evidence)-1:]
	if len(specific) > 0 {
		told = specific[len(specific)-1:]
	}
	if packages := r.notDownloaded(); len(packages) > 0 {
		told = []string{Some(packages)}
	}
	if list := r.Mirrorlist(); list != "" && !slices.Contains(told, list) {
		told = append(slices.Clone(told), list)
	}
	if all := r.Mirrors(); len(all) > 0 {
		told = append(slices.Clone(told), Some(all))
	}
	return strings.Join(told, "; ")
}

var downloading = lazy.Regexp(`^(Error: )?Error downloading packages:$`)

// notDownloaded are the packages that yum or dnf lists under "Error downloading packages:".
func (r Output) notDownloaded() (all []string) {
	inside := false
	for _, line := range said.Lines(r.Stderr) {
		switch {
		case downloading().MatchString(line):
			inside, all = true, nil
		case inside && strings.HasPrefix(line, "  "):
			all = append(all, said.Clip(strings.TrimSpace(line)))
		default:
			inside = false
		}
	}
	return all
}

// dnfMirror is dnf's word on one mirror, on stdout.
var dnfMirror = lazy.Regexp(`^\[MIRROR\] (.*)$`)

// Mirrors are what was said of single mirrors, dnf's where yum said nothing.
func (r Output) Mirrors() []string {
	all := r.complaints()
	if len(all) > 0 {
		return all
	}
	for _, line := range said.Lines(r.Stdout) {
		m := dnfMirror().FindStringSubmatch(strings.TrimSpace(line))
		if m != nil && !slices.Contains(all, said.Clip(m[1])) {
			all = append(all, said.Clip(m[1]))
		}
	}
	return all
}

var noMirrorlist = lazy.Regexp(`^Could not retrieve mirrorlist \S+ error was$`)

// Mirrorlist is what yum says of a list of mirrors that it could not get, in two lines: on stdout (3.4.3-154) or on
// stderr.
func (r Output) Mirrorlist() string {
	for _, text := range []string{r.Stderr, r.Stdout} {
		all := said.Lines(text)
		for i, line := range all {
			if noMirrorlist().MatchString(line) && i+1 < len(all) {
				return said.Clip(line + " " + all[i+1])
			}
		}
	}
	return ""
}

var (
	failing    = lazy.Regexp(`Failing package is: (\S+)`)
	configured = lazy.Regexp(`GPG Keys are configured as: (.+)`)
	retrieving = lazy.Regexp(`(?m)^Retrieving key from (\S+)$`)
)

// keyWords are what failed, and which package and key file yum speaks of.
func (r Output) keyWords(evidence []string) string {
	told := evidence[:1:1]
	if m := failing().FindStringSubmatch(r.Stderr); m != nil {
		told = append(told, "failing package: "+said.Clip(m[1]))
	}
	if m := configured().FindStringSubmatch(r.Stderr); m != nil {
		told = append(told, "keys are configured as "+said.Clip(m[1]))
	}
	if all := retrieving().FindAllStringSubmatch(r.Stdout, -1); all != nil && strings.HasPrefix(evidence[0],
		"GPG key retrieval failed") {
		told = append(told, "retrieving key from "+said.Clip(all[len(all)-1][1]))
	}
	return strings.Join(told, "; ")
}

var rpmlib = lazy.Regexp(`^rpmlib\(\S+\) .* is needed by `)

// needed are the features of rpm that a package asks for; yum prints them on stdout.
func (r Output) needed() (all []string) {
	for _, line := range said.Lines(r.Stdout) {
		if rpmlib().MatchString(line) {
			all = append(all, said.Clip(line))
		}
	}
	return all
}

var (
	scriptFailed = lazy.Regexp(`^error: %\S+ scriptlet failed`)
	progress     = lazy.Regexp(`^\s*(Installing|Updating|Upgrading|Reinstalling|Cleanup|Erasing|Removing|` +
		`Preparing|Verifying)\b|^Running `)
)

// scriptWords are what failed, and what the script and rpm said of it on stdout.
func (r Output) scriptWords(evidence []string) string {
	told := evidence[:1:1]
	all := said.Lines(r.Stdout)
	for i, line := range all {
		if !scriptFailed().MatchString(line) {
			continue
		}
		if i > 0 && !progress().MatchString(all[i-1]) && strings.TrimSpace(all[i-1]) != "" {
			told = append(told, said.Clip(strings.TrimSpace(all[i-1])))
		}
		if line = said.Clip(strings.TrimSpace(line)); !slices.Contains(told, line) {
			told = append(told, line)
		}
	}
	return Some(told)
}

// nonFatal is a %post that failed: yum then says Complete! and 0, and what the script should have set up is not there
// (rpm 4.11 lib/psm.c; yum/rpmtrans.py).
var nonFatal = lazy.Regexp(`^Non-fatal \S+ scriptlet failure in rpm package `)

func (r Output) NonFatal() string {
	for _, line := range said.Lines(r.Stderr + "\n" + r.Stdout) {
		if nonFatal().MatchString(line) {
			return said.Clip(line)
		}
	}
	return ""
}

// Failed are the packages under "Failed:" in the summary, each as NAME.ARCH EPOCH:VERSION-RELEASE (output.py
// postTransactionOutput) or, of dnf, NAME-EPOCH:VERSION-RELEASE.ARCH. yum says Complete! all the same.
func (r Output) Failed() (all []string) {
	inside := false
	for _, line := range said.Lines(r.Stdout) {
		switch {
		case line == "Failed:":
			inside = true
		case inside && strings.HasPrefix(line, "  "):
			all = append(all, listed(strings.Fields(line))...)
		default:
			inside = false
		}
	}
	return all
}

// evr is how yum's summary writes a version, and nevra how dnf's writes a package.
var (
	evr   = lazy.Regexp(`^\d+:[^\s:]+-[^\s:-]+$`)
	nevra = lazy.Regexp(`^[^\s:]+-(\d+:)?[^\s:-]+-[^\s:-]+\.\w+$`)
)

// listed makes NAME-EPOCH:VERSION-RELEASE.ARCH of the two fields of yum's summary; what is no package is passed over.
func listed(fields []string) (all []string) {
	for i := 0; i < len(fields); i++ {
		name, arch, ok := CutLast(fields[i], ".")
		if ok && i+1 < len(fields) && evr().MatchString(fields[i+1]) {
			all = append(all, name+"-"+fields[i+1]+"."+arch)
			i++
		} else if nevra().MatchString(fields[i]) {
			all = append(all, fields[i])
		}
	}
	return all
}

func CutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// protected are the words of yum's plugins that keep packages from it: priorities, protectbase and versionlock.
var protected = lazy.Regexp(`excluded due to repository (priority )?protections|^Excluding .* due to ` +
	`versionlock`)

// Protections is what such a plugin said, in a run that lacks a package.
func (r Output) Protections() string {
	for _, line := range said.Lines(r.Stdout) {
		if protected().MatchString(line) {
			return "a plugin of yum's may hide it, see /etc/yum/pluginconf.d: " + said.Clip(strings.TrimSpace(line))
		}
	}
	return ""
}
