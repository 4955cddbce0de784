package config

import (
	"fmt"
	"slices"

	"wsprovision/provision/config/reading"
)

// epelSource is what each source needs, of one of them one at least, and takes besides.
type epelSource struct{ needs, oneOf, takes []string }

var epelSources = map[string]epelSource{
	EPELAuto:    {takes: []string{"epel.baseurl", "epel.gpgkey", "epel.fingerprint"}},
	EPELPackage: {needs: []string{"epel.package", "epel.gpgkey"}, takes: []string{"epel.fingerprint"}},
	EPELMirror: {needs: []string{"epel.gpgkey"}, oneOf: []string{"epel.baseurl", "epel.metalink", "epel.mirrorlist"},
		takes: []string{"epel.fingerprint"}},
}

// epelKeys are all of them but the source.
var epelKeys = []string{"epel.package", "epel.baseurl", "epel.metalink", "epel.mirrorlist", "epel.gpgkey",
	"epel.fingerprint"}

// checkEPEL names what the source needs, and what was written for another source and would be ignored.
func checkEPEL(e EPEL, at reading.Origins, p *reading.Problems) {
	if at["epel.source"].Wrong {
		return
	}
	source := epelSources[e.Source]
	for _, key := range source.needs {
		if !at.Has(key) {
			lacking(key, fmt.Sprintf("%s needs %s too", e.Source, key), at, p)
		}
	}
	checkOneOf(e, source, at, p)
	if e.Source == EPELAuto && at.Has("epel.fingerprint") && !at.Has("epel.gpgkey") &&
		e.Fingerprint != EPEL7Fingerprint {
		p.Add(at.Problem("epel.fingerprint", "is not that of the key which wsprovision has: give epel.gpgkey too"))
	}
	for _, key := range epelKeys {
		if at.Has(key) && !slices.Contains(slices.Concat(source.needs, source.oneOf, source.takes), key) {
			p.Add(at.Problem(key, fmt.Sprintf("is not used with epel.source %s: remove it, or change the source",
				e.Source)))
		}
	}
}

// checkOneOf asks for one address of the repository: yum would take the mirrors of all that are given.
func checkOneOf(e EPEL, source epelSource, at reading.Origins, p *reading.Problems) {
	given := slices.DeleteFunc(slices.Clone(source.oneOf), func(key string) bool { return !at.Has(key) })
	switch {
	case len(source.oneOf) > 0 && len(given) == 0:
		lacking(source.oneOf[0], fmt.Sprintf("%s needs %s too, or epel.metalink or epel.mirrorlist in its place",
			e.Source, source.oneOf[0]), at, p)
	case len(given) > 1:
		p.Add(at.Problem(given[1], fmt.Sprintf("stands beside %s: one address is asked for", given[0])))
	}
}

// lacking is a problem of a key that is not there, where the source is written that needs it.
func lacking(key, message string, at reading.Origins, p *reading.Problems) {
	problem := at.Problem("epel.source", message)
	problem.Key = key
	p.Add(problem)
}
