// Package rpm answers what is installed on this host, brings what is missing, and says from which repositories and
// keys.
//
// It is the host's package subsystem (rpm, yum, /etc/yum.repos.d and the keys in the rpm database), as selinux and
// systemd are the host's other subsystems; the spec from which this project's own RPM is built lies in packaging.
//
// yum's exit status is evidence, never the verdict: 3.4.3 says 0 with a named package missing and 1 for a package file
// that is installed already (cli.py installPkgs). rpm is asked before, and asked again afterwards.
//
// What counts as trusted. yum -y imports any key that an enabled repository's gpgkey= names, over plain http too, and
// takes unsigned packages from a repository with gpgcheck=0. Install overrides both for its own run only (Restrict): a
// repository keeps just the gpgkey files that an installed package owns, that hold only configured fingerprints
// (Host.Fingerprints), or that hold only keys imported already; gpgcheck is forced on. No file of the administrator's
// is edited.
package rpm

import (
	"context"
	"fmt"
	"time"

	"wsprovision/provision/running"
	"wsprovision/rpm/rpmdb"
	"wsprovision/rpm/yumconf"
)

// Host is one host's package subsystem. Only Read and Change are required.
type Host struct {
	Root   string      // prefix of every path that is read here; programs do not see it
	Change running.Run // programs that change the host: yum, rpm --import
	DB     rpmdb.DB
	Yum    yumconf.Conf
	Disk   disk

	// Fingerprints are the keys that the configuration vouches for, as 40 hexadecimal digits.
	Fingerprints []string

	LockWait time.Duration // bound on waiting for somebody else's yum or rpm over one Install; 0 does not wait
	// how often yum may fail because of a repository, or a download, before we give up; 0 means 3
	Attempts int

	Sleep  func(context.Context, time.Duration) error // nil sleeps for real and ends early when ctx does
	Notice func(string)                               // what a person would want to know while waiting; may be nil
}

// New is the host below root, "" for the running system. read runs programs that only read, change those that change
// the host.
func New(root string, read, change running.Run) Host {
	conf := yumconf.Conf{Root: root}
	return Host{Root: root, Change: change, DB: rpmdb.DB{Root: root, Read: read}, Yum: conf,
		Disk: disk{Root: root, Yum: conf}}
}

func (h Host) notice(format string, args ...any) {
	if h.Notice != nil {
		h.Notice(fmt.Sprintf(format, args...))
	}
}

func (h Host) sleep(ctx context.Context, d time.Duration) error {
	if h.Sleep != nil {
		return h.Sleep(ctx, d)
	}
	return running.Sleep(ctx, d)
}

func (h Host) attempts() int {
	if h.Attempts > 0 {
		return h.Attempts
	}
	return 3
}

// With is the host as a run of yum sees it that is given more repositories than those which are enabled.
func (h Host) With(more yumconf.Beside) Host {
	h.Yum.Beside = more
	h.Disk.Yum = h.Yum
	return h
}
