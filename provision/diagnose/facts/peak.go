package facts

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wsprovision/provision/host"
	"wsprovision/provision/nginx"
)

// Peak is the most that was seen of one of nginx's workers while many WebSockets were tried. Without root it is
// nothing.
type Peak struct {
	PID int // of the worker that held the most
	// each is a connection of worker_connections, listeners among them (ngx_get_connection)
	Sockets     int
	Clients     int              // of the sockets: from clients to the address that was tried
	Backends    int              // of the sockets: to backends
	Descriptors int              // files that are no sockets, too
	Limit       int              // of descriptors (proc(5), limits); 0 is not known
	Held        int              // WebSockets that the client itself had open at a time, after the load
	Ports       map[uint16]Ports // of this host's, by the port that they are connected to
}

// Ports are the local ports that are taken by connections to one port, and those of them that wait in TIME_WAIT.
type Ports struct{ Taken, Waiting int }

// PortsTo counts the sockets to each port.
func PortsTo(all []host.Socket) map[uint16]Ports {
	to := map[uint16]Ports{}
	for _, s := range all {
		now := to[s.Remote.Port()]
		now.Taken++
		if s.State == host.StateTimeWait {
			now.Waiting++
		}
		to[s.Remote.Port()] = now
	}
	delete(to, 0)
	return to
}

// crowded leaves out what there is one socket to, as a server has towards each of its clients.
func crowded(to map[uint16]Ports) map[uint16]Ports {
	maps.DeleteFunc(to, func(_ uint16, p Ports) bool { return p.Taken < 2 })
	return to
}

func (p Peak) String() string {
	if p.Sockets == 0 {
		return ""
	}
	limit := ""
	if p.Limit > 0 {
		limit = fmt.Sprintf(" of %d", p.Limit)
	}
	text := fmt.Sprintf("while it ran, worker %d held at most %d connections (%d of clients, %d to backends) and %d%s "+
		"file descriptors", p.PID, p.Sockets, p.Clients, p.Backends, p.Descriptors, limit)
	if p.Held > 0 {
		text += fmt.Sprintf("; %d WebSockets could be held open at a time", p.Held)
	}
	return text
}

// between is the time from one look to the next; each costs some milliseconds with a thousand connections.
const between = 15 * time.Millisecond

// Watch looks at nginx's workers until it is stopped, which gives the most that it saw.
func Watch(ctx context.Context, h *host.Host, at netip.AddrPort) (stop func() Peak) {
	ctx, cancel := context.WithCancel(ctx)
	seen := make(chan Peak, 1)
	master, err := host.MasterOf(ctx, h)
	go func() {
		var most Peak
		for err == nil && ctx.Err() == nil {
			most = most.With(lookAt(ctx, h, master, at))
			select {
			case <-ctx.Done():
			case <-time.After(between):
			}
		}
		seen <- most
	}()
	return func() Peak { cancel(); return <-seen }
}

// Look is what the workers hold at this moment.
func Look(ctx context.Context, h *host.Host, at netip.AddrPort) Peak {
	master, err := host.MasterOf(ctx, h)
	if err != nil {
		return Peak{}
	}
	return lookAt(ctx, h, master, at)
}

// With is the higher of the two. A look loses what is closed while it counts, so that one with more descriptors may
// have fewer sockets.
func (p Peak) With(now Peak) Peak {
	files, limit, ports := max(p.Descriptors, now.Descriptors), max(p.Limit, now.Limit), more(p.Ports, now.Ports)
	if now.Sockets > p.Sockets {
		now.Held, p = p.Held, now
	}
	p.Descriptors, p.Limit, p.Ports = files, limit, ports
	return p
}

// more has the higher count of each.
func more(a, b map[uint16]Ports) map[uint16]Ports {
	most := maps.Clone(a)
	if most == nil {
		return b
	}
	for port, p := range b {
		if p.Taken > most[port].Taken {
			most[port] = p
		}
	}
	return most
}

// lookAt is the worker that holds the most now.
func lookAt(ctx context.Context, h *host.Host, master nginx.Master, at netip.AddrPort) (most Peak) {
	table, sockets := map[string]host.Socket{}, host.Sockets(h)
	for _, s := range sockets {
		table["socket:["+s.Inode+"]"] = s
	}
	for _, w := range master.Workers {
		now := Peak{PID: w.PID}
		dir := fmt.Sprintf("%s/proc/%d/fd", h.Root, w.PID)
		links, _ := os.ReadDir(dir) // gone, or somebody else's
		for _, link := range links {
			target, _ := os.Readlink(filepath.Join(dir, link.Name()))
			now.count(target, table, at)
		}
		if now.Sockets > most.Sockets {
			files, _ := host.OpenFiles(context.WithoutCancel(ctx), h, w.PID) // 0 where it is not known
			now.Limit = int(files)
			most = now
		}
	}
	most.Ports = crowded(PortsTo(sockets))
	return most
}

func (p *Peak) count(link string, table map[string]host.Socket, at netip.AddrPort) {
	p.Descriptors++
	if !strings.HasPrefix(link, "socket:") {
		return
	}
	p.Sockets++
	s, isTCP := table[link]
	switch {
	case !isTCP || !s.Remote.Addr().IsValid() || s.Remote.Port() == 0:
	case s.Local.Port() == at.Port():
		p.Clients++
	default:
		p.Backends++
	}
}
