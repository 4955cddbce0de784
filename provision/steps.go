package provision

import (
	"wsprovision/provision/engine"
	"wsprovision/provision/stepnames"
)

// steps are brought about in this order.
//
// SELinux comes before the server block, and the validation before both the
// file and the reload: when nginx takes a new configuration, nothing that it
// needs is still to come, so no request meets a 502 in between. Where one of
// them fails, nginx goes on as it did.
func (r *Run) steps() []engine.Step {
	return r.acrossBoots(recording(r.Config, r.files, []engine.Step{
		{Name: stepnames.Platform, Check: r.checkPlatform},
		{Name: stepnames.Repository, Needs: []string{stepnames.Platform}, Check: r.epel.Check, Apply: r.epel.Apply},
		{Name: stepnames.Packages, Needs: []string{stepnames.Platform, stepnames.Repository}, Check: r.pkgs.Check,
			Apply: r.pkgs.Apply},
		{Name: stepnames.SELinux, Needs: []string{stepnames.Packages}, Check: r.policy.Check, Apply: r.policy.Apply},
		{Name: stepnames.Validate, Needs: []string{stepnames.Packages}, Check: r.candidate.Check},
		{Name: stepnames.Site, Needs: []string{stepnames.SELinux, stepnames.Validate}, Check: r.conf.Check,
			Apply: r.conf.Apply},
		{Name: stepnames.Service, Needs: []string{stepnames.Site}, Check: r.unit.Check, Apply: r.unit.Apply},
		{Name: stepnames.Proof, Needs: []string{stepnames.Service}, Check: r.proof.Check},
	}))
}
