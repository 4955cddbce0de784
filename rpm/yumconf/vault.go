package yumconf

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/yumerr"
)

// CentOS 7's lists of mirrors no longer resolve since 2024-07-01, so that one untouched repository of CentOS's makes
// every yum fail.
const (
	centosMirrors = "mirrorlist.centos.org"
	centosVault   = "https://vault.centos.org/7.9.2009/"
)

// withoutMirrors are the ids that yum says it has no address for, as "base/7/x86_64" with the name of its cache's
// directory.
var withoutMirrors = lazy.Regexp(`(?m)^Cannot find a valid baseurl for repo: ([A-Za-z0-9_.:-]+)`)

// CentosNext is the advice where CentOS's dead list of mirrors is what could not be had, "" where it is not: in which
// files the repositories stand, and which of them are needed at all.
func (c Conf) CentosNext(r yumerr.Output) string {
	_, repos, err := c.Definitions()
	if err != nil {
		repos = nil
	}
	dead := slices.DeleteFunc(repos, func(d definition) bool { return !d.Enabled || !centosList(d.Mirrorlist) })
	said := strings.Contains(r.Stderr+"\n"+r.Stdout, "//"+centosMirrors+"/") || strings.Contains(r.Stderr,
		"host: "+centosMirrors)
	if m := withoutMirrors().FindStringSubmatch(r.Stderr); m != nil {
		said = said || slices.ContainsFunc(dead, func(d definition) bool { return d.ID == m[1] })
	}
	if !said {
		return ""
	}
	return "CentOS 7 has ended, " + centosMirrors + " is gone, and one repository that cannot be reached keeps yum " +
		"from everything: " +
		replacements(dead) + ", or name a mirror of yours, or put enabled=0 where it is not needed. " + needed(dead)
}

// centosList tells whether a mirrorlist= is CentOS's.
func centosList(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.EqualFold(u.Hostname(), centosMirrors)
}

// replacements say for each repository where its mirrorlist= stands and what goes in its place.
func replacements(dead []definition) string {
	if len(dead) == 0 {
		return "in the repository's file replace mirrorlist= by baseurl=" + centosVault +
			"os/$basearch/ (updates and extras likewise)"
	}
	var all []string
	for _, d := range dead {
		all = append(all, fmt.Sprintf("in %s ([%s]) replace mirrorlist= by %s", d.section.at["mirrorlist"], d.ID,
			vaulted(d.Mirrorlist)))
	}
	return strings.Join(all, "; ")
}

var plainRepo = lazy.Regexp(`^[a-z0-9]+$`)

// vaulted is the baseurl= for what a list of mirrors was asked for:
// …/?release=$releasever&arch=$basearch&repo=os&infra=$infra.
func vaulted(mirrorlist string) string {
	u, err := url.Parse(mirrorlist)
	repo := ""
	if err == nil {
		repo = u.Query().Get("repo")
	}
	if !plainRepo().MatchString(repo) { // sclo-rh lies elsewhere
		return "the baseurl= of its place under " + centosVault
	}
	return "baseurl=" + centosVault + repo + "/$basearch/"
}

// needed says what of CentOS's repositories yum needs for us: base and updates have what nginx requires and
// policycoreutils-python, extras the package epel-release alone.
func needed(dead []definition) string {
	has := func(id string) bool { return slices.ContainsFunc(dead, func(d definition) bool { return d.ID == id }) }
	s := "base and updates are needed, whatever epel.source says: they have policycoreutils-python and what nginx " +
		"requires (redhat-indexhtml, system-logos)"
	if len(dead) == 0 || has("extras") {
		s += "; extras only for epel-release, and epel.source: mirror or none does without that, as package does"
	}
	return s
}
