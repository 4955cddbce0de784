package rpm

import (
	"fmt"
	"regexp"
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
	// Hidden says that a file of yum's configuration keeps the package from yum, and Next which one.
	Hidden bool
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

// failure is one row of the table: what a line of yum's output looks like that tells of kind.
type failure struct {
	kind   Kind
	stderr *regexp.Regexp
	stdout *regexp.Regexp // what is said there alone; stdout is else progress, and no evidence
	vague  *regexp.Regexp // on stderr, after the reason: it decides only where no reason stands
	next   string
}

func marks(pattern string) *regexp.Regexp { return regexp.MustCompile(pattern) }

// failures are the words of yum 3.4.3, and beside them dnf's (EL8, and the machine on which the acceptance tests run).
// Within one line the first row decides. yum prints what it died of on stderr, last (yummain.py: exFatal, exRepoError,
// "Error: "); "No package", the log of rpm and of scripts, and what a failed list of mirrors gave are on stdout
// (cli.py installPkgs, output.py scriptout).
var failures = []failure{
	{kind: Locked,
		stderr: marks(`^Another app is currently holding the yum lock|^(cachedir|metadata|RPMDB|log) already locked ` +
			`by |` +
			`waiting for transaction lock on |can't create transaction lock on `),
		vague: marks(`^Existing lock .*: another copy is running as pid `),
		next:  "wait for the other program, or see what it is waiting for"},
	{kind: NotRoot,
		stderr: marks(`^You need to be root to perform this command|^Error: This command has to be run with ` +
			`superuser privileges`),
		next: "run as root"},
	{kind: Database,
		stderr: marks(`DB_RUNRECOVERY|rpmdb: (BDB|Thread/process|PANIC)|cannot open Packages|rpmdb open failed|` +
			`rpmdb failed release provides|database disk image is malformed|db5 error`),
		next: "the rpm database is locked by a program that died, or broken: see that no rpm or yum runs, then: rpm " +
			"--rebuilddb"},
	{kind: NoSpace,
		stderr: marks(`^Insufficient space in download directory |needs \S+ (more space )?on the \S+ filesystem|` +
			`more space needed on the \S+ filesystem|needs \d+ inodes on the |\[Errno 28\]|No space left on device`),
		stdout: marks(`^error: .*No space left on device`),
		next:   "free space on that file system"},
	// libcurl's CURLE_WRITE_ERROR: what came over the network could not be written.
	{kind: Unwritable,
		stderr: marks(`Curl error \(23\)|curl#23\b|database or disk is full|History database is not writable|` +
			`\[Errno 30\]|` +
			`Read-only file system`),
		next: "yum cannot write below /var: free space there, or see that it is writable"},
	{kind: NoRepositories,
		stderr: marks(`^(Error: )?There are no enabled repo`),
		next:   "register the system with subscription-manager, or configure epel.source: mirror"},
	{kind: Unsigned,
		stderr: marks(`^(Error: )?Package \S+ is not signed`),
		next: "signatures are always checked, also where the repository says gpgcheck=0: have the package signed, " +
			"or disable that repository"},
	{kind: BadKey,
		stderr: marks(`^The GPG keys listed for |^Public key for \S+ is not (installed|trusted)|^GPG key retrieval ` +
			`failed|` +
			`^Refusing to automatically import keys|^You have enabled checking of packages via GPG keys|` +
			`Didn't install any keys|Invalid GPG Key from|Failed to retrieve GPG key|Key import failed|` +
			`signature could not be verified`),
		vague: marks(`GPG check FAILED`),
		next: "get the key's file, compare its fingerprint (gpg --with-fingerprint FILE) with what its owner " +
			"publishes, then: rpm --import FILE"},
	{kind: Conflict,
		stderr: marks(`conflicts with file from package|conflicts? between attempted installs|^Error: \S+ conflicts ` +
			`with \S+`),
		next: "remove one of the two packages"},
	{kind: Scriptlet,
		stderr: marks(`^Error in \S+ scriptlet in rpm package `),
		stdout: marks(`^error: %pre\S* scriptlet failed|^Error in \S+ scriptlet in rpm package `),
		next:   "the package's own script failed: see to what it complains of"},
	{kind: TooNew,
		stderr: marks(`^RPM needs to be updated`),
		stdout: marks(`^ERROR You need to update rpm to handle:`),
		next:   "the package was built for a newer release"},
	{kind: Unreachable,
		stderr: marks(`^ ?One of the configured repositories failed|^Cannot find a valid baseurl for repo|` +
			`^Cannot retrieve (repository metadata|metalink)|^Could not retrieve mirrorlist|^(Error: )?Error ` +
			`downloading packages:|` +
			`^failure: \S+ from |Failed to download metadata for repo|Cannot download |Status code: |^Cannot open: |` +
			`Curl error \(|` +
			`No more mirrors to try`),
		stdout: marks(`^Could not retrieve mirrorlist|^Cannot open: `),
		next:   "the repository could not be reached: look at its baseurl, the network and the proxy"},
	{kind: NoPackage,
		stderr: marks(`^Error: Not tolerating missing names on install|Unable to find a match`),
		stdout: marks(missingName),
		next:   "no enabled repository has it: yum repolist shows which are enabled"},
	{kind: Dependency,
		stderr: marks(`^Error: Package: |nothing provides |Protected multilib versions|but none of the providers ` +
			`can be installed|` +
			`is filtered out by exclude filtering`),
		stdout: marks(`^ERROR with transaction check vs depsolve`),
		vague:  marks(`^ Problem[ :]`),
		next:   "a package it needs is in no enabled repository"},
	{kind: Unconfigured,
		stderr: marks(`(Config|Options|Command line) [Ee]rror: |Error getting repository data for |Parsing file ` +
			`failed`),
		next: "mend /etc/yum.conf or the file in /etc/yum.repos.d"},
}

// missingName are the words of yum and of dnf for a name that they do not have, or may not take.
const missingName = `^(No package|No match for argument:?) |^All matches were filtered out by \S+ filtering for ` +
	`argument: |` +
	`^Installed package .* not available\.$`

// row is the table's row of a kind.
func row(kind Kind) failure {
	for _, f := range failures {
		if f.kind == kind {
			return f
		}
	}
	return failure{}
}
