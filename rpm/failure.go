package rpm

import (
	"fmt"
	"regexp"
	"strings"
)

// Kind is why yum failed, as far as its words tell.
type Kind string

// The kinds; each has its own sentence on what to do next.
const (
	Unknown        Kind = "unknown"
	Locked         Kind = "locked"          // another program holds the lock: waited for, then given up
	Unreachable    Kind = "repository"      // metadata or a package could not be had: the only kind that is tried again
	NoPackage      Kind = "no-package"      // no enabled repository has a package of that name
	NoRepositories Kind = "no-repositories" // typically an unregistered RHEL
	BadKey         Kind = "key"             // the key is missing, wrong, or could not be read
	Unsigned       Kind = "unsigned"        // a package carries no signature
	NoSpace        Kind = "no-space"
	Unwritable     Kind = "unwritable" // yum's cache or database, mostly for want of space
	NotRoot        Kind = "not-root"
	Conflict       Kind = "conflict" // files of two packages
	Dependency     Kind = "dependency"
	Scriptlet      Kind = "scriptlet" // a %pre failed
	TooNew         Kind = "too-new"   // the package needs a newer rpm
	Database       Kind = "database"  // rpm's database is locked or broken
	Unconfigured   Kind = "unconfigured"
)

// YumError is a yum run that did not bring what was asked for. Callers reach it with errors.As.
type YumError struct {
	Status int
	Kind   Kind
	Text   string // yum's own words, the lines that decided
	Next   string // what to do about it; may be empty
	Absent string // what rpm does not have afterwards: `nginx is not installed`
}

func (e *YumError) Error() string {
	s := fmt.Sprintf("yum: exit status %d", e.Status)
	if e.Absent != "" && e.Status == 0 {
		s += ", but " + e.Absent
	} else if e.Absent != "" {
		s += ", " + e.Absent
	}
	if e.Text != "" {
		s += ": " + e.Text
	}
	if e.Next != "" {
		s += " (" + e.Next + ")"
	}
	return s
}

// failure is one row of the table: any of marks in a line of yum's output decides for kind.
type failure struct {
	kind  Kind
	marks []string
	next  string
}

// in is the first line of text that holds one of the row's marks.
func (f failure) in(text string) string {
	for _, line := range lines(text) {
		for _, mark := range f.marks {
			if strings.Contains(line, mark) {
				return clip(strings.TrimSpace(line))
			}
		}
	}
	return ""
}

// failures is read from the top: a reason stands before what follows from it (yum 3.4.3 prints the repository boilerplate for
// a full disk as well, FACTS 1.1; a repository with skip_if_unavailable=1 that is down shows as a package nobody has). Texts of dnf (EL8 and the machine our acceptance tests run on) stand beside yum's.
var failures = []failure{
	{Locked, []string{
		"exiting as configured by exit_on_lock",
		"cachedir already locked by ", "metadata already locked by ", "RPMDB already locked by ", "log already locked by ",
	}, "wait for the other program, or see what it is waiting for"},
	{NotRoot, []string{
		"You need to be root to perform this command",
		"This command has to be run with superuser privileges",
	}, "run as root"},
	{Database, []string{
		"DB_RUNRECOVERY", "rpmdb: BDB", "rpmdb: Thread/process", "rpmdb: PANIC", "cannot open Packages", "rpmdb open failed",
		"rpmdb failed release provides", "database disk image is malformed", "db5 error",
	}, "the rpm database is locked by a program that died, or broken: see that no rpm or yum runs, then: rpm --rebuilddb"},
	{NoSpace, []string{
		"Insufficient space in download directory", "more space needed on the ", " inodes on the ", "No space left on device",
	}, "free space on that file system"},
	// libcurl's CURLE_WRITE_ERROR: what came over the network could not be written.
	{Unwritable, []string{
		"Curl error (23)", "curl#23", "database or disk is full", "History database is not writable",
	}, "yum cannot write below /var: free space on its file system (df /var/cache /var/lib), or see that it is writable"},
	{NoRepositories, []string{
		"There are no enabled repos", "There are no enabled repositories",
	}, "register the system with subscription-manager, or configure epel.source: mirror"},
	{Unsigned, []string{
		" is not signed",
	}, "signatures are always checked, also where the repository says gpgcheck=0: have the package signed, or disable that repository"},
	{BadKey, []string{
		"are already installed but they are not correct for this package", "Public key for ", "GPG key retrieval failed",
		"Refusing to automatically import keys", "You have enabled checking of packages via GPG keys",
		"GPG check FAILED", "Didn't install any keys", "Invalid GPG Key from",
		"Failed to retrieve GPG key", "Key import failed",
	}, "get the key's file, compare its fingerprint (gpg --with-fingerprint FILE) with what its owner publishes, then: rpm --import FILE"},
	{Conflict, []string{
		"conflicts with file from package", "conflict between attempted installs", "conflicts between attempted installs",
	}, "remove one of the two packages"},
	{Scriptlet, []string{
		"Error in PREIN scriptlet", "Error in PRETRANS scriptlet",
	}, "the package's own script failed; its output stands above"},
	{TooNew, []string{
		"You need to update rpm to handle", "RPM needs to be updated",
	}, "the package was built for a newer release"},
	{Unreachable, []string{
		"One of the configured repositories failed", "Cannot find a valid baseurl for repo", "Cannot retrieve repository metadata",
		"Could not retrieve mirrorlist", "Error downloading packages:", "failure: repodata/", "Cannot retrieve metalink",
		"Failed to download metadata for repo", "Cannot download", "Status code: ",
		"Cannot open: ", "Curl error (", "No more mirrors to try",
	}, "the repository could not be reached: look at its baseurl, the network and the proxy"},
	{NoPackage, []string{
		"Not tolerating missing names on install", "No package ", "Unable to find a match", "No match for argument",
	}, "no enabled repository has it: yum repolist shows which are enabled"},
	{Dependency, []string{
		"Error: Package: ", "Requires: ", "nothing provides ", "Protected multilib versions",
	}, "a package it needs is in no enabled repository"},
	{Unconfigured, []string{
		"Config error: ", "Options error: ", "Command line error: ", "Error getting repository data for ", "Parsing file failed",
	}, "mend /etc/yum.conf or the file in /etc/yum.repos.d"},
}

// centosMirrors no longer resolves since 2024-07-01, so that an untouched CentOS-Base.repo makes every yum fail (FACTS 1.3).
const centosMirrors = "mirrorlist.centos.org"

const centosNext = "CentOS 7 has ended and its mirrors have moved to the vault: " +
	"in /etc/yum.repos.d/CentOS-Base.repo replace mirrorlist= by baseurl=https://vault.centos.org/7.9.2009/os/$basearch/ " +
	"(updates and extras likewise), or name an internal mirror"

const unfinished = "There are unfinished transactions remaining"

// classify reads what yum printed. It never fails: what it does not know is Unknown with yum's last lines.
func classify(status int, stdout, stderr string) *YumError {
	e := &YumError{Status: status, Kind: Unknown}
	both := stderr + "\n" + stdout
	for _, row := range failures {
		if line := row.in(both); line != "" {
			e.Kind, e.Text, e.Next = row.kind, decisive(row.kind, line, stderr, stdout), row.next
			break
		}
	}
	if e.Kind == Unknown {
		e.Text = lastLines(stderr, 3)
		if e.Text == "" {
			e.Text = lastLines(stdout, 3)
		}
	}
	if e.Kind == Unreachable && strings.Contains(both, centosMirrors) {
		e.Next = centosNext
	}
	if strings.Contains(both, unfinished) {
		e.Next = strings.TrimPrefix(e.Next+"; an earlier transaction was interrupted: yum-complete-transaction --cleanup-only", "; ")
	}
	return e
}

// decisive adds to the marked line what stands elsewhere: all absent packages, or the last line that names the URL.
func decisive(kind Kind, line, stderr, stdout string) string {
	if kind == NoPackage {
		if all := missingNames(stdout + "\n" + stderr); all != "" {
			return all
		}
	}
	last := lastLines(stderr, 1)
	if kind != Unreachable || last == "" || last == line || strings.Contains(last, line) {
		return line
	}
	return line + "; " + last
}

func missingNames(text string) string {
	var all []string
	for _, line := range lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "No package ") || strings.HasPrefix(line, "No match for argument: ") {
			all = append(all, clip(line))
		}
	}
	return strings.Join(all, " ")
}

var runningAs = regexp.MustCompile(`another copy is running as pid (\d+)|already locked by (\d+)`)

// lockedBy names the holder from yum's (`Existing lock …: another copy is running as pid 4711.`) or dnf's words.
func lockedBy(stdout, stderr string) string {
	m := runningAs.FindStringSubmatch(stderr + "\n" + stdout)
	if m == nil {
		return "yum lock held"
	}
	return "yum lock held by pid " + m[1] + m[2]
}
