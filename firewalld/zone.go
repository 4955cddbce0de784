package firewalld

import (
	"slices"
	"strconv"
	"strings"
)

// Zone is what a zone lets in. Running is nil where no firewalld runs.
type Zone struct {
	Permanent Admits
	Running   *Admits
}

// Admits is what one of the places lets in.
type Admits struct {
	All      bool // its target is ACCEPT
	Ports    []Span
	Services []Span // the ports of its services
}

// Span is tcp ports, both ends included.
type Span struct{ Low, High int }

// Lists reports whether the zone has an entry of exactly this port.
func (a Admits) Lists(port int) bool { return slices.Contains(a.Ports, Span{port, port}) }

// Lets reports whether the port is let in, by whatever entry. What rich rules say is not looked at.
func (a Admits) Lets(port int) bool {
	in := func(s Span) bool { return s.Low <= port && port <= s.High }
	return a.All || slices.ContainsFunc(a.Ports, in) || slices.ContainsFunc(a.Services, in)
}

// span is a port or a range of ports of tcp, as firewalld writes it: "80", "3000-3001".
func span(ports, protocol string) (s Span, ok bool) {
	if protocol != "tcp" {
		return s, false
	}
	low, high, ranged := strings.Cut(ports, "-")
	if !ranged {
		high = low
	}
	var err1, err2 error
	s.Low, err1 = strconv.Atoi(low)
	s.High, err2 = strconv.Atoi(high)
	return s, err1 == nil && err2 == nil && 0 <= s.Low && s.Low <= s.High && s.High <= 65535
}
