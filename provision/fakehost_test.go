package provision

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/engine"
	"wsprovision/provision/host"
	"wsprovision/provision/known"
	"wsprovision/provision/nginx"
	"wsprovision/provision/packages"
	"wsprovision/provision/plaintext"
	"wsprovision/rpm"
	"wsprovision/selinux"
	"wsprovision/systemd"
)

// fakeHost is a RHEL 7 host in a directory: what the agent reads of a host lies there as it does on one, and programs,
// systemd and nginx are functions that act on it as the real ones do. It is put below Host's fields, where NewHost puts
// the machine.
type fakeHost struct {
	programs sync.Mutex        // held by the one that runs
	kernel   string            // the kernel's log, as journalctl -k prints it
	names    map[string]string // what getent ahosts prints of a name; "" is a name without an address
	t        testing.TB
	root     string
	where    systemd.Where
	euid     int

	// What was called.
	ran     []string // every program
	points  []string // every point of the seam
	reloads int
	units   map[string]bool // other than nginx's: that run
	booted  time.Time
	changed map[string]time.Time // of files, as LastChanged tells it: long ago where nothing is said
	// unitFiles is LimitNOFILE= of nginx.service as systemd has read it; noPrlimit keeps the limit of what runs.
	unitFiles uint64
	noPrlimit bool
	bound     []string // zones of firewalld's with an interface
	starts    int
	probes    int
	lines     []string // the log
	// lastResult is that of the last run.
	lastResult engine.Status
	gaveUp     bool // the first boot's unit failed
	adopting   bool // runs take over what is somebody else's, but for a first boot's

	// hook is asked at every point of the seam, before the recording.
	hook func(point string) error

	reads    fakeReads
	network  fakeNetwork
	packages fakePackages
	policy   fakePolicy // without local records
	web      fakeNginx
	connects bool // httpd_t may connect to the port that the kernel is asked about
	// labelDoes: it may to http_port_t, as on RHEL 7 by httpd_graceful_shutdown.
	labelDoes bool
	// permissiveDomain is a httpd_t that is permissive by itself.
	permissiveDomain bool
	notices          []string
}

var errKilled = errors.New("killed")

// newFakeHost is a bare, enforcing host with an extras repository and a running backend on 3000.
func newFakeHost(t testing.TB) *fakeHost {
	t.Helper()
	h := &fakeHost{t: t, root: fastDir(t), policy: policyOfRHEL(), booted: time.Now().Add(-time.Hour)}
	h.changed = map[string]time.Time{}
	h.where = systemd.Where{Place: systemd.Host, Systemd: true, Why: "a host in a directory"}
	h.packages = fakePackages{available: map[string]string{packages.EPELRelease: "extras", packages.Semanage: "extras"}}
	h.web.backends = map[string]bool{"127.0.0.1:3000": true}
	h.layBase()
	h.laySELinux(selinux.Enforcing)
	return h
}

// fastDir is a directory in memory where there is one: the agent syncs all that it writes.
func fastDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "wsprovision-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (h *fakeHost) layBase() {
	for _, dir := range []string{"/run", "/etc/yum.repos.d", "/etc/pki/rpm-gpg", "/var/lib/rpm", "/var/lib",
		"/usr/sbin", "/etc/systemd/system"} {
		h.mkdir(dir)
	}
	h.write("/etc/os-release", "NAME=\"CentOS Linux\"\nVERSION=\"7 (Core)\"\nID=\"centos\"\nID_LIKE=\"rhel "+
		"fedora\"\nVERSION_ID=\"7\"\nPRETTY_NAME=\"CentOS Linux 7 (Core)\"\n")
	h.write("/usr/lib/systemd/system/"+host.FirstBootUnit,
		"[Unit]\nDescription=Finish\n[Service]\nExecStart=/usr/sbin/wsprovision "+
			"first-boot\n[Install]\nWantedBy=multi-user.target\n")
	h.write("/etc/yum.conf", "[main]\ngpgcheck=1\nplugins=1\n")
	h.write("/etc/yum.repos.d/CentOS-Base.repo", "[extras]\nname=CentOS-7 - "+
		"Extras\nbaseurl=http://mirror.example.com/extras\ngpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/"+
		"RPM-GPG-KEY-CentOS-7\n")
	h.write("/etc/pki/rpm-gpg/RPM-GPG-KEY-CentOS-7", h.signingKey(7))
	h.write("/proc/self/stat", procStat(4711, "wsprovision", 1, 500))
	h.write("/proc/self/cmdline", "wsprovision\x00apply\x00")
	h.write("/proc/1/stat", procStat(1, "systemd", 0, 1))
	h.write("/proc/1/cmdline", "/usr/lib/systemd/systemd\x00")
	h.write("/proc/locks", "")
	h.write("/proc/filesystems", "nodev\tselinuxfs\n\text4\n")
	h.write("/proc/stat", "btime 1700000000\n")
	h.write("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n")
	h.write("/proc/net/if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n")
}

// goOffline makes the host an installer's chroot: selinuxfs, if any, is the installer's.
func (h *fakeHost) goOffline() {
	h.where = systemd.Where{Place: systemd.Installer, Why: "an installer's chroot in a directory"}
}

// host is what NewHost is on a machine.
func (h *fakeHost) host(on Listener) *host.Host {
	facts := &known.Facts{}
	seam := &host.Seam{Hook: h.point, Known: facts}
	p := &host.Host{Known: facts, Root: h.root, Euid: h.euid, Where: h.where, Seam: seam}
	p.HTTP = &http.Client{Transport: h.network}
	change := func(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
		return h.change(ctx, seam, stdin, argv)
	}
	notice := func(s string) { h.notices = append(h.notices, s) }
	p.RPM = rpm.New(h.root, h.read, change)
	p.RPM.Notice, p.RPM.LockWait = notice, config.YumLockWait
	p.SELinux = selinux.Host{Root: h.root, Offline: h.where.Offline(), Change: change, Notice: notice,
		LockWait: config.SemanageLockWait, Cache: &selinux.Cache{}, Ask: h.decide, Known: facts}
	p.Nginx = nginx.Nginx{Root: h.root, Read: h.read, Program: "/usr/sbin/nginx", Conf: host.NginxConf, Proc: h.root +
		"/proc", Known: facts}
	p.Files = &host.Files{Root: h.root, Seam: seam, Known: facts, Label: p.SELinux.Contexts().DefaultLabel,
		Labels:    p.SELinux.Contexts().DefaultLabels,
		SetLabel:  p.SELinux.Contexts().SetFileLabel,
		FileLabel: p.SELinux.Contexts().FileLabel}
	p.Probe, p.Served, p.TryBind = h.probe, h.sends, h.tryBind
	p.LastChanged = func(path string) (time.Time, error) { return h.changed[strings.TrimPrefix(path, h.root)], nil }
	p.BootTime = func() (time.Time, error) { return h.booted, nil }
	p.RaiseFiles = h.raiseFiles
	p.Firewall = h.firewall(seam.Do, change)
	p.Units = func(context.Context) (systemd.Units, error) {
		if h.where.Offline() {
			return &systemd.Offline{Root: h.root, Change: change}, nil
		}
		return &fakeUnits{h: h, mutate: seam.Do}, nil
	}
	return p
}

func (h *fakeHost) point(point string) error {
	h.points = append(h.points, point)
	if h.hook == nil {
		return nil
	}
	return h.hook(point)
}

// read runs a program as Runner.Read does.
func (h *fakeHost) read(ctx context.Context, stdin string, argv ...string) (string, string, int, error) {
	p, err := host.LookUp(argv)
	if err != nil || !p.OnlyReads(argv[1:]) {
		h.t.Errorf("a program was called as if it only read: %s (%v)", plaintext.Command(argv), err)
		return "", "", 0, errors.New("refused")
	}
	if ctx.Err() != nil {
		return "", "", 0, context.Cause(ctx)
	}
	h.programs.Lock()
	defer h.programs.Unlock()
	if err := h.reads.next(strings.Join(argv, " ")); err != nil {
		return "", "", 0, err
	}
	return h.program(stdin, argv)
}

// change runs a program as Runner.Change does.
func (h *fakeHost) change(ctx context.Context, seam *host.Seam, stdin string, argv []string) (stdout, stderr string,
	status int, err error) {
	if _, err := host.LookUp(argv); err != nil {
		h.t.Errorf("an unknown program was called: %s", plaintext.Command(argv))
	}
	if err := ctx.Err(); err != nil {
		return "", "", 0, context.Cause(ctx)
	}
	err = seam.Do("run "+plaintext.Command(argv), func() error {
		h.programs.Lock()
		defer h.programs.Unlock()
		stdout, stderr, status, err = h.program(stdin, argv)
		return err
	})
	return stdout, stderr, status, err
}

func (h *fakeHost) program(stdin string, argv []string) (string, string, int, error) {
	h.ran = append(h.ran, strings.Join(argv, " "))
	switch argv[0] {
	case "rpm":
		return h.rpm(argv[1:])
	case "yum":
		return h.yum(argv[1:])
	case "semanage":
		return h.semanage(stdin, argv[1:])
	case "semodule":
		return h.semodule(argv[1:])
	case "setsebool":
		return h.setsebool(argv[1:])
	case "firewall-offline-cmd":
		return h.offlineCmd(argv[1:])
	case "systemctl":
		return h.systemctl(argv[1:])
	case "journalctl":
		return h.kernel, "", 0, nil
	case "firewall-cmd":
		return "", "FirewallD is not running\n", 252, nil
	case "getent":
		return h.getent(argv[2])
	case "/usr/sbin/nginx":
		return h.nginxProgram(argv[1:])
	}
	h.t.Errorf("no such program here: %s", plaintext.Command(argv))
	return "", "", 0, errors.New("no such program")
}

// getent knows every name, unless names says otherwise.
func (h *fakeHost) getent(name string) (string, string, int, error) {
	answer, known := h.names[name]
	switch {
	case !known:
		return "127.0.0.1       STREAM " + name + "\n", "", 0, nil
	case answer == "":
		return "", "", 2, nil
	}
	return answer, "", 0, nil
}

// apply makes one run. What the run itself failed of is an error of the test.
func (h *fakeHost) apply(c config.Config) *engine.Report { return h.run(c, (*Run).Apply) }
func (h *fakeHost) plan(c config.Config) *engine.Report  { return h.run(c, (*Run).Plan) }

func (h *fakeHost) run(c config.Config, act func(*Run, context.Context) (*engine.Report, error)) *engine.Report {
	h.t.Helper()
	run := h.newRun(c)
	r, err := act(run, h.t.Context())
	if err != nil {
		h.t.Fatalf("the run failed: %v", err)
	}
	if h.lastResult = r.Result; run.planning {
		h.lastResult = engine.Planned // whatever it says, it must touch nothing
	}
	return r
}

func (h *fakeHost) newRun(c config.Config) *Run {
	h.ran, h.points, h.reloads, h.starts, h.probes, h.notices = nil, nil, 0, 0, 0, nil
	on := Listener{Log: func(line string, _ bool) { h.lines = append(h.lines, line) }}
	on.Notice = func(line string) { h.notices = append(h.notices, line) }
	run := NewRun(h.host(on), c, on)
	run.Adopt = h.adopting
	return run
}

func (h *fakeHost) path(name string) string { return filepath.Join(h.root, name) }

func (h *fakeHost) mkdir(dir string) {
	h.t.Helper()
	h.must(os.MkdirAll(h.path(dir), 0o755))
}

func (h *fakeHost) write(name, content string) {
	h.t.Helper()
	h.mkdir(filepath.Dir(name))
	if _, err := os.Stat(h.path(name)); errors.Is(err, syscall.ELOOP) { // see loop
		h.must(os.Remove(h.path(name)))
	}
	h.must(os.WriteFile(h.path(name), []byte(content), 0o644))
	h.must(os.Chmod(h.path(name), 0o644))
}

func (h *fakeHost) content(name string) string {
	h.t.Helper()
	b, err := os.ReadFile(h.path(name))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ELOOP) { // see loop
		return ""
	}
	h.must(err)
	return string(b)
}

func (h *fakeHost) exists(name string) bool {
	_, err := os.Lstat(h.path(name))
	return err == nil
}

func (h *fakeHost) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}
