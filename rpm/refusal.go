package rpm

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// refusal is the error of a run after which something that was asked for is absent, or a package failed that comes
// with it: yum lists it under "Failed:", says Complete! and 1, and what was asked for is there without it.
func (h Host) refusal(said ran, absent, failed []string, have Inventory, limits Limits) *YumError {
	e := classify(said)
	failed = slices.DeleteFunc(failed, func(p string) bool { return slices.Contains(absent, nameOf(p)) })
	if len(failed) > 0 && e.Kind == Unknown {
		e.Kind, e.Next = Scriptlet, row(Scriptlet).next
	}
	e = h.explain(e, said, absent, have)
	e.Absent = notInstalled(absent, failed)
	if len(failed) > 0 && len(absent) == 0 {
		e.Next = adviceOf(e.Next, fmt.Sprintf("then: yum install %s", strings.Join(failed, " ")))
	}
	if slices.Contains(limited, e.Kind) {
		e.Next = adviceOf(append([]string{e.Next}, limits.Reasons...)...)
	}
	return e
}

// limited are the kinds of failure that may come of the limits that we set ourselves.
var limited = []Kind{NoPackage, NoRepositories, BadKey, Unsigned, Dependency, Unknown}

// nameOf is the name in NAME-EPOCH:VERSION-RELEASE.ARCH.
func nameOf(full string) string {
	before, _, _ := cutLast(full, "-")
	name, _, _ := cutLast(before, "-")
	return name
}

func notInstalled(absent, failed []string) string {
	var all []string
	if len(absent) > 0 {
		all = append(all, fmt.Sprintf("%s %s not installed", strings.Join(absent, ", "), verb(absent)))
	}
	if len(failed) > 0 {
		all = append(all, fmt.Sprintf("%s failed and %s not installed", strings.Join(failed, ", "), verb(failed)))
	}
	return strings.Join(all, ", ")
}

func verb(names []string) string {
	if len(names) > 1 {
		return "are"
	}
	return "is"
}

// adviceOf makes one piece of advice of several; empty ones are left out.
func adviceOf(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), "; ")
}

// explain adds to an error what the host's files and file systems tell of its reason. names are what yum was asked for
// and did not bring.
func (h Host) explain(e *YumError, said ran, names []string, have Inventory) *YumError {
	switch e.Kind {
	case NoPackage:
		if all := h.hidden(said.missingNames(names), names); len(all) > 0 {
			e.Hidden, e.Next = true, some(all)
		} else {
			e.Next = adviceOf(e.Next, h.disabledOnes())
		}
		e.Next = adviceOf(e.Next, said.protections())
	case NoRepositories:
		e.Next = adviceOf(e.Next, h.disabledOnes())
	case Dependency:
		e.Next = h.dependencyNext(said, e.Next)
	case NoSpace, Unwritable:
		e.Next = h.fullFileSystem(said.stderr + "\n" + said.stdout)
	case Unreachable:
		e.Next = mirrorNext(said, e.Next)
		if next := h.centosNext(said); next != "" {
			e.Next = next
		}
	}
	e.Next = adviceOf(e.Next, said.unfinished(have))
	return e
}

// protected are the words of yum's plugins that keep packages from it: priorities, protectbase and versionlock.
var protected = regexp.MustCompile(`excluded due to repository (priority )?protections|^Excluding .* due to ` +
	`versionlock`)

// protections is what such a plugin said, in a run that lacks a package.
func (r ran) protections() string {
	for _, line := range lines(r.stdout) {
		if protected.MatchString(line) {
			return "a plugin of yum's may hide it, see /etc/yum/pluginconf.d: " + clip(strings.TrimSpace(line))
		}
	}
	return ""
}

// dependencyNext is what the requirements that were not met usually mean, or which line hides what would meet them.
func (h Host) dependencyNext(said ran, next string) string {
	var all []string
	for _, u := range said.unmet() {
		means := u.means()
		name, _ := requirement(u.requires)
		if _, installed := u.there(); !installed && checkName(bareName(name)) == nil {
			if hidden := h.hidden(nil, []string{bareName(name)}); len(hidden) > 0 {
				means = some(hidden)
			}
		}
		if !slices.Contains(all, means) {
			all = append(all, means)
		}
	}
	for _, m := range filteredOut.FindAllStringSubmatch(said.stderr, -1) {
		for _, hiding := range h.hidden(nil, []string{nameOf(m[1])}) {
			all = append(all, hiding.String())
		}
	}
	if len(all) == 0 {
		return next
	}
	return some(all)
}

// filteredOut is dnf's word on a dependency that is excluded.
var filteredOut = regexp.MustCompile(`package (\S+) is filtered out by exclude filtering`)

// mirrorAdvice is what a mirror's last word asks for; the first that fits counts.
var mirrorAdvice = []failure{
	// urlgrabber 3.10 puts the scheme before: HTTP, HTTPS and FTP Error (grabber.py).
	{stderr: marks(`repodata/\S+: .*(HTTPS? Error 404|FTP Error 550)|repodata/.*Status code: 404`),
		next: "there is no repository at that address: look at its baseurl"},
	{stderr: marks(`HTTPS? Error 404|FTP Error 550|Status code: 404|does not match (intended download|checksum)`),
		next: "the mirror has not got what its own index names: it is being changed, or yum's copy of the index is " +
			"old (yum clean metadata)"},
	{stderr: marks(`HTTPS? Error 40[137]|FTP Error 530|Status code: 40[137]`),
		next: "the server refuses: look at the repository's user, password and client certificate, and at the proxy"},
	{stderr: marks(`curl#6\b|Curl error \(6\)`), next: "the name does not resolve: look at the repository's " +
		"address, /etc/resolv.conf and the proxy"},
	{stderr: marks(`curl#(35|51|58|60|77)\b|Curl error \((35|51|58|60|77)\)`),
		next: "the server's certificate is not believed: look at the clock, and at the authorities " +
			"(ca-certificates, sslcacert=)"},
}

func mirrorNext(said ran, next string) string {
	all := append(said.mirrors(), said.mirrorlist())
	for i := len(all) - 1; i >= 0; i-- {
		for _, a := range mirrorAdvice {
			if a.stderr.MatchString(all[i]) {
				return a.next
			}
		}
	}
	return next
}

const unfinished = "There are unfinished transactions remaining"

// unfinished is what to do about a transaction that yum finds interrupted; the program for it is in a package of its
// own.
func (r ran) unfinished(have Inventory) string {
	if !strings.Contains(r.stderr+"\n"+r.stdout, unfinished) {
		return ""
	}
	next := "an earlier transaction was interrupted: yum-complete-transaction --cleanup-only"
	if len(have.Packages["yum-utils"]) == 0 {
		next += " (it is in yum-utils, which is not installed: yum install yum-utils)"
	}
	return next
}
