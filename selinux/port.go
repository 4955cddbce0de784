package selinux

import (
	"fmt"
	"slices"
	"strconv"
)

// Port is a port or an inclusive range of ports, 0 to 65535, with the type it has.
type Port struct {
	Proto     string
	Low, High int
	Type      string
}

// String is the port as semanage names it: tcp/3000 or tcp/3000-3001.
func (p Port) String() string { return p.Proto + "/" + p.numbers() }

func (p Port) numbers() string {
	if p.Low == p.High {
		return strconv.Itoa(p.Low)
	}
	return fmt.Sprintf("%d-%d", p.Low, p.High)
}

func (p Port) covers(proto string, port int) bool {
	return p.Proto == proto && p.Low <= port && port <= p.High
}

// exactly says whether this is the record that semanage finds for the single port: it compares low, high and protocol.
func (p Port) exactly(proto string, port int) bool {
	return p.Proto == proto && p.Low == port && p.High == port
}

// The protocols that a portcon may have, by IP protocol number. sctp and dccp came after RHEL 7.
var protocols = map[uint32]string{6: "tcp", 17: "udp", 33: "dccp", 132: "sctp"}

func knownProtocol(name string) bool {
	for _, p := range protocols {
		if p == name {
			return true
		}
	}
	return false
}

// newPort checks what a foreign text says.
func newPort(proto, low, high, typ string) (Port, error) {
	l, err := portNumber(low)
	if err != nil {
		return Port{}, err
	}
	h, err := portNumber(high)
	if err != nil {
		return Port{}, err
	}
	p := Port{Proto: proto, Low: l, High: h, Type: typ}
	switch {
	case !knownProtocol(proto):
		return Port{}, fmt.Errorf("unknown protocol %q", proto)
	case l > h:
		return Port{}, fmt.Errorf("range %s-%s is empty", low, high)
	case !isTypeName(typ):
		return Port{}, fmt.Errorf("%q is no type's name", typ)
	}
	return p, nil
}

func portNumber(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("port %q: not a number from 0 to 65535", s)
	}
	return int(n), nil
}

// covering returns the ports of the list that cover one, in the list's order, each once.
func covering(list []Port, proto string, port int) []Port {
	var found []Port
	for _, p := range list {
		if p.covers(proto, port) && !slices.Contains(found, p) {
			found = append(found, p)
		}
	}
	return found
}
