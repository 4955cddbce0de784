package rpm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/lazy"
	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/yumconf"
	"wsprovision/rpm/yumerr"
)

// refusal is the error of a run after which something that was asked for is absent, or a package failed that comes
// with it: yum lists it under "Failed:", says Complete! and 1, and what was asked for is there without it.
func (h Host) refusal(said yumerr.Output, absent, failed []string, have rpmdb.Inventory, limits Limits) *yumerr.Error {
	e := yumerr.Classify(said)
	failed = slices.DeleteFunc(failed, func(p string) bool { return slices.Contains(absent, nameOf(p)) })
	if len(failed) > 0 && e.Kind == yumerr.Unknown {
		e.Kind, e.Next = yumerr.Scriptlet, yumerr.RowOf(yumerr.Scriptlet).Next
	}
	e = h.explain(e, said, absent, have)
	e.Absent = notInstalled(absent, failed)
	if len(failed) > 0 && len(absent) == 0 {
		e.Next = adviceOf(e.Next, fmt.Sprintf("then: yum install %s", strings.Join(failed, " ")))
	}
	if slices.Contains(limited, e.Kind) {
		e.Next = adviceOf(append([]string{e.Next}, limits.Reasons...)...)
	}
	return e
}

// limited are the kinds of failure that may come of the limits that we set ourselves.
var limited = []yumerr.Kind{yumerr.NoPackage, yumerr.NoRepositories, yumerr.BadKey, yumerr.Unsigned, yumerr.Dependency,
	yumerr.Unknown}

// nameOf is the name in NAME-EPOCH:VERSION-RELEASE.ARCH.
func nameOf(full string) string {
	before, _, _ := yumerr.CutLast(full, "-")
	name, _, _ := yumerr.CutLast(before, "-")
	return name
}

func notInstalled(absent, failed []string) string {
	var all []string
	if len(absent) > 0 {
		all = append(all, fmt.Sprintf("%s %s not installed", strings.Join(absent, ", "), verb(absent)))
	}
	if len(failed) > 0 {
		all = append(all, fmt.Sprintf("%s failed and %s not installed", strings.Join(failed, ", "), verb(failed)))
	}
	return strings.Join(all, ", ")
}

func verb(names []string) string {
	if len(names) > 1 {
		return "are"
	}
	return "is"
}

// adviceOf makes one piece of advice of several; empty ones are left out.
func adviceOf(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), "; ")
}

// explain adds to an error what the host's files and file systems tell of its reason. names are what yum was asked for
// and did not bring.
func (h Host) explain(e *yumerr.Error, said yumerr.Output, names []string, have rpmdb.Inventory) *yumerr.Error {
	switch e.Kind {
	case yumerr.NoPackage:
		if all := h.Yum.Hidden(said.MissingNames(names), names); len(all) > 0 {
			e.Hidden, e.Next = true, yumerr.Some(all)
		} else {
			e.Next = adviceOf(e.Next, h.Yum.DisabledOnes())
		}
		e.Next = adviceOf(e.Next, said.Protections())
	case yumerr.NoRepositories:
		e.Next = adviceOf(e.Next, h.Yum.DisabledOnes())
	case yumerr.Dependency:
		e.Next = dependencyNext(h.Yum, said, e.Next)
	case yumerr.BadKey:
		if file := lacksKeyFile(said); file != "" {
			e.Next = fmt.Sprintf("there is no key file %s: put it there, or mend gpgkey= in the repository's file in "+
				"/etc/yum.repos.d; then %s", file, e.Next)
		}
	case yumerr.NoSpace, yumerr.Unwritable:
		e.Next = h.Disk.fullFileSystem(said.Stderr + "\n" + said.Stdout)
	case yumerr.Unreachable:
		e.Next = mirrorNext(said, e.Next)
		if next := h.Yum.CentosNext(said); next != "" {
			e.Next = next
		}
	}
	e.Next = adviceOf(e.Next, unfinishedNext(said, have))
	return e
}

// noKeyFile is curl's word for gpgkey=file://… that is not there (37, CURLE_FILE_COULDNT_READ_FILE). EL7's names no
// file ("Couldn't read file"): yum has said before, on stdout, which one it retrieves.
var (
	noKeyFile = lazy.Regexp(`GPG key retrieval failed: \[Errno 14\] curl#37 - ` +
		`"Couldn't (?:read|open) file ?(/[^"]+)?"`)
	retrievedKey = lazy.Regexp(`(?m)^Retrieving key from file://(/\S+)$`)
)

// lacksKeyFile is the key file that is not there, "" where yum failed of something else.
func lacksKeyFile(said yumerr.Output) string {
	m := noKeyFile().FindStringSubmatch(said.Stderr)
	if m == nil {
		return ""
	}
	if m[1] != "" {
		return m[1]
	}
	if all := retrievedKey().FindAllStringSubmatch(said.Stdout, -1); all != nil {
		return all[len(all)-1][1]
	}
	return ""
}

// dependencyNext is what the requirements that were not met usually mean, or which line hides what would meet them.
func dependencyNext(conf yumconf.Conf, said yumerr.Output, next string) string {
	var all []string
	for _, u := range said.Unmet() {
		means := u.Means()
		name, _ := yumerr.Requirement(u.Requires)
		if _, installed := u.There(); !installed && rpmdb.CheckName(yumerr.BareName(name)) == nil {
			if hidden := conf.Hidden(nil, []string{yumerr.BareName(name)}); len(hidden) > 0 {
				means = yumerr.Some(hidden)
			}
		}
		if !slices.Contains(all, means) {
			all = append(all, means)
		}
	}
	for _, m := range filteredOut().FindAllStringSubmatch(said.Stderr, -1) {
		for _, hiding := range conf.Hidden(nil, []string{nameOf(m[1])}) {
			all = append(all, hiding.String())
		}
	}
	if len(all) == 0 {
		return next
	}
	return yumerr.Some(all)
}

// filteredOut is dnf's word on a dependency that is excluded.
var filteredOut = lazy.Regexp(`package (\S+) is filtered out by exclude filtering`)

// mirrorAdvice is what a mirror's last word asks for; the first that fits counts.
var mirrorAdvice = []yumerr.Row{
	// urlgrabber 3.10 puts the scheme before: HTTP, HTTPS and FTP Error (grabber.py).
	{Stderr: yumerr.Marks(`repodata/\S+: .*(HTTPS? Error 404|FTP Error 550)|repodata/.*Status code: 404`),
		Next: "there is no repository at that address: look at its baseurl"},
	{Stderr: yumerr.Marks(`HTTPS? Error 404|FTP Error 550|Status code: 404|does not match (intended ` +
		`download|checksum)`),
		Next: "the mirror has not got what its own index names: it is being changed, or yum's copy of the index is " +
			"old (yum clean metadata)"},
	{Stderr: yumerr.Marks(`HTTPS? Error 407|HTTP code 407 from proxy|Status code: 407`),
		Next: "the proxy wants a user and a password (407): proxy_username= and proxy_password= in /etc/yum.conf, or " +
			"in the repository's own section"},
	{Stderr: yumerr.Marks(`HTTPS? Error 40[13]|FTP Error 530|Status code: 40[13]`),
		Next: "the server refuses: look at the repository's user, password and client certificate, and at the proxy"},
	{Stderr: yumerr.Marks(`curl#6\b|Curl error \(6\)`), Next: "the name does not resolve: look at the repository's " +
		"address, /etc/resolv.conf and the proxy"},
	// What curl of EL7 says of TLS is NSS's (security/nss/lib/ssl/SSLerrs.h, SECerrs.h), elsewhere OpenSSL's.
	{Stderr: yumerr.Marks(`curl#58\b|Curl error \(58\)`),
		Next: "the client's certificate or its key cannot be read: look at the files that sslclientcert= and " +
			"sslclientkey= name; those in /etc/pki/entitlement come by: subscription-manager refresh"},
	{Stderr: yumerr.Marks(`curl#77\b|Curl error \(77\)`),
		Next: "the file of authorities cannot be read: look at sslcacert= of the repository; the system's own comes " +
			"back by: yum reinstall ca-certificates (from a medium), or update-ca-trust"},
	{Stderr: yumerr.Marks(`curl#51\b|Curl error \(51\)|requested domain name does not match`),
		Next: "the server's certificate is of another name than the address in baseurl"},
	{Stderr: yumerr.Marks(`curl#35\b|Curl error \(35\)`),
		Next: "no TLS comes about with the server: no version or cipher that both have (yum update nss curl), or " +
			"what " +
			"answers there speaks no TLS (http:// in baseurl or proxy=)"},
	{Stderr: yumerr.Marks(`[Cc]ertificate has expired|is not yet valid|SEC_ERROR_EXPIRED|system date and time`),
		Next: clockAdvice},
	{Stderr: yumerr.Marks(`curl#60\b|Curl error \(60\)`),
		Next: "no authority that this host knows has signed the server's certificate: ca-certificates is old (yum " +
			"update ca-certificates, from a repository that answers), or a proxy opens TLS, or the authority is the " +
			"house's own: put its certificate into /etc/pki/ca-trust/source/anchors, then update-ca-trust"},
}

// clockAdvice is for a certificate that is out of date; which of the two it is, the clock tells.
const clockAdvice = "a certificate is out of date by this host's clock, which says %s: where that is wrong, set it " +
	"(date -s, or start chronyd or ntpd); where it is right, the server's has expired, or an authority's in an old " +
	"ca-certificates (yum update ca-certificates)"

func mirrorNext(said yumerr.Output, next string) string {
	all := append(said.Mirrors(), said.Mirrorlist())
	for i := len(all) - 1; i >= 0; i-- {
		for _, a := range mirrorAdvice {
			if !a.Stderr().MatchString(all[i]) {
				continue
			}
			if a.Next == clockAdvice {
				return fmt.Sprintf(clockAdvice, time.Now().Format("2006-01-02 15:04"))
			}
			return a.Next
		}
	}
	return next
}

const unfinished = "There are unfinished transactions remaining"

// unfinishedNext is what to do about a transaction that yum finds interrupted; the program for it is in a package of
// its own.
func unfinishedNext(r yumerr.Output, have rpmdb.Inventory) string {
	if !strings.Contains(r.Stderr+"\n"+r.Stdout, unfinished) {
		return ""
	}
	next := "an earlier transaction was interrupted: yum-complete-transaction --cleanup-only"
	if len(have.Packages["yum-utils"]) == 0 {
		next += " (it is in yum-utils, which is not installed: yum install yum-utils)"
	}
	return next
}
