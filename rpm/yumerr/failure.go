package yumerr

import (
	"fmt"
	"regexp"

	"wsprovision/provision/lazy"
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

// Error is a yum run that did not bring what was asked for. Callers reach it with errors.As.
type Error struct {
	Status int
	Kind   Kind
	Text   string // yum's own words, the lines that decided
	Next   string // what to do about it; may be empty
	Absent string // what rpm does not have afterwards: `nginx is not installed`
	// Hidden says that a file of yum's configuration keeps the package from yum, and Next which one.
	Hidden bool
}

func (e *Error) Error() string {
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

// Row is one row of the table: what a line of yum's output looks like that tells of kind.
type Row struct {
	Kind   Kind
	Stderr func() *regexp.Regexp
	stdout func() *regexp.Regexp // what is said there alone; stdout is else progress, and no evidence
	vague  func() *regexp.Regexp // on stderr, after the reason: it decides only where no reason stands
	Next   string
}

func Marks(pattern string) func() *regexp.Regexp { return lazy.Regexp(pattern) }

// Failures are the words of yum 3.4.3, and beside them dnf's (EL8, and the machine on which the acceptance tests run).
// Within one line the first row decides. yum prints what it died of on stderr, last (yummain.py: exFatal, exRepoError,
// "Error: "); "No package", the log of rpm and of scripts, and what a failed list of mirrors gave are on stdout
// (cli.py installPkgs, output.py scriptout).
var Failures = []Row{
	{Kind: Locked,
		Stderr: Marks(`^Another app is currently holding the yum lock|^(cachedir|metadata|RPMDB|log) already locked ` +
			`by |` +
			`waiting for transaction lock on |can't create transaction lock on `),
		vague: Marks(`^Existing lock .*: another copy is running as pid `),
		Next:  "wait for the other program, or see what it is waiting for"},
	{Kind: NotRoot,
		Stderr: Marks(`^You need to be root to perform this command|^Error: This command has to be run with ` +
			`superuser privileges`),
		Next: "run as root"},
	{Kind: Database,
		Stderr: Marks(`DB_RUNRECOVERY|rpmdb: (BDB|Thread/process|PANIC)|cannot open Packages|rpmdb open failed|` +
			`rpmdb failed release provides|database disk image is malformed|db5 error`),
		Next: "the rpm database is locked by a program that died, or broken: see that no rpm or yum runs, then: rpm " +
			"--rebuilddb"},
	{Kind: NoSpace,
		Stderr: Marks(`^Insufficient space in download directory |needs \S+ (more space )?on the \S+ filesystem|` +
			`more space needed on the \S+ filesystem|needs \d+ inodes on the |\[Errno 28\]|No space left on device`),
		stdout: Marks(`^error: .*No space left on device`),
		Next:   "free space on that file system"},
	// libcurl's CURLE_WRITE_ERROR: what came over the network could not be written.
	{Kind: Unwritable,
		Stderr: Marks(`Curl error \(23\)|curl#23\b|database or disk is full|History database is not writable|` +
			`\[Errno 30\]|` +
			`Read-only file system`),
		Next: "yum cannot write below /var: free space there, or see that it is writable"},
	{Kind: NoRepositories,
		Stderr: Marks(`^(Error: )?There are no enabled repo`),
		Next:   "register the system with subscription-manager, or configure epel.source: mirror"},
	{Kind: Unsigned,
		Stderr: Marks(`^(Error: )?Package \S+ is not signed`),
		Next: "signatures are always checked, also where the repository says gpgcheck=0: have the package signed, " +
			"or disable that repository"},
	{Kind: BadKey,
		Stderr: Marks(`^The GPG keys listed for |^Public key for \S+ is not (installed|trusted)|^GPG key retrieval ` +
			`failed|` +
			`^Refusing to automatically import keys|^You have enabled checking of packages via GPG keys|` +
			`Didn't install any keys|Invalid GPG Key from|Failed to retrieve GPG key|Key import failed|` +
			`signature could not be verified`),
		vague: Marks(`GPG check FAILED`),
		Next: "get the key's file, compare its fingerprint (gpg --with-fingerprint FILE) with what its owner " +
			"publishes, then: rpm --import FILE"},
	{Kind: Conflict,
		Stderr: Marks(`conflicts with file from package|conflicts? between attempted installs|^Error: \S+ conflicts ` +
			`with \S+`),
		Next: "remove one of the two packages"},
	{Kind: Scriptlet,
		Stderr: Marks(`^Error in \S+ scriptlet in rpm package `),
		stdout: Marks(`^error: %pre\S* scriptlet failed|^Error in \S+ scriptlet in rpm package `),
		Next:   "the package's own script failed: see to what it complains of"},
	{Kind: TooNew,
		Stderr: Marks(`^RPM needs to be updated`),
		stdout: Marks(`^ERROR You need to update rpm to handle:`),
		Next:   "the package was built for a newer release"},
	{Kind: Unreachable,
		Stderr: Marks(`^ ?One of the configured repositories failed|^Cannot find a valid baseurl for repo|` +
			`^Cannot retrieve (repository metadata|metalink)|^Could not retrieve mirrorlist|^(Error: )?Error ` +
			`downloading packages:|` +
			`^failure: \S+ from |Failed to download metadata for repo|Cannot download |Status code: |^Cannot open: |` +
			`Curl error \(|` +
			`No more mirrors to try`),
		stdout: Marks(`^Could not retrieve mirrorlist|^Cannot open: `),
		Next:   "the repository could not be reached: look at its baseurl, the network and the proxy"},
	{Kind: NoPackage,
		Stderr: Marks(`^Error: Not tolerating missing names on install|Unable to find a match`),
		stdout: Marks(missingName),
		Next:   "no enabled repository has it: yum repolist shows which are enabled"},
	{Kind: Dependency,
		Stderr: Marks(`^Error: Package: |nothing provides |Protected multilib versions|but none of the providers ` +
			`can be installed|` +
			`is filtered out by exclude filtering`),
		stdout: Marks(`^ERROR with transaction check vs depsolve`),
		vague:  Marks(`^ Problem[ :]`),
		Next:   "a package it needs is in no enabled repository"},
	{Kind: Unconfigured,
		Stderr: Marks(`(Config|Options|Command line) [Ee]rror: |Error getting repository data for |Parsing file ` +
			`failed`),
		Next: "mend /etc/yum.conf or the file in /etc/yum.repos.d"},
}

// missingName are the words of yum and of dnf for a name that they do not have, or may not take.
const missingName = `^(No package|No match for argument:?) |^All matches were filtered out by \S+ filtering for ` +
	`argument: |` +
	`^Installed package .* not available\.$`

// RowOf is the table's row of a kind.
func RowOf(kind Kind) Row {
	for _, f := range Failures {
		if f.Kind == kind {
			return f
		}
	}
	return Row{}
}
