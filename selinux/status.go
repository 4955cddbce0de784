package selinux

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sys/unix"
)

// Mode is what SELinux does with a denial. "" means that nothing says it.
type Mode string

// The modes of selinux(8).
const (
	Enforcing  Mode = "Enforcing"
	Permissive Mode = "Permissive"
	Disabled   Mode = "Disabled"
)

// Status is the state of SELinux as a whole.
type Status struct {
	Mode       Mode   // running, as getenforce(8) says; "" offline
	Configured Mode   // SELINUX= in /etc/selinux/config; "" where it says nothing valid
	Policy     string // SELINUXTYPE=, "targeted" by default
	Mounted    bool   // selinuxfs is there, read-write, and ours
	Store      string // directory of the active policy store, without Root; "" if there is none
	Unbuilt    string // file of the policy that was never built from the store's modules; "" if all are there
}

// Status reads the state; it sets nothing. Enabled is what is_selinux_enabled(3) of libselinux 2.5 says: selinuxfs
// mounted read-write and /etc/selinux/config there. So a container with a read-only selinuxfs is Disabled, and an
// installer without a loaded policy is Permissive.
func (h Host) Status() (Status, error) {
	c, err := h.system().config()
	if err != nil {
		return Status{}, err
	}
	s := Status{Configured: c.mode, Policy: c.policy}
	if s.Store, err = h.system().store(c.policy); err != nil {
		return s, err
	}
	s.Unbuilt = h.system().unbuilt(s.Store, c.policy)
	if h.Offline {
		return s, nil
	}
	dir, mounted, err := h.system().selinuxfs()
	if err != nil {
		return s, err
	}
	s.Mounted = mounted
	s.Mode = Disabled
	if mounted && c.present {
		s.Mode, err = h.system().runningMode(dir)
	}
	return s, err
}

func (sy system) runningMode(dir string) (Mode, error) {
	b, err := sy.read(dir, "enforce")
	if err != nil {
		return "", fmt.Errorf("read SELinux mode: %w: %w", ErrUnknown, err)
	}
	switch strings.TrimSpace(string(b)) {
	case "1":
		return Enforcing, nil
	case "0":
		return Permissive, nil
	}
	return "", fmt.Errorf("read SELinux mode: %w: %q in enforce", ErrUnknown, b)
}

// errNoSelinuxfs is why nothing about the running kernel can be told.
var errNoSelinuxfs = fmt.Errorf("%w: selinuxfs is not mounted read-write", ErrUnknown)

var errOffline = fmt.Errorf("%w: offline, the running kernel is not this system's", ErrUnknown)

// kernel returns the directory of selinuxfs, if it may be believed.
func (sy system) kernel() (string, error) {
	if sy.Offline {
		return "", errOffline
	}
	dir, ok, err := sy.selinuxfs()
	if err == nil && !ok {
		err = errNoSelinuxfs
	}
	return dir, err
}

// selinuxfs returns where it is mounted, and whether it is mounted read-write. Like libselinux it asks the usual place
// first, which works without /proc, and then the list of mounts. A list that is there and cannot be read says nothing.
func (sy system) selinuxfs() (dir string, ok bool, err error) {
	var st unix.Statfs_t
	for _, dir := range []string{"/sys/fs/selinux", "/selinux"} {
		err := unix.EINTR
		for errors.Is(err, unix.EINTR) {
			err, _ = unix.Statfs(sy.path(dir), &st).(unix.Errno)
		}
		if err == 0 && uint32(st.Type) == unix.SELINUX_MAGIC {
			return dir, st.Flags&unix.ST_RDONLY == 0, nil
		}
	}
	b, err := sy.read("/proc/self/mounts")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("read where selinuxfs is: %w: %w", ErrUnknown, err)
	}
	dir, ok = parseMounts(string(b))
	return dir, ok, nil
}

// parseMounts finds selinuxfs among the lines of proc(5) mounts; the last one of a place is the one on top.
func parseMounts(text string) (dir string, rw bool) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) >= 4 && f[2] == "selinuxfs" {
			dir = f[1]
			rw = strings.HasPrefix(f[3]+",", "rw,")
		}
	}
	return dir, rw
}
