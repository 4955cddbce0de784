package host

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

// Socket is a line of /proc/net/tcp or tcp6 (proc(5)).
type Socket struct {
	Local, Remote netip.AddrPort
	State         string // two hexadecimal digits: 0A listens, 06 is TIME_WAIT
	Inode         string
	// Waiting is rx_queue: of a socket that listens, the connections that nobody has accepted (the kernel's
	// net/ipv4/tcp_ipv4.c, get_tcp4_sock: sk_ack_backlog).
	Waiting uint64
}

const (
	StateTimeWait = "06"
	stateListen   = "0A"
)

// mostSockets bounds what is read of a table of sockets, in bytes: some hundred
// thousand of them.
const mostSockets = 64 << 20

// Sockets are all TCP sockets of the host; what cannot be read has none.
func Sockets(h *Host) []Socket {
	var all []Socket
	for _, name := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := hostfile.Read(context.Background(), h.Root+name, mostSockets)
		if err != nil {
			continue // ipv6.disable=1 has no tcp6
		}
		all = append(all, ParseSockets(string(text))...)
	}
	return all
}

func ParseSockets(text string) []Socket {
	var all []Socket
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
		_, queue, _ := strings.Cut(f[4], ":")
		waiting, _ := strconv.ParseUint(queue, 16, 64) // what is no number is no evidence
		all = append(all, Socket{Local: local, Remote: remote, State: f[3], Inode: f[9], Waiting: waiting})
	}
	return all
}

// Listening are the sockets that take connections to a port.
func Listening(all []Socket, port uint16) []Socket {
	return slices.DeleteFunc(slices.Clone(all), func(s Socket) bool {
		return s.State != stateListen || s.Local.Port() != port
	})
}

// Taking are those of them that a connection to the address may come to: the address itself, or every address.
func Taking(all []Socket, to netip.AddrPort) []Socket {
	ip := to.Addr().Unmap()
	return slices.DeleteFunc(Listening(all, to.Port()), func(s Socket) bool {
		at := s.Local.Addr().Unmap()
		return at != ip && !(at.IsUnspecified() && (at.Is6() || ip.Is4()))
	})
}

// Process is who holds a socket.
type Process struct {
	Pid  int
	name string // as ps shows it, shortened
}

func (p Process) String() string { return fmt.Sprintf("process %d (%s)", p.Pid, p.name) }

// Occupancy is who listens on the host, looked up by port and by socket. /proc/*/fd is gone through once, and only
// where somebody is asked for.
type Occupancy struct {
	h      *Host
	ports  map[uint16][]Socket
	owners map[string][]int // processes by the name of the socket's link; nil: not looked for
}

func ReadOccupancy(h *Host) *Occupancy {
	o := &Occupancy{h: h, ports: map[uint16][]Socket{}}
	for _, s := range Sockets(h) {
		if s.State == stateListen {
			o.ports[s.Local.Port()] = append(o.ports[s.Local.Port()], s)
		}
	}
	return o
}

func (o *Occupancy) Listening(port uint16) []Socket { return o.ports[port] }

func (s Socket) link() string { return "socket:[" + s.Inode + "]" }

// HeldBy reports whether the process is among the holders of the socket: a
// master shares its own with its workers.
func (o *Occupancy) HeldBy(ctx context.Context, pid int, s Socket) bool {
	return slices.Contains(o.pids(ctx, s), pid)
}

func (o *Occupancy) pids(ctx context.Context, s Socket) []int {
	if o.owners == nil {
		o.owners = OwnersOf(ctx, o.h)
	}
	return o.owners[s.link()]
}

// Holders finds the processes that hold one of the sockets. Without root it finds only one's own.
func (o *Occupancy) Holders(ctx context.Context, sockets []Socket) []Process {
	var pids []int
	for _, s := range sockets {
		pids = append(pids, o.pids(ctx, s)...)
	}
	slices.Sort(pids)
	var all []Process
	for _, pid := range slices.Compact(pids) {
		all = append(all, Process{pid, Title(ctx, o.h, pid)})
	}
	return all
}

func Holders(ctx context.Context, h *Host, sockets []Socket) []Process {
	return (&Occupancy{h: h}).Holders(ctx, sockets)
}

// OwnersOf are the processes of every socket that has some. They end with ctx: anybody may have many processes, and
// each many files.
func OwnersOf(ctx context.Context, h *Host) map[string][]int {
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

func Title(ctx context.Context, h *Host, pid int) string {
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
