package yumconf

import (
	"slices"
	"strings"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/yumerr"
)

// IsEPEL reports whether this is EPEL 7 itself, under whatever name a Satellite or a mirror gives it, and not what
// stands beside it: its sources, its debugging information, what is being tested.
func (r Repository) IsEPEL() bool {
	where := strings.ToLower(r.BaseURL + " " + r.Mirrorlist + " " + r.Metalink)
	named := strings.Contains(strings.ToLower(r.ID), "epel") || strings.Contains(where, "repo=epel-7") ||
		strings.Contains(where, "/epel/7")
	return named && !beside(r)
}

// ofDistribution are the ids that CentOS, Red Hat, Oracle and Scientific Linux give to their own repositories: none of
// them has nginx for RHEL 7 (Red Hat's is a Software Collection, rh-nginx, under other names).
var ofDistribution = lazy.Regexp(`(?i)^(base|updates|extras|centosplus|contrib|cr|fasttrack|os|anaconda|` +
	`c7-media|centos-kernel|centos-sclo-\S+|c7\.\d\S*|ol7_\S+|sl|sl-\S+|sl7\S*)$|` +
	`^(rhel|rhui-rhel|rhui-\S*-?rhel)-(7|server|workstation|client|computenode|ha|rs|atomic|sjis|x86)\S*$`)

// OfDistribution reports whether the repository is one of the distribution's own.
func (r Repository) OfDistribution() bool { return ofDistribution().MatchString(r.ID) }

// Hides is what of yum's configuration is sure to keep the packages from it where they come from the repositories of
// these ids; "" for nothing. It is known from the files: yum need not run for it.
func (c Conf) Hides(names []string, ids ...string) (string, error) {
	main, repos, err := c.Definitions()
	if err != nil {
		return "", err
	}
	var all []hiding
	for _, name := range names {
		found := c.hiddenInMain(name, main)
		for _, d := range repos {
			if slices.Contains(ids, d.ID) {
				found = append(found, c.hiddenBy(name, main, d)...)
			}
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return "", nil
	}
	return yumerr.Some(all), nil
}
