package packages

import (
	_ "embed"
	"strings"

	"wsprovision/provision/config"
	"wsprovision/rpm/yumconf"
)

// EPEL 7 as the agent knows it. The metalink names the mirrors, and Fedora's archive keeps EPEL 7 since the end of its
// life (2024-06-30). A later version that has another archive has to know this one, too: by its address the file on a
// host is told from one that is not asked for any more.
const (
	epelMetalink = "https://mirrors.fedoraproject.org/metalink?repo=epel-7&arch=$basearch"
	epelArchive  = "https://archives.fedoraproject.org/pub/archive/epel/7/$basearch/"
	// basearch is yum's variable of that name on the only architecture that we are built for.
	basearch = "x86_64"
)

// epelKey is "Fedora EPEL (7) <epel@fedoraproject.org>", as epel-release brings it; its fingerprint is
// config.EPEL7Fingerprint.
//
//go:embed RPM-GPG-KEY-EPEL-7
var epelKey []byte

// The directory of the repository that yum has for one run. yum.conf does not name it, so that nothing else reads it,
// and it is under /run, which no boot outlives.
const (
	runDir        = "/run/wsprovision-yum"
	runRepository = runDir + "/epel.repo"
	runKey        = runDir + "/RPM-GPG-KEY-EPEL-7"
)

// forOneRun is EPEL 7 by its mirrors. It has epel-release's own id, and with it yum's cache and history of the
// packages, so that the host ends as one on which epel-release came first.
func forOneRun() yumconf.Repository {
	return yumconf.Repository{ID: "epel", Name: "Extra Packages for Enterprise Linux 7 - $basearch",
		Metalink: epelMetalink, Enabled: true, GPGCheck: true, GPGKey: []string{"file://" + runKey}}
}

// archive is the repository whose file stays on a host: EPEL 7's archive, or what epel.baseurl names in place of both.
func (o OneRun) archive() yumconf.Repository {
	r := o.Repositories().repository()
	if r.BaseURL == "" {
		r.BaseURL = epelArchive
	}
	return r
}

// expand is an address as yum asks for it.
func expand(address string) string {
	return strings.NewReplacer("$basearch", basearch, "$releasever", "7").Replace(address)
}

// builtInKey reports whether the key is the one that the agent has.
func (k Keys) builtInKey() bool {
	return k.Config.EPEL.Source == config.EPELAuto && k.Config.EPEL.GPGKey == ""
}
