package stepnames

import "slices"

// The steps of an apply. A report calls them by these names.
const (
	Platform   = "platform"
	Repository = "repository"
	Packages   = "packages"
	SELinux    = "selinux"
	Capacity   = "capacity"
	Validate   = "validate"
	SiteFile   = "site-file" // where options are written down
	Site       = "server-block"
	Service    = "service"
	Firewall   = "firewall"
	Proof      = "proof"

	// The steps of a host that is provisioned in two phases.
	FirstBoot = "first-boot"
	Labels    = "labels"
)

// The steps that only a revert has.
const (
	Unit   = "unit"
	Files  = "files"
	Ledger = "ledger"
)

// The one step of renew-hook.
const Certificates = "certificates"

// What status looks at besides.
const Listening = "listening"

// Rank is a step's place where steps of both phases stand in one report.
func Rank(step string) int {
	order := []string{Platform, Repository, Packages, SELinux, Capacity, Validate, SiteFile, Site, Service,
		Firewall, Labels, Proof, FirstBoot}
	if i := slices.Index(order, step); i >= 0 {
		return i
	}
	return len(order)
}
