package provision

// The steps, in the order in which they are brought about.
//
// SELinux comes before the server block, and the validation before both the
// file and the reload: when nginx takes a new configuration, nothing that it
// needs is still to come, so no request meets a 502 in between. Where one of
// them fails, nginx goes on as it did.
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
		{StepSite, []string{StepSELinux, StepValidate}, r.checkSites, r.applySites},
		{StepService, []string{StepSite}, r.checkService, r.applyService},
		{StepProof, []string{StepService}, r.checkProof, nil},
	})
}
