package answer

import (
	"slices"

	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
)

// place is where a directive stands in the server block.
type place struct {
	directive conf.Directive
	location  *conf.Directive // the innermost one around it; nil for none
	within    bool            // there is an if around it
}

// placesOf are those of the directives of that name in that line. A file that is included twice has two.
func placesOf(e *facts.Evidence, name, file string, line int) []place {
	if e.Way.Server == nil {
		return nil
	}
	return placesIn(e.Way.Server.Body, place{directive: conf.Directive{Name: name, File: file, Line: line}})
}

func placesIn(body []conf.Directive, looked place) (all []place) {
	for i, d := range body {
		switch at := looked; {
		case d.Name == looked.directive.Name && d.File == looked.directive.File && d.Line == looked.directive.Line:
			at.directive = d
			all = append(all, at)
		case d.Name == "location":
			at.location, at.within = &body[i], false
			all = append(all, placesIn(d.Body, at)...)
		case d.Name == "if":
			at.within = true
			all = append(all, placesIn(d.Body, at)...)
		}
	}
	return all
}

// isWithinIf: the directive has a condition.
func isWithinIf(e *facts.Evidence, by conf.Directive) bool {
	return slices.ContainsFunc(placesOf(e, by.Name, by.File, by.Line), func(p place) bool {
		return p.within && slices.Equal(p.directive.Args, by.Args)
	})
}
