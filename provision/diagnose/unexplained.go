package diagnose

import (
	"context"

	"wsprovision/provision/diagnose/backend"
	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
)

// unexplained says what was looked at, so that a person need not begin anew.
func unexplained(ctx context.Context, e *facts.Evidence) cause.Diagnosis {
	d := cause.New(cause.Unexplained, "none of the known causes: "+e.Err.Error(), cause.Mend{})
	if !facts.IsLocal(e) {
		d.Mend = cause.Say("run wsprovision verify on that host, where more can be read")
	}
	d.Evidence = append(d.Evidence, facts.Relevant(e)...)
	if seen := e.Peak.String(); seen != "" {
		d.Evidence = append(d.Evidence, seen)
	}
	if facts.IsLocal(e) {
		d.Evidence = append(d.Evidence, backend.Forbidden(ctx, e)...)
		d.Evidence = append(d.Evidence, backend.NotJudged(e)...)
		for _, b := range facts.Backends(e) {
			if own := backend.OwnSocket(e, b); own != "" {
				d.Evidence = append(d.Evidence, own)
			}
		}
		d.Evidence = append(d.Evidence, facts.PassedOver(e)...)
		d.Evidence = append(d.Evidence, facts.WayOf(e)...)
	}
	for _, err := range []error{e.TreeErr, e.Gone} {
		if err != nil {
			d.Evidence = append(d.Evidence, err.Error())
		}
	}
	return *d
}
