package yumerr

import (
	"cmp"
	"strings"

	"wsprovision/provision/lazy"
)

// Newer tells whether a is newer than b, each EPOCH:VERSION-RELEASE, as rpm compares them (rpm 4.11 lib/rpmds.c
// rpmdsCompare): what is not said in one of them is not compared, a missing epoch is 0.
func Newer(a, b string) bool {
	epochA, versionA, releaseA := splitVersion(a)
	epochB, versionB, releaseB := splitVersion(b)
	c := cmp.Or(compareVersions(epochA, epochB), compareVersions(versionA, versionB))
	if c == 0 && releaseA != "" && releaseB != "" {
		c = compareVersions(releaseA, releaseB)
	}
	return c > 0
}

func splitVersion(s string) (epoch, version, release string) {
	epoch, rest, ok := strings.Cut(s, ":")
	if !ok {
		epoch, rest = "0", s
	}
	version, release, _ = strings.Cut(rest, "-")
	return epoch, version, release
}

// segment is a run of digits, a run of letters, or the tilde, which sorts before the end (rpm 4.11 lib/rpmvercmp.c).
var segment = lazy.Regexp(`\d+|[A-Za-z]+|~`)

// compareVersions is rpmvercmp: segment by segment, digits are numbers and newer than letters.
func compareVersions(a, b string) int {
	left, right := segment().FindAllString(a, -1), segment().FindAllString(b, -1)
	for i := range max(len(left), len(right)) {
		if c := compareSegments(at(left, i), at(right, i)); c != 0 {
			return c
		}
	}
	return 0
}

func at(all []string, i int) string {
	if i < len(all) {
		return all[i]
	}
	return ""
}

func compareSegments(a, b string) int {
	if a == b {
		return 0
	}
	if c := cmp.Compare(segmentRank(a), segmentRank(b)); c != 0 {
		return c
	}
	if segmentRank(a) == segmentRank("0") {
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	}
	return cmp.Compare(a, b)
}

// segmentRank: a tilde is older than the end, and that than letters, which are older than digits.
func segmentRank(s string) int {
	switch {
	case s == "~":
		return 0
	case s == "":
		return 1
	case s[0] >= '0' && s[0] <= '9':
		return 3
	}
	return 2
}
