package policydb

import (
	"fmt"
	"slices"
	"strconv"

	"wsprovision/provision/lazy"
)

// Port is a port or an inclusive range of ports, 0 to 65535, with the type it has.
type Port struct {
	Proto     string
	Low, High int
	Type      string
}

// String is the port as semanage names it: tcp/3000 or tcp/3000-3001.
func (p Port) String() string { return p.Proto + "/" + p.Numbers() }

func (p Port) Numbers() string {
	if p.Low == p.High {
		return strconv.Itoa(p.Low)
	}
	return fmt.Sprintf("%d-%d", p.Low, p.High)
}

func (p Port) covers(proto string, port int) bool {
	return p.Proto == proto && p.Low <= port && port <= p.High
}

// Exactly says whether this is the record that semanage finds for the single port: it compares low, high and protocol.
func (p Port) Exactly(proto string, port int) bool {
	return p.Proto == proto && p.Low == port && p.High == port
}

// The protocols that a portcon may have, by IP protocol number. sctp and dccp came after RHEL 7.
var protocols = map[uint32]string{6: "tcp", 17: "udp", 33: "dccp", 132: "sctp"}

func KnownProtocol(name string) bool {
	for _, p := range protocols {
		if p == name {
			return true
		}
	}
	return false
}

// NewPort checks what a foreign text says.
func NewPort(proto, low, high, typ string) (Port, error) {
	l, err := PortNumber(low)
	if err != nil {
		return Port{}, err
	}
	h, err := PortNumber(high)
	if err != nil {
		return Port{}, err
	}
	p := Port{Proto: proto, Low: l, High: h, Type: typ}
	switch {
	case !KnownProtocol(proto):
		return Port{}, fmt.Errorf("unknown protocol %q", proto)
	case l > h:
		return Port{}, fmt.Errorf("range %s-%s is empty", low, high)
	case !IsTypeName(typ):
		return Port{}, fmt.Errorf("%q is no type's name", typ)
	}
	return p, nil
}

func PortNumber(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("port %q: not a number from 0 to 65535", s)
	}
	return int(n), nil
}

// Covering returns the ports of the list that cover one, in the list's order, each once.
func Covering(list []Port, proto string, port int) []Port {
	var found []Port
	for _, p := range list {
		if p.covers(proto, port) && !slices.Contains(found, p) {
			found = append(found, p)
		}
	}
	return found
}

// typeName is what may become a word of a semanage line.
var typeName = lazy.Regexp(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// IsTypeName reports whether a name may be that of a type.
func IsTypeName(name string) bool { return len(name) <= 128 && typeName().MatchString(name) }
