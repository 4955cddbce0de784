package provision

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"wsprovision/provision/hostfile"
)

// socket is a line of /proc/net/tcp or tcp6 (proc(5)).
type socket struct {
	local, remote netip.AddrPort
	state         string // two hexadecimal digits: 0A listens, 06 is TIME_WAIT
	inode         string
}

const (
	stateTimeWait = "06"
	stateListen   = "0A"
)

// mostSockets bounds what is read of a table of sockets, in bytes: some hundred
// thousand of them.
const mostSockets = 64 << 20

// sockets are all TCP sockets of the host; what cannot be read has none.
func listSockets(h *Host) []socket {
	var all []socket
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := hostfile.Read(context.Background(), h.Root+name, mostSockets)
		if err != nil {
			continue // ipv6.disable=1 has no tcp6
		}
		all = append(all, parseSockets(string(text))...)
	}
	return all
}

func parseSockets(text string) []socket {
	var all []socket
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 10 || !strings.HasSuffix(f[0], ":") {
			continue
		}
		local, err := hostfile.SocketAddress(f[1])
		if err != nil {
			continue
		}
		remote, err := hostfile.SocketAddress(f[2])
		if err != nil {
			continue
		}
		all = append(all, socket{local: local, remote: remote, state: f[3], inode: f[9]})
	}
	return all
}

// listening are the sockets that take connections to a port.
func listening(all []socket, port uint16) []socket {
	return slices.DeleteFunc(slices.Clone(all), func(s socket) bool {
		return s.state != stateListen || s.local.Port() != port
	})
}

// taking are those of them that a connection to the address may come to: the address itself, or every address.
func taking(all []socket, to netip.AddrPort) []socket {
	ip := to.Addr().Unmap()
	return slices.DeleteFunc(listening(all, to.Port()), func(s socket) bool {
		at := s.local.Addr().Unmap()
		return at != ip && !(at.IsUnspecified() && (at.Is6() || ip.Is4()))
	})
}

// process is who holds a socket.
type process struct {
	pid  int
	name string // as ps shows it, shortened
}

func (p process) String() string { return fmt.Sprintf("process %d (%s)", p.pid, p.name) }

// occupancy is who listens on the host, looked up by port and by socket. /proc/*/fd is gone through once, and only
// where somebody is asked for.
type occupancy struct {
	h      *Host
	ports  map[uint16][]socket
	owners map[string][]int // processes by the name of the socket's link; nil: not looked for
}

func occupancyOf(h *Host) *occupancy {
	o := &occupancy{h: h, ports: map[uint16][]socket{}}
	for _, s := range listSockets(h) {
		if s.state == stateListen {
			o.ports[s.local.Port()] = append(o.ports[s.local.Port()], s)
		}
	}
	return o
}

func (o *occupancy) listening(port uint16) []socket { return o.ports[port] }

func (s socket) link() string { return "socket:[" + s.inode + "]" }

// heldBy reports whether the process is among the holders of the socket: a
// master shares its own with its workers.
func (o *occupancy) heldBy(ctx context.Context, pid int, s socket) bool {
	return slices.Contains(o.pids(ctx, s), pid)
}

func (o *occupancy) pids(ctx context.Context, s socket) []int {
	if o.owners == nil {
		o.owners = ownersOf(ctx, o.h)
	}
	return o.owners[s.link()]
}

// holders finds the processes that hold one of the sockets. Without root it finds only one's own.
func (o *occupancy) holders(ctx context.Context, sockets []socket) []process {
	var pids []int
	for _, s := range sockets {
		pids = append(pids, o.pids(ctx, s)...)
	}
	slices.Sort(pids)
	var all []process
	for _, pid := range slices.Compact(pids) {
		all = append(all, process{pid, titleOf(ctx, o.h, pid)})
	}
	return all
}

func holdersOf(ctx context.Context, h *Host, sockets []socket) []process {
	return (&occupancy{h: h}).holders(ctx, sockets)
}

// owners are the processes of every socket that has some. They end with ctx: anybody may have many processes, and each
// many files.
func ownersOf(ctx context.Context, h *Host) map[string][]int {
	all := map[string][]int{}
	entries, _ := os.ReadDir(h.Root + "/proc") // what cannot be read is nobody's
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		dir := fmt.Sprintf("%s/proc/%d/fd", h.Root, pid)
		links, _ := os.ReadDir(dir) // gone, or somebody else's
		for _, link := range links {
			if target, err := os.Readlink(filepath.Join(dir, link.Name())); err == nil &&
				strings.HasPrefix(target, "socket:[") {
				all[target] = append(all[target], pid)
			}
		}
	}
	return all
}

func titleOf(ctx context.Context, h *Host, pid int) string {
	b, err := hostfile.Head(ctx, fmt.Sprintf("%s/proc/%d/cmdline", h.Root, pid), 4096)
	title := strings.TrimSpace(strings.ReplaceAll(string(b), "\x00", " "))
	if err != nil || title == "" {
		b, _ = hostfile.Head(ctx, fmt.Sprintf("%s/proc/%d/comm", h.Root, pid), 64)
		title = strings.TrimSpace(string(b))
	}
	if len(title) > 80 {
		title = strings.ToValidUTF8(title[:80], "") + "…"
	}
	return title
}
