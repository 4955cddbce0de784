package provision

import (
	"wsprovision/provision/engine"
	"wsprovision/provision/packages"
)

// The steps, in the order in which they are brought about.
//
// SELinux comes before the server block, and the validation before both the
// file and the reload: when nginx takes a new configuration, nothing that it
// needs is still to come, so no request meets a 502 in between. Where one of
// them fails, nginx goes on as it did.
const (
	StepPlatform   = "platform"
	StepRepository = "repository"
	StepPackages   = packages.Step
	StepSELinux    = "selinux"
	StepValidate   = "validate"
	StepSite       = "server-block"
	StepService    = "service"
	StepProof      = "proof"

	// The steps of a host that is provisioned in two phases: acrossBoots.
	StepFirstBoot = "first-boot"
	StepLabels    = "labels"
)

func (r *Run) steps() []engine.Step {
	return r.acrossBoots([]engine.Step{
		{Name: StepPlatform, Check: r.checkPlatform},
		{Name: StepRepository, Needs: []string{StepPlatform}, Check: r.epel.Check, Apply: r.epel.Apply},
		{Name: StepPackages, Needs: []string{StepPlatform, StepRepository}, Check: r.pkgs.Check,
			Apply: r.pkgs.Apply},
		{Name: StepSELinux, Needs: []string{StepPackages}, Check: r.policy.Check, Apply: r.policy.Apply},
		{Name: StepValidate, Needs: []string{StepPackages}, Check: r.candidate.Check},
		{Name: StepSite, Needs: []string{StepSELinux, StepValidate}, Check: r.conf.Check, Apply: r.conf.Apply},
		{Name: StepService, Needs: []string{StepSite}, Check: r.unit.Check, Apply: r.unit.Apply},
		{Name: StepProof, Needs: []string{StepService}, Check: r.proof.checkProof},
	})
}
