package systemd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Place is the kind of system that the agent runs in.
type Place string

// A bare chroot without /proc is Unknown: nothing there tells it from a host.
const (
	Host      Place = "live"
	Installer Place = "installer"
	Chroot    Place = "chroot"
	Container Place = "container"
	Unknown   Place = "unknown"
)

// Where is a place with its evidence.
type Where struct {
	Place   Place
	Systemd bool   // PID 1 is a systemd, and this system's own
	Why     string // one sentence
}

// Offline is true wherever a D-Bus call could reach nobody, or somebody else's PID 1.
func (w Where) Offline() bool {
	return !w.Systemd || w.Place != Host && w.Place != Container
}

// ErrInstaller comes with a Where from Detect: this is the installer itself, where nothing should be provisioned.
var ErrInstaller = errors.New("this is the installer's own system, not the one that it installs: run in a %post " +
	"without --nochroot")

// Detect compares PID 1's root with ours. /run/systemd/system alone proves nothing: in Anaconda's chroot, and in
// containers that share /run, it is another system's. root prefixes every path; "" is the system itself. The
// environment variables are ANA_INSTALL_PATH, which Anaconda sets for %post, and SYSTEMD_IGNORE_CHROOT, which
// systemctl honours (src/shared/util.c, running_in_chroot). The installer's marks come first: no variable lets a call
// reach the installer's PID 1.
func Detect(root string, getenv func(string) string) (Where, error) {
	d := detector{root}
	ours, why := d.sameRoot()
	anaconda := getenv("ANA_INSTALL_PATH")
	switch {
	case anaconda != "" && ours == yes, ours == yes && d.exists("/.buildstamp"):
		return Where{Place: Installer, Why: "PID 1 has our root, and it is Anaconda's own"}, ErrInstaller
	case anaconda != "":
		return Where{Place: Installer, Why: "ANA_INSTALL_PATH=" + anaconda + " is set, as in Anaconda's %post; " +
			why}, nil
	case ours != yes && d.installer() != "":
		return Where{Place: Installer, Why: why + ", and " + d.installer()}, nil
	case truthy(getenv("SYSTEMD_IGNORE_CHROOT")):
		ours, why = yes, "SYSTEMD_IGNORE_CHROOT is set"
	}
	switch ours {
	case no:
		return Where{Place: Chroot, Why: why}, nil
	case unknown:
		return Where{Place: Unknown, Why: why}, nil
	}
	return d.inside(why), nil
}

type answer int

const (
	unknown answer = iota
	yes
	no
)

type detector struct{ root string }

// sameRoot follows /proc/1/root where that is permitted, and else compares what is mounted at / for PID 1 and for us.
func (d detector) sameRoot() (answer, string) {
	theirs, err := os.Stat(d.path("/proc/1/root"))
	if errors.Is(err, os.ErrPermission) {
		return d.sameMount()
	}
	if err != nil {
		return unknown, fmt.Sprintf("PID 1's root cannot be seen: %v", err)
	}
	ours, err := os.Stat(d.path("/"))
	if err != nil {
		return unknown, fmt.Sprintf("our own root cannot be seen: %v", err)
	}
	if os.SameFile(theirs, ours) {
		return yes, "/proc/1/root is our root"
	}
	return no, "/proc/1/root is not our root"
}

// sameMount serves users who may not follow /proc/1/root. Within one mount namespace a mount has one number, and a
// chroot either has none at its / or another one; another namespace has other numbers, and that tells nothing.
func (d detector) sameMount() (answer, string) {
	theirs, err := d.rootMount("/proc/1/mountinfo")
	if err != nil {
		return unknown, fmt.Sprintf("PID 1's root may not be seen: %v", err)
	}
	ours, err := d.rootMount("/proc/self/mountinfo")
	if err != nil {
		return unknown, fmt.Sprintf("PID 1's root may not be seen: %v", err)
	}
	if theirs == ours {
		return yes, "PID 1 and we have the same mount at /"
	}
	return unknown, "PID 1's root may not be seen, and its mount at / is not ours"
}

func (d detector) rootMount(file string) (Mount, error) {
	list, err := d.mounts(file)
	if err != nil {
		return Mount{}, err
	}
	m, ok := top(list, "/")
	if !ok {
		return Mount{}, fmt.Errorf("%s has no mount at /", file)
	}
	return m, nil
}

func (d detector) mounts(file string) ([]Mount, error) {
	text, err := os.ReadFile(d.path(file))
	if err != nil {
		return nil, err
	}
	return parseMountinfo(string(text))
}

// installer says by what Anaconda's chroot is told from others, "" where it is none: its pid file and its directory in
// the /run that is bound into the target, and PID 1's mount of the target.
func (d detector) installer() string {
	for _, mark := range []string{"/run/anaconda.pid", "/run/install"} {
		if d.exists(mark) {
			return mark + " is there"
		}
	}
	if list, err := d.mounts("/proc/1/mountinfo"); err == nil {
		if _, ok := top(list, "/mnt/sysimage"); ok {
			return "PID 1 has /mnt/sysimage mounted"
		}
	}
	return ""
}

// inside decides about PID 1 by its name as well: with /run shared, the directory of sd_booted(3) is another's.
// systemd names itself "systemd" also where it was started as /sbin/init.
func (d detector) inside(why string) Where {
	w := Where{Place: Host, Systemd: true}
	comm, err := os.ReadFile(d.path("/proc/1/comm"))
	pid1 := strings.TrimSpace(string(comm))
	info, booted := os.Lstat(d.path("/run/systemd/system"))
	switch {
	case err != nil:
		w, why = Where{Place: Unknown}, fmt.Sprintf("%s, but its name cannot be seen: %v", why, err)
	case pid1 != "systemd":
		w, why = Where{Place: Unknown}, fmt.Sprintf("%s, but PID 1 is %q, not systemd", why, pid1)
	case booted != nil || !info.IsDir():
		w, why = Where{Place: Unknown}, why+
			", but there is no directory /run/systemd/system, so systemd did not boot here"
	default:
		why += ", and PID 1 is systemd"
	}
	if mark := d.container(); mark != "" {
		w.Place, why = Container, why+"; "+mark+" marks a container"
	}
	w.Why = why
	return w
}

// container gives the mark of systemd's container interface, or Docker's or Podman's own.
func (d detector) container() string {
	for _, mark := range []string{"/run/systemd/container", "/.dockerenv", "/run/.containerenv"} {
		if d.exists(mark) {
			return mark
		}
	}
	env, err := os.ReadFile(d.path("/proc/1/environ"))
	if err != nil {
		return ""
	}
	for v := range strings.SplitSeq(string(env), "\x00") {
		if strings.HasPrefix(v, "container=") {
			return v + " in PID 1's environment"
		}
	}
	return ""
}

func (d detector) exists(path string) bool {
	_, err := os.Lstat(d.path(path))
	return err == nil
}

func (d detector) path(p string) string { return filepath.Join("/", d.root, p) }

// truthy is systemd 219's parse_boolean.
func truthy(s string) bool {
	switch strings.ToLower(s) {
	case "1", "yes", "y", "true", "t", "on":
		return true
	}
	return false
}
