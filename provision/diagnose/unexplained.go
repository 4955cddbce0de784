package diagnose

import "fmt"

// unexplained says what was looked at, so that a person need not begin anew.
func unexplained(e *evidence) Diagnosis {
	d := diagnosis(Unexplained, "none of the known causes: "+e.Err.Error(), Mend{})
	if !isLocal(e) {
		d.Mend = say("run wsprovision verify on that host, where more can be read")
	}
	d.Evidence = append(d.Evidence, relevant(e)...)
	if isLocal(e) {
		d.Evidence = append(d.Evidence, passedOver(e)...)
		d.Evidence = append(d.Evidence, wayOf(e)...)
	}
	for _, err := range []error{e.treeErr, e.gone} {
		if err != nil {
			d.Evidence = append(d.Evidence, err.Error())
		}
	}
	return *d
}

// wayOf tells how the request was followed, and where that ended.
func wayOf(e *evidence) (all []string) {
	if e.way.Server == nil || e.treeErr != nil {
		return nil
	}
	for _, s := range e.way.End.Steps {
		all = append(all, s.String())
	}
	switch end := e.way.End; {
	case end.Unfollowed != nil:
		all = append(all, "from there on it is not followed: "+end.Unfollowed.Error())
	case end.Pass != nil && len(end.Pass.Backends) > 0:
		all = append(all, fmt.Sprintf("passed to %s by %s:%d", end.Pass.Backends, end.Pass.Directive.File,
			end.Pass.Directive.Line))
	}
	return append(all, e.asked.told()...)
}
