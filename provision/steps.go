package provision

// The steps, in the order in which they are brought about.
//
// SELinux comes before the server block, and the validation before both the
// file and the reload: when nginx takes a new configuration, nothing that it
// needs is still to come, so no request meets a 502 in between.
const (
	StepPlatform   = "platform"
	StepRepository = "repository"
	StepPackages   = "packages"
	StepSELinux    = "selinux"
	StepValidate   = "validate"
	StepSite       = "server-block"
	StepService    = "service"
	StepProof      = "proof"

	// The steps of a host that is provisioned in two phases: acrossBoots.
	StepFirstBoot = "first-boot"
	StepLabels    = "labels"
)

func (r *Run) steps() []Step {
	return r.acrossBoots([]Step{
		{StepPlatform, nil, r.checkPlatform, nil},
		{StepRepository, []string{StepPlatform}, r.checkRepository, r.applyRepository},
		{StepPackages, []string{StepPlatform, StepRepository}, r.checkPackages, r.applyPackages},
		{StepSELinux, []string{StepPackages}, r.checkSELinux, r.applySELinux},
		{StepValidate, []string{StepPackages}, r.checkValidate, nil},
		{StepSite, []string{StepValidate}, r.checkSites, r.applySites},
		{StepService, []string{StepSite}, r.checkService, r.applyService},
		{StepProof, []string{StepSELinux, StepService}, r.checkProof, nil},
	})
}
