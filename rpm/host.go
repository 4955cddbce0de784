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

	"golang.org/x/sys/unix"
)

// Run runs one program with LC_ALL=C and waits for it. A status that is not 0 is data; err means that the program
// could not be started or was ended by a deadline or a signal.
type Run func(ctx context.Context, stdin string, argv ...string) (stdout, stderr string, status int, err error)

// Host is one host's package subsystem. Only Read and Change are required.
type Host struct {
	Root   string // prefix of every path that is read here; programs do not see it
	Read   Run    // programs that only read: rpm -q, rpm -K
	Change Run    // programs that change the host: yum, rpm --import

	// Fingerprints are the keys that the configuration vouches for, as 40 hexadecimal digits.
	Fingerprints []string

	LockWait time.Duration // bound on waiting for somebody else's yum or rpm over one Install; 0 does not wait
	// how often yum may fail because of a repository, or a download, before we give up; 0 means 3
	Attempts int

	Sleep  func(context.Context, time.Duration) error // nil sleeps for real and ends early when ctx does
	Notice func(string)                               // what a person would want to know while waiting; may be nil

	beside Beside // see With

	freeSpace func(path string, to *unix.Statfs_t) error // statfs(2) of a test; nil asks the kernel
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
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (h Host) attempts() int {
	if h.Attempts > 0 {
		return h.Attempts
	}
	return 3
}
