package facts

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"wsprovision/provision/config"
	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
	"wsprovision/provision/nginx/conf"
	"wsprovision/provision/nginx/files"
	"wsprovision/provision/nginx/head"
	"wsprovision/provision/nginx/outcome"
	"wsprovision/provision/nginx/route"
	"wsprovision/provision/websocket"
	"wsprovision/provision/websocket/handshake"
)

// Symptom is a WebSocket that did not come about, or not as it should.
type Symptom struct {
	// Site and Location are nil for a URL that the configuration does not have.
	Site     *config.Site
	Location *config.Location
	Target   handshake.Target
	Check    string // the first that failed, by its name in package websocket, or Measured
	Err      error
	Peer     string   // who took the connection, "" where nobody did
	Lines    []string // nginx's error logs, since before the check
	Began    time.Time
	Again    []string       // what tells the agent of this configuration; nil: derived from it
	Load     websocket.Load // what was tried, where Check is Measured
	Peak     Peak           // what was seen of nginx while that ran
	Own      Own
}

// Measured is the Check of many connections at a time.
const Measured = "measure"

// Own is the site's file, as the agent would write it.
type Own struct {
	Content []byte
	// Flags are those without which an apply refuses what lies in its place.
	Flags []string
}

// Evidence is what is known of one symptom. It is gathered once, and not changed by those who ask it.
type Evidence struct {
	*host.Host
	Symptom
	Config  config.Config
	Address netip.AddrPort // what was dialled; not valid where the name does not resolve
	Tree    conf.Tree
	TreeErr error
	Way     outcome.Route // of the request, through the configuration on the disk
	Master  nginx.Master
	Gone    error        // why there is no master
	Left    host.Orphans // workers without one
	Sockets []host.Socket
	Asked   *Answers
	// Through are the listeners of this nginx that the WebSocket came by before, in words.
	Through []string
	// Outer is the same WebSocket at the listener of this nginx before this one; nil where there is none.
	Outer *Evidence
}

// Gather reads what questions ask for. What takes long, nginx -t and handshakes with a backend, is done when it is
// first asked for, and once.
func Gather(ctx context.Context, h *host.Host, c config.Config, s Symptom) *Evidence {
	e := &Evidence{Host: h, Symptom: s, Config: c, Asked: &Answers{}}
	e.Address = Dialled(ctx, s)
	e.Tree, e.TreeErr = conf.Load(h.Root, host.NginxConf, nil)
	e.Master, e.Gone = host.MasterOf(ctx, h)
	if errors.Is(e.Gone, nginx.ErrNotRunning) {
		e.Master, e.Gone = withoutPidFile(ctx, h, e.Gone)
	}
	if err := hidden(ctx, h, e.Gone); err != nil {
		e.Gone = err
	}
	e.Left = host.OrphansOf(ctx, h)
	e.Sockets = host.Sockets(h)
	if e.Address.IsValid() {
		e.Way = follow(e)
	}
	return e
}

// withoutPidFile is the one master that reads the configuration, where another pid file than the configuration's names
// it, as nginx -g "pid …;" makes one.
func withoutPidFile(ctx context.Context, h *host.Host, gone error) (nginx.Master, error) {
	var one nginx.Master
	others, err := h.Nginx.Others(ctx, 0)
	if err != nil {
		return one, gone
	}
	for _, o := range others {
		if !o.Same {
			continue
		}
		if one.PID != 0 {
			return nginx.Master{}, gone
		}
		if one, err = h.Nginx.Master(ctx, o.PID); err != nil {
			return nginx.Master{}, gone
		}
	}
	if one.PID == 0 {
		return one, gone
	}
	return one, nil
}

// hidden is an error where systemd knows of a master that /proc does not show to this user (proc(5), hidepid).
func hidden(ctx context.Context, h *host.Host, gone error) error {
	pid := host.MainPID(ctx, h)
	if h.Euid == 0 || pid == 0 || !errors.Is(gone, nginx.ErrNotRunning) {
		return nil
	}
	if _, err := os.Stat(fmt.Sprintf("%s/proc/%d", h.Root, pid)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("systemd says that %s runs as process %d, which /proc does not show (hidepid): root can tell "+
		"more",
		host.NginxUnit, pid)
}

// follow takes the request through the configuration, as nginx would.
func follow(e *Evidence) outcome.Route {
	if e.TreeErr != nil {
		return outcome.Route{End: outcome.End{Unfollowed: &outcome.Unfollowed{Why: e.TreeErr.Error()}}}
	}
	r := head.Handshake(e.Address, e.Target.TLS != nil, HostSent(e), PathSent(e), e.Target.Origin)
	r.From, r.Proxied = clientOf(e.Address), e.Target.Proxied
	if e.Target.TLS != nil {
		r.SNI, r.Certified = e.Target.TLS.ServerName, len(e.Target.TLS.Certificates) > 0
	}
	if all := e.Target.Subprotocols; len(all) > 0 {
		r.Fields = append(r.Fields, head.Field{Name: "Sec-WebSocket-Protocol", Value: strings.Join(all, ", ")})
	}
	fields := e.Target.Header.Clone()
	if fields.Get("User-Agent") == "" {
		r.Fields = append(r.Fields, head.Field{Name: "User-Agent", Value: handshake.UserAgent})
	}
	for name, values := range fields {
		for _, v := range values {
			r.Fields = append(r.Fields, head.Field{Name: name, Value: v})
		}
	}
	return route.Follow(e.Tree, route.Host{Look: files.OnDisk(e.Root)}, r)
}

// clientOf is the address that a connection to this host's own address comes from, where the kernel gives no other.
func clientOf(to netip.AddrPort) netip.Addr {
	ip := to.Addr().Unmap()
	switch {
	case ip.IsLoopback() && ip.Is4():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case ip.IsLoopback():
		return ip
	}
	return netip.Addr{}
}

// Dialled is the address that took the connection or, where none did, the first
// that the client tried.
func Dialled(ctx context.Context, s Symptom) netip.AddrPort {
	if a, err := netip.ParseAddrPort(s.Peer); err == nil {
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	address := s.Target.Address
	if a, err := netip.ParseAddrPort(address); err == nil {
		return a
	}
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		return netip.AddrPort{}
	}
	n, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return netip.AddrPort{}
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil || len(ips) == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ips[0].Unmap(), uint16(n))
}

// HostSent is the name in Host.
func HostSent(e *Evidence) string {
	if e.Target.Host != "" {
		return e.Target.Host
	}
	return e.Target.Address
}

// PathSent is the path in the request line.
func PathSent(e *Evidence) string {
	if e.Target.Path == "" {
		return "/"
	}
	return e.Target.Path
}

// IsLocal reports whether the connection went to this host.
func IsLocal(e *Evidence) bool {
	return IsOwn(e.Address.Addr())
}

// IsOwn reports whether the address is one of this host.
func IsOwn(ip netip.Addr) bool {
	if ip = ip.Unmap(); !ip.IsValid() {
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

// StatusOf is the answer that was none of a WebSocket; nil where there was none, or a 101.
func StatusOf(e *Evidence) *handshake.StatusError {
	var status *handshake.StatusError
	if errors.As(e.Err, &status) {
		return status
	}
	return nil
}

// SilenceOf: the connection was taken, and no answer came.
func SilenceOf(e *Evidence) *handshake.ResponseError {
	var silent *handshake.ResponseError
	if errors.As(e.Err, &silent) {
		return silent
	}
	return nil
}

// TlsFailure is how TLS failed with whoever is meant to speak it; nil where it did not, or where this host's nginx does
// not run, so that somebody else answered.
func TlsFailure(e *Evidence) *handshake.TLSError {
	var failed *handshake.TLSError
	if !errors.As(e.Err, &failed) || IsLocal(e) && errors.Is(e.Gone, nginx.ErrNotRunning) {
		return nil
	}
	return failed
}

// IsUnlike: a 101 without what RFC 6455 section 4.1 wants of it.
func IsUnlike(err error) bool {
	var head *handshake.HeaderError
	var accept *handshake.AcceptError
	return errors.As(err, &head) || errors.As(err, &accept)
}
