package diagnose

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/websocket"
)

// symptom is a WebSocket that did not come about, or not as it should.
type Symptom struct {
	// site and location are nil for a URL that the configuration does not have.
	Site     *config.Site
	Location *config.Location
	Target   websocket.Target
	Check    string // the first that failed, by its name in package websocket
	Err      error
	Peer     string   // who took the connection, "" where nobody did
	Lines    []string // nginx's error logs, since before the check
	Began    time.Time
	Again    []string // what tells the agent of this configuration; nil: derived from it
	Own      Own
}

// own is the site's file, as the agent would write it.
type Own struct {
	Content []byte
	// Flags are those without which an apply refuses what lies in its place.
	Flags []string
}

// inquiry looks for the cause of one symptom. It only reads: files, /proc, the
// policy, logs, nginx -t, and handshakes with the backend itself.
type inquiry struct {
	*host.Host
	Symptom
	config config.Config

	address netip.AddrPort // what was dialled; not valid where the name does not resolve
	tree    nginx.Tree
	treeErr error
	route   nginx.Route
	pass    nginx.Pass
	passed  bool // pass is known
	master  nginx.Master
	gone    error        // why there is no master
	left    host.Orphans // workers without one
	sockets []host.Socket
}

// explain finds the one cause. The order is that of certainty: what the client
// itself saw, what the host's tables say, what nginx logged of this very
// request, what its configuration says, and what the backend answers directly.
func Explain(ctx context.Context, h *host.Host, c config.Config, s Symptom) Diagnosis {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	q := &inquiry{Host: h, Symptom: s, config: c}
	q.survey(ctx)
	for _, ask := range []func(context.Context) *Diagnosis{
		q.unresolved,
		q.elsewhere,
		q.beside,
		q.refusedCertificate,
		q.listener,
		q.logged,
		q.afterwards,
		q.routed,
		q.through,
		q.older,
	} {
		if d := ask(ctx); d != nil {
			return *d
		}
	}
	return q.unexplained()
}

// survey reads once what several questions ask for.
func (q *inquiry) survey(ctx context.Context) {
	q.address = q.dialled(ctx)
	q.tree, q.treeErr = nginx.Load(q.Root, host.NginxConf, nil)
	q.master, q.gone = host.MasterOf(ctx, q.Host)
	if err := q.hidden(ctx); err != nil {
		q.gone = err
	}
	q.left = host.OrphansOf(ctx, q.Host)
	q.sockets = host.Sockets(q.Host)
	if !q.address.IsValid() {
		return
	}
	q.route = q.tree.Route(q.address, q.host(), q.Target.Path)
	q.pass, q.passed = q.tree.Pass(q.route)
	if !q.passed && q.Location != nil && q.route.Server != nil && q.ours(q.route.Server.File) && q.treeErr != nil {
		q.pass, q.passed = nginx.Pass{Scheme: "http", Host: q.Location.Backend.Host, Port: q.Location.Backend.Port},
			true
	}
}

// hidden is an error where systemd knows of a master that /proc does not show to this user (proc(5), hidepid).
func (q *inquiry) hidden(ctx context.Context) error {
	pid := host.MainPID(ctx, q.Host)
	if q.Euid == 0 || pid == 0 || !errors.Is(q.gone, nginx.ErrNotRunning) {
		return nil
	}
	if _, err := os.Stat(fmt.Sprintf("%s/proc/%d", q.Root, pid)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("systemd says that %s runs as process %d, which /proc does not show (hidepid): root can tell more",
		host.NginxUnit, pid)
}

// dialled is the address that took the connection or, where none did, the first
// that the client tried.
func (q *inquiry) dialled(ctx context.Context) netip.AddrPort {
	if a, err := netip.ParseAddrPort(q.Peer); err == nil {
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	address := q.Target.Address
	if a, err := netip.ParseAddrPort(address); err == nil {
		return a
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return netip.AddrPort{}
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(ips) == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ips[0].Unmap(), uint16(n))
}

// host is the name in Host.
func (q *inquiry) host() string {
	if q.Target.Host != "" {
		return q.Target.Host
	}
	return q.Target.Address
}

// ours reports whether a file of nginx's configuration is the one that the
// agent wrote for the site.
func (q *inquiry) ours(file string) bool { return q.Site != nil && file == host.SitePath(q.Site.Name) }

// local reports whether the connection went to this host.
func (q *inquiry) local() bool {
	ip := q.address.Addr().Unmap()
	if !ip.IsValid() {
		return false
	}
	if ip.IsLoopback() {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range own {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == ip {
			return true
		}
	}
	return false
}

// applyCommand is how the agent is told of this configuration, where the site's
// file is somebody's by now with what that takes.
func (q *inquiry) applyCommand() Mend {
	if q.Site == nil || q.asConfigured(host.SitePath(q.Site.Name)) {
		return do(q.applyArgv()...)
	}
	return do(append(q.applyArgv(), q.Own.Flags...)...)
}

func (q *inquiry) applyArgv() []string {
	if q.Again != nil {
		return slices.Clone(q.Again)
	}
	if q.Site == nil {
		return []string{"wsprovision", "apply"}
	}
	switch q.config.Source {
	case "":
		argv := []string{"wsprovision", "apply", "--server-name", strings.Join(q.Site.ServerNames, ",")}
		if q.Location != nil {
			argv = append(argv, "--backend", q.Location.Backend.String())
			if q.Location.Path != "/" {
				argv = append(argv, "--path", q.Location.Path)
			}
		}
		return argv
	case "/etc/wsprovision/wsprovision.yaml":
		return []string{"wsprovision", "apply"}
	}
	return []string{"wsprovision", "apply", "--config", q.config.Source}
}

// edit says how to mend a line of the configuration: the agent rewrites its
// own file, as its configuration says; somebody else's is theirs to edit.
func (q *inquiry) edit(file string, line int, what Mend) Mend {
	if q.ours(file) && q.asConfigured(file) {
		return what.say(" in ").name(file).say(" by way of the site's configuration, which does not ask for it, then ").
			join(q.applyCommand())
	}
	if q.ours(file) {
		return q.applyCommand()
	}
	return what.say(" in ").line(file, line).say(thenReload)
}

// What nginx's configuration wants after an edit: a running nginx is reloaded, one that may not run is started.
const (
	thenReload words = ", then nginx -t && systemctl reload nginx"
	thenServe  words = ", then nginx -t && systemctl reload-or-restart nginx"
)

// reload has nginx take the configuration of the disk.
func reload() Mend { return do("nginx", "-t").and("systemctl", "reload", "nginx") }

// asConfigured reports whether the site's file is what the agent would write.
func (q *inquiry) asConfigured(file string) bool {
	have, err := q.Files.Read(file)
	return err == nil && q.Own.Content != nil && have.Content != nil && bytes.Equal(have.Content, q.Own.Content)
}

func (q *inquiry) status() *websocket.StatusError {
	var status *websocket.StatusError
	if errors.As(q.Err, &status) {
		return status
	}
	return nil
}

// unexplained says what was looked at, so that a person need not begin anew.
func (q *inquiry) unexplained() Diagnosis {
	d := diagnosis(Unexplained, "none of the known causes: "+q.Err.Error(), Mend{})
	if !q.local() {
		d.Mend = say("run wsprovision verify on that host, where more can be read")
	}
	d.Evidence = append(d.Evidence, q.relevant()...)
	if q.local() {
		d.Evidence = append(d.Evidence, q.passedOver()...)
	}
	if q.route.Server != nil {
		d.Evidence = append(d.Evidence, fmt.Sprintf("the server block is %s:%d", q.route.Server.File,
			q.route.Server.Line))
	}
	if q.passed {
		d.Evidence = append(d.Evidence, fmt.Sprintf("passed to %s by %s:%d", q.pass.Address(), q.pass.File,
			q.pass.Line))
	}
	for _, err := range []error{q.treeErr, q.gone} {
		if err != nil {
			d.Evidence = append(d.Evidence, err.Error())
		}
	}
	return *d
}
