package host

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"wsprovision/firewalld"
	"wsprovision/provision/known"
	"wsprovision/provision/nginx"
	"wsprovision/provision/websocket"
	"wsprovision/provision/websocket/handshake"
	"wsprovision/rpm"
	"wsprovision/selinux"
	"wsprovision/systemd"
)

// Host is the host that is provisioned: one speaker for each of its
// subsystems. Root prefixes every path and is empty but in tests.
type Host struct {
	Root    string
	Euid    int
	Where   systemd.Where
	Seam    *Seam
	Files   *Files
	RPM     rpm.Host
	SELinux selinux.Host
	Nginx   nginx.Nginx
	HTTP    *http.Client
	// Sync writes all file systems out (sync(2)); nil in tests.
	Sync func()
	// Units connects to systemd, or gives its offline stand-in.
	Units func(context.Context) (systemd.Units, error)
	// Firewall is the firewalld that runs or, where none does, what it starts with.
	Firewall func(ctx context.Context, running bool) (firewalld.Firewall, error)
	// RaiseFiles raises the limit of a process's open files, the hard one where it has to be (prlimit(2)).
	RaiseFiles func(pid int, most uint64) error
	// TryBind tells whether a TCP address can be bound, EADDRINUSE where another
	// socket listens there.
	TryBind func(netip.AddrPort) error
	// Probe makes one WebSocket handshake.
	Probe func(context.Context, handshake.Target) (handshake.Result, error)
	// Served asks a TLS server for its certificates.
	Served func(ctx context.Context, address, name string, proxied bool) ([]*x509.Certificate, error)
	// LastChanged is when a file, or a link on the way to it, was changed last (ctime).
	LastChanged func(path string) (time.Time, error)
	// BootTime is when the ticks of processes' starts begin, by the clock as it goes now.
	BootTime func() (time.Time, error)

	// Known is what was read of this host while nothing changes.
	Known *known.Facts

	conn  connection // to systemd, of the command that runs
	sites folder     // see SitesDir

	// RecordRelabel is the run's, which has a ledger; nil without one.
	RecordRelabel func() error
}

// New is this host, at the place where it was found.
func New(where systemd.Where, log func(line string, changing bool), notice func(string), seam *Seam) *Host {
	runner := &Runner{Seam: seam, Log: log}
	facts := &known.Facts{}
	seam.Known = facts
	h := &Host{Euid: os.Geteuid(), Where: where, Seam: seam, Known: facts}
	h.RPM = rpm.New("", runner.Read, runner.Change)
	h.RPM.Notice = notice
	h.SELinux = selinux.Host{Change: runner.Change, Notice: notice, Offline: where.Offline(), Cache: &selinux.Cache{},
		Known: facts}
	h.Nginx = nginx.Nginx{Read: runner.Read, Program: "/usr/sbin/nginx", Conf: NginxConf, Proc: "/proc", Known: facts}
	h.HTTP = &http.Client{Timeout: 5 * time.Minute}
	h.Probe, h.Served, h.Sync, h.TryBind = websocket.Probe, Served, unix.Sync, TryBind
	h.LastChanged, h.BootTime = lastChanged, bootTime
	labels := h.SELinux.Contexts()
	h.Files = &Files{Seam: seam, Known: facts, Label: labels.DefaultLabel, Labels: labels.DefaultLabels,
		SetLabel: labels.SetFileLabel, FileLabel: labels.FileLabel}
	if where.Offline() {
		h.OfflineSELinux()
	}
	h.Firewall = func(ctx context.Context, running bool) (firewalld.Firewall, error) {
		if !running {
			return &firewalld.Offline{Change: runner.Change}, nil
		}
		return firewalld.Connect(ctx, seam.Do)
	}
	h.RaiseFiles = raiseFiles
	h.Units = func(ctx context.Context) (systemd.Units, error) {
		if where.Offline() {
			return &systemd.Offline{Change: runner.Change}, nil
		}
		live, err := systemd.Connect(ctx, seam.Do)
		if err != nil {
			return nil, err
		}
		live.Read = runner.Read
		return live, nil
	}
	return h
}

// LocalTLS is for a proof over the loopback: whether the certificate is one
// that a client would trust is for verify to say, not for provisioning.
func LocalTLS() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
}

// NginxConf is the file that nginx starts from.
const NginxConf = "/etc/nginx/nginx.conf"
