package provision

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/glob"
	"wsprovision/provision/proxy"
	"wsprovision/provision/websocket/handshake"
	"wsprovision/systemd"
)

// fakeNginx is the nginx of a fakeHost: what its processes know, which a crash of the agent does not touch.
type fakeNginx struct {
	master  int // 0: not running
	lastPID int
	workers []int
	tree    conf.Tree // the configuration in force
	// certificate is the file of the sites with TLS, as it was read.
	certificate []byte
	backends    map[string]bool // that run
	ports       fakePolicy      // the loaded policy
	failed      bool            // the unit
	// draining: an old worker keeps a WebSocket open after a reload.
	draining bool
	// answer replaces every handshake, on demand.
	answer func(context.Context, handshake.Target) (handshake.Result, error)
	// Faults, on demand.
	taken     []int  // ports that another process listens on
	late      bool   // and began to only when the agent had looked
	deaf      bool   // a reload reaches nobody
	noReload  bool   // the unit has no ExecReload=
	cannotRun string // an [emerg] line of the next start
	noIPv6    bool   // ipv6.disable=1
	nameless  string // a host in somebody's configuration that has no address
	conf      string // what the package brings as nginx.conf; "" for confOfEPEL
}

const confOfEPEL = `user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log;
pid /run/nginx.pid;
events {
    worker_connections 1024;
}
http {
    access_log /var/log/nginx/access.log;
    include /etc/nginx/conf.d/*.conf;
    server {
        listen 80;
        server_name _;
        location / {
        }
    }
}
`

func (h *fakeHost) layNginx() {
	if !h.exists(host.NginxConf) {
		h.write(host.NginxConf, cmp.Or(h.web.conf, confOfEPEL))
	}
	for _, dir := range []string{host.ConfDir, "/var/log/nginx", "/var/lib/nginx/tmp"} {
		h.mkdir(dir)
	}
	h.write("/usr/sbin/nginx", "ELF")
	h.write("/usr/lib/systemd/system/nginx.service", "[Unit]\nDescription=The nginx HTTP "+
		"server\n[Service]\nExecStart=/usr/sbin/nginx\nExecReload=/bin/kill -s HUP "+
		"$MAINPID\n[Install]\nWantedBy=multi-user.target\n")
}

// nginxProgram is nginx -t and -V. The test runs on the thread whose mount namespace has the candidate in place, and
// leaves behind what the real one leaves.
func (h *fakeHost) nginxProgram(args []string) (stdout, stderr string, status int, err error) {
	if args[0] == "-V" {
		return "", "nginx version: nginx/1.20.1\nconfigure arguments: --prefix=/usr/share/nginx " +
			"--pid-path=/run/nginx.pid --error-log-path=/var/log/nginx/error.log " +
			"--http-log-path=/var/log/nginx/access.log --http-proxy-temp-path=/var/lib/nginx/tmp/proxy\n", 0, nil
	}
	for _, left := range []string{"/run/nginx.pid", "/var/log/nginx/error.log", "/var/log/nginx/access.log"} {
		if f, err := os.OpenFile(h.path(left), os.O_CREATE|os.O_WRONLY, 0o644); err == nil {
			f.Close()
		}
	}
	warnings, emerg := h.judgeConf()
	for _, w := range warnings {
		stderr += "nginx: [warn] " + w + "\n"
	}
	if emerg != "" {
		return "", stderr + "nginx: [emerg] " + emerg +
			"\nnginx: configuration file /etc/nginx/nginx.conf test failed\n", 1, nil
	}
	return "", stderr + "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file " +
		"/etc/nginx/nginx.conf test is successful\n", 0, nil
}

// judgeConf is what nginx says of the configuration on the disk.
func (h *fakeHost) judgeConf() (warnings []string, emerg string) {
	tree, err := conf.Load(h.root, host.NginxConf, nil)
	if p := (*glob.PatternError)(nil); err != nil && !errors.As(err, &p) { // nginx itself understands every pattern
		return nil, err.Error()
	}
	if d := bogus(tree.Directives()); d != nil {
		return nil, fmt.Sprintf("unknown directive %q in %s:%d", d.Name, d.File, d.Line)
	}
	if h.web.nameless != "" {
		return nil, fmt.Sprintf("host not found in upstream %q in %s/other.conf:3", h.web.nameless, host.ConfDir)
	}
	names := map[string]bool{}
	for _, s := range tree.Servers() {
		for _, name := range s.Names {
			for _, l := range s.Listen {
				key := fmt.Sprintf("%s on %s:%d", name, l.Address, l.Port)
				if names[key] {
					warnings = append(warnings, fmt.Sprintf("conflicting server name %q on 0.0.0.0:%d, ignored", name,
						l.Port))
				}
				names[key] = true
				if strings.Contains(l.Address, ":") && h.web.noIPv6 {
					return warnings, fmt.Sprintf("socket() [%s]:%d failed (97: Address family not supported by "+
						"protocol)", l.Address, l.Port)
				}
			}
		}
	}
	if conf.NamesBucket(tree.HashedNames()) > 0 && !tree.HTTP(proxy.NamesBucket) {
		return warnings, "could not build server_names_hash, you should increase server_names_hash_bucket_size: 64"
	}
	return warnings, ""
}

// bogus finds a directive that no module has.
func bogus(body []conf.Directive) *conf.Directive {
	for i, d := range body {
		if strings.HasPrefix(d.Name, "bogus") {
			return &body[i]
		}
		if found := bogus(d.Body); found != nil {
			return found
		}
	}
	return nil
}

// take has the master read the configuration on the disk, as httpd_t may.
func (h *fakeHost) take() bool {
	_, emerg := h.judgeConf()
	tree, err := conf.Load(h.root, host.NginxConf, nil)
	if err == nil && emerg == "" {
		emerg = h.bind(tree)
	}
	if emerg != "" {
		h.emerg(emerg)
		return false
	}
	h.web.tree = tree
	h.web.certificate = nil
	if h.exists(certificateFile) {
		h.web.certificate = []byte(h.content(certificateFile))
	}
	return true
}

// certificateFile is the one that the sites of tests with TLS have.
const certificateFile = "/c.pem"

// sends are the certificates that nginx has read.
func (h *fakeHost) sends(_ context.Context, address, _ string, _ bool) ([]*x509.Certificate, error) {
	if h.web.master == 0 || h.web.certificate == nil {
		return nil, &handshake.DialError{Address: address, Errno: syscall.ECONNREFUSED, Err: syscall.ECONNREFUSED}
	}
	block, _ := pem.Decode(h.web.certificate)
	one, err := x509.ParseCertificate(block.Bytes)
	return []*x509.Certificate{one}, err
}

func (h *fakeHost) bind(tree conf.Tree) string {
	for _, s := range tree.Servers() {
		for _, l := range s.Listen {
			switch {
			case slices.Contains(h.web.taken, l.Port):
				return fmt.Sprintf("bind() to 0.0.0.0:%d failed (98: Address already in use)", l.Port)
			case h.enforcing() && !h.mayBind(l.Port):
				return fmt.Sprintf("bind() to 0.0.0.0:%d failed (13: Permission denied)", l.Port)
			}
		}
	}
	return ""
}

// tryBind knows only of what is in the way: nginx's own sockets are told from others' by real ones in TestTakenBy.
func (h *fakeHost) tryBind(at netip.AddrPort) error {
	if !h.web.late && slices.Contains(h.web.taken, int(at.Port())) {
		return syscall.EADDRINUSE
	}
	return nil
}

func (h *fakeHost) emerg(message string) {
	log := "/var/log/nginx/error.log"
	h.write(log, h.content(log)+fmt.Sprintf("2026/11/22 10:00:00 [emerg] %d#%d: %s\n", h.web.master, h.web.master,
		message))
}

// startNginx starts a master with two workers; stopNginx ends them.
func (h *fakeHost) startNginx() bool {
	if h.web.cannotRun != "" {
		h.emerg(h.web.cannotRun)
		return false
	}
	if !h.take() {
		return false
	}
	h.readUnit()
	h.web.master = h.fork(1, "nginx: master process /usr/sbin/nginx")
	h.write("/run/nginx.pid", strconv.Itoa(h.web.master)+"\n")
	h.web.workers = []int{h.fork(h.web.master, "nginx: worker process"), h.fork(h.web.master, "nginx: worker process")}
	return true
}

func (h *fakeHost) stopNginx() {
	for _, pid := range append(h.web.workers, h.web.master) {
		h.must(os.RemoveAll(h.path("/proc/" + strconv.Itoa(pid))))
	}
	h.web.master, h.web.workers = 0, nil
}

// hup is what a master does on SIGHUP.
func (h *fakeHost) hup() {
	if h.web.deaf || !h.take() {
		return
	}
	for i, pid := range h.web.workers {
		if h.web.draining && i == 0 {
			h.write(fmt.Sprintf("/proc/%d/cmdline", pid), "nginx: worker process is shutting down")
			continue
		}
		h.must(os.RemoveAll(h.path("/proc/" + strconv.Itoa(pid))))
	}
	h.web.workers = []int{h.fork(h.web.master, "nginx: worker process"), h.fork(h.web.master, "nginx: worker process")}
}

func (h *fakeHost) fork(parent int, title string) int {
	h.web.lastPID++
	pid := 2000 + h.web.lastPID
	h.write(fmt.Sprintf("/proc/%d/cmdline", pid), title+"\x00")
	h.limitFiles(pid, h.filesOf(parent))
	h.write(fmt.Sprintf("/proc/%d/stat", pid), procStat(pid, "nginx", parent, uint64(1000+h.web.lastPID)))
	return pid
}

// procStat is proc(5)'s stat: the parent is the 4th field and the start the 22nd.
func procStat(pid int, name string, parent int, start uint64) string {
	return fmt.Sprintf("%d (%s) S %d%s %d 0 0\n", pid, name, parent, strings.Repeat(" 0", 17), start)
}

// probe is a handshake with whatever listens at the address.
func (h *fakeHost) probe(ctx context.Context, t handshake.Target) (handshake.Result, error) {
	h.probes++
	if h.web.answer != nil {
		return h.web.answer(ctx, t)
	}
	refused := &handshake.DialError{Address: t.Address, Errno: syscall.ECONNREFUSED, Err: syscall.ECONNREFUSED}
	if up, backend := h.web.backends[t.Address]; backend || t.Host == "" {
		if up {
			return handshake.Result{Status: 101, Accepted: true}, nil
		}
		return handshake.Result{}, refused
	}
	port := t.Address[strings.LastIndexByte(t.Address, ':')+1:]
	if h.web.master == 0 {
		return handshake.Result{}, refused
	}
	backend, listens := h.route(t.Host, port, t.Path)
	switch {
	case !listens:
		return handshake.Result{}, refused
	case backend == "":
		return handshake.Result{}, &handshake.StatusError{Code: 404, Line: "HTTP/1.1 404 Not Found"}
	}
	n, _ := strconv.Atoi(backend[strings.LastIndexByte(backend, ':')+1:])
	h.answerAccess(h.mayConnect(n))
	if !h.mayConnect(n) || !h.web.backends[backend] {
		return handshake.Result{}, &handshake.StatusError{Code: 502, Line: "HTTP/1.1 502 Bad Gateway"}
	}
	return handshake.Result{Status: 101, Accepted: true}, nil
}

// route finds the backend that the running configuration passes a path of a site to.
func (h *fakeHost) route(host, port, path string) (backend string, listens bool) {
	upstreams := map[string]string{}
	for _, d := range h.web.tree.Directives() {
		for _, u := range d.Body {
			if d.Name == "http" && u.Name == "upstream" {
				upstreams[u.Args[0]] = u.Body[0].Args[0]
			}
		}
	}
	for _, s := range h.web.tree.Servers() {
		for _, l := range s.Listen {
			if strconv.Itoa(l.Port) != port {
				continue
			}
			listens = true
			if facts.ServerNamed(s, host) && backend == "" {
				backend = passedTo(s.Body, path, upstreams)
			}
		}
	}
	return backend, listens
}

func passedTo(body []conf.Directive, path string, upstreams map[string]string) string {
	best, to := -1, ""
	for _, l := range body {
		if l.Name != "location" || !strings.HasPrefix(path, l.Args[len(l.Args)-1]) ||
			len(l.Args[len(l.Args)-1]) <= best {
			continue
		}
		for _, d := range l.Body {
			if d.Name == "proxy_pass" {
				best, to = len(l.Args[len(l.Args)-1]), strings.TrimPrefix(d.Args[0], "http://")
			}
		}
	}
	if u, ok := upstreams[to]; ok {
		return u
	}
	return to
}

// fakeUnits is systemd on a fakeHost: links in the tree, processes in /proc.
type fakeUnits struct {
	h      *fakeHost
	mutate func(string, func() error) error
}

const wantsNginx = "/etc/systemd/system/multi-user.target.wants/nginx.service"

func (u *fakeUnits) Close() error { return nil }

func (u *fakeUnits) State(ctx context.Context, unit string) (systemd.State, error) {
	if err := u.h.reads.next("systemd: " + unit); err != nil {
		return systemd.State{}, err
	}
	s, err := (&systemd.Offline{Root: u.h.root}).State(ctx, unit)
	s.Known, s.Active, s.Sub = true, "inactive", "dead"
	switch {
	case unit == host.FirstBootUnit && u.h.gaveUp:
		s.Active, s.Sub = "failed", "failed"
	case unit == host.FirstBootUnit:
	case unit != host.NginxUnit:
		if u.h.units[unit] {
			s.Active, s.Sub = "active", "running"
		}
	case u.h.web.master != 0:
		s.OpenFiles = max(u.h.unitFiles, 4096)
		s.Active, s.Sub, s.MainPID, s.CanReload = "active", "running", u.h.web.master, !u.h.web.noReload
	case u.h.web.failed:
		s.Active, s.Sub = "failed", "failed"
	}
	return s, err
}

func (u *fakeUnits) Enable(ctx context.Context, unit string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := u.mutate("systemd: enable "+unit, func() error { return u.h.enableUnit(unit) })
	if err != nil {
		return err
	}
	return u.mutate("systemd: daemon-reload", func() error { return nil })
}

func (h *fakeHost) enableUnit(unit string) error {
	link := "/etc/systemd/system/multi-user.target.wants/" + unit
	h.mkdir("/etc/systemd/system/multi-user.target.wants")
	err := os.Symlink("/usr/lib/systemd/system/"+unit, h.path(link))
	if os.IsExist(err) {
		return nil
	}
	return err
}

func (u *fakeUnits) Disable(_ context.Context, unit string) error {
	return u.mutate("systemd: disable "+unit, func() error {
		return os.Remove(u.h.path(filepath.Dir(wantsNginx) + "/" + unit))
	})
}

func (u *fakeUnits) ResetFailed(_ context.Context, unit string) error {
	return u.mutate("systemd: reset-failed "+unit, func() error { u.h.gaveUp = false; return nil })
}

func (u *fakeUnits) Start(ctx context.Context, unit string) error {
	return u.mutate("systemd: start "+unit, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		u.h.starts++
		u.h.web.failed = !u.h.startNginx()
		if u.h.web.failed {
			return fmt.Errorf("start %s: the job failed: exit-code", unit)
		}
		return nil
	})
}

func (u *fakeUnits) Reload(_ context.Context, unit string) error {
	return u.mutate("systemd: reload "+unit, func() error {
		u.h.reloads++
		if u.h.web.master == 0 {
			return fmt.Errorf("reload %s: it does not run", unit)
		}
		u.h.hup()
		return nil
	})
}

// systemctl works on files, as with --root.
func (h *fakeHost) systemctl(args []string) (stdout, stderr string, status int, err error) {
	switch {
	case len(args) == 3 && args[1] == "enable" && strings.HasPrefix(args[0], "--root="):
		return "", "", 0, h.enableUnit(args[2])
	case len(args) == 3 && args[1] == "disable" && strings.HasPrefix(args[0], "--root="):
		return "", "", 0, os.Remove(h.path(filepath.Dir(wantsNginx) + "/" + args[2]))
	}
	h.t.Errorf("systemctl %q is not known here", args)
	return "", "", 1, nil
}
