package site

import (
	"fmt"
	"net/netip"
	"strings"
)

// Capacity is how many WebSockets the host is to hold open at a time, 0 where nobody said. What follows from it is for
// the worst spread: nginx's workers take connections as they come, and one of them may get all.
type Capacity int

// What a worker needs besides its WebSockets: requests, listening sockets, logs, and what is open for a moment.
const spareConnections, spareFiles = 512, 512

// WorkerConnections are those of one worker: each WebSocket takes one to the client and one to the backend. Of the last
// sixteenth that is free nginx closes clients that have not said anything yet, to use theirs again
// (ngx_drain_connections, since 1.19.3).
func (c Capacity) WorkerConnections() int {
	used := 2*int(c) + spareConnections
	return used + used/15 + 1
}

// CapacityOf is the largest one for which a worker needs no more than that many open files.
func CapacityOf(files int) Capacity {
	return Capacity(((files-spareFiles-1)*15/16 - spareConnections) / 2)
}

// OpenFiles are those of one worker.
func (c Capacity) OpenFiles() int { return c.WorkerConnections() + spareFiles }

// Backlog is how many clients may wait to be accepted: all of them come back at once when a network does. The kernel's
// bound is 16 bits wide (net.core.somaxconn, 3.10), and nginx's own value on Linux is 511.
func (c Capacity) Backlog() int { return min(max(int(c), 511), 65535) }

// Ports are the ephemeral ports of one address to one backend (net.ipv4.ip_local_port_range).
type Ports struct{ First, Last int }

// DefaultPorts are the kernel's.
var DefaultPorts = Ports{32768, 60999}

// otherPorts are left to what else connects to the same backend.
const otherPorts = 200

// Usable is how many connections one address makes to one backend.
func (p Ports) Usable() int { return max(p.Last-p.First+1-otherPorts, 1) }

// MostSources are the loopback addresses that nginx connects from at most.
const MostSources = 100

// Sources are how many addresses nginx has to connect from to the backends of a location, so that the ports are
// enough; 0 where the one that the kernel chooses is. More than one is to be had on the loopback alone, where each of
// 127.0.0.0/8 is this host's.
func (c Capacity) Sources(l Location, p Ports) (int, error) {
	if c == 0 || !l.WebSocket || l.Root != "" {
		return 0, nil
	}
	most, busiest := c.busiest(l)
	if most <= p.Usable() {
		return 0, nil
	}
	n := 1 + (most*100-1)/(p.Usable()*95) // chance spreads them unevenly
	if onLoopback(l) && n <= MostSources {
		return n, nil
	}
	return 0, fmt.Errorf("%d WebSockets need as many ports to the backend %s, and one address of this host has %d "+
		"(net.ipv4.ip_local_port_range is %d to %d): give the location more backends, each with an address or a port "+
		"of its own, so that each gets at most %[3]d; or have the backend on this host, as 127.0.0.1:PORT or on a "+
		"UNIX socket", most, busiest, p.Usable(), p.First, p.Last)
}

// busiest is how many connections the TCP backend with the largest share gets, and which that is.
func (c Capacity) busiest(l Location) (most int, which string) {
	weights, sum := map[string]int{}, 0
	for _, b := range l.Backends {
		if b.Backup {
			continue
		}
		weights[b.Address()] += max(b.Weight, 1)
		sum += max(b.Weight, 1)
	}
	for _, b := range l.Backends {
		share := 0
		if w := weights[b.Address()]; b.Port > 0 && sum > 0 {
			share = (int(c)*w + sum - 1) / sum
			if l.Balance == BalanceIP || strings.HasPrefix(l.Balance, BalanceHash) {
				share = int(c) // clients behind one address all go to one backend
			}
		}
		if share > most {
			most, which = share, b.Address()
		}
	}
	return most, which
}

func onLoopback(l Location) bool {
	for _, b := range l.Backends {
		ip, err := netip.ParseAddr(b.Host)
		if b.Port > 0 && (err != nil || !ip.Is4() || !ip.IsLoopback()) {
			return false
		}
	}
	return true
}
