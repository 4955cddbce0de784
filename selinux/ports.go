package selinux

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"wsprovision/selinux/policydb"

	"github.com/hashicorp/go-multierror"
)

// PortState is all that is known of the type of one port.
type PortState struct {
	Local   []policydb.Port // local records that cover it, in the order of ports.local
	Policy  []policydb.Port // the policy's own records that cover it, in the kernel's order: narrowest first
	Stored  string          // type after the next load of the policy on disk; "" if it cannot be told
	Running string          // type in the loaded policy; "" if it cannot be told
}

// Port reads the type of a port, 1 to 65535, of tcp or udp. On an error (which wraps ErrUnknown) the fields hold what
// could be read all the same: without root the store is closed, but Stored and Policy are right, and Local's records
// stand in Policy.
func (h Host) Port(ctx context.Context, proto string, port int) (PortState, error) {
	var s PortState
	if (proto != "tcp" && proto != "udp") || port < 1 || port > 65535 {
		return s, fmt.Errorf("port %s/%d: not a tcp or udp port", proto, port)
	}
	if p, err := h.policies().runningPolicy(ctx); err == nil {
		s.Running = p.PortType(proto, port)
	}
	problems := &multierror.Error{ErrorFormat: oneLine}
	local, err := h.system().localPorts()
	problems = multierror.Append(problems, err)
	s.Local = policydb.Covering(local, proto, port)
	p, err := h.policies().storedPolicy()
	problems = multierror.Append(problems, err)
	if p != nil {
		s.Policy = policydb.Covering(withoutLocal(p.Ports, local), proto, port)
		s.Stored = p.PortType(proto, port)
	}
	if len(s.Local) > 0 { // the record decides, whatever the compiled policy says
		s.Stored = s.Local[0].Type
	}
	if err := problems.ErrorOrNil(); err != nil {
		return s, fmt.Errorf("port %s/%d: %w", proto, port, err)
	}
	return s, nil
}

// withoutLocal drops the records that semanage compiled in from ports.local. libsepol puts them before the policy's
// own, and a policy that was not re-linked has them twice or thrice; so the head of the list goes, as far as it is
// local. A record of the policy that a local one merely repeats stays.
func withoutLocal(list, local []policydb.Port) []policydb.Port {
	i := 0
	for i < len(list) && slices.Contains(local, list[i]) {
		i++
	}
	return list[i:]
}

// localPorts reads ports.local. No file means no records; no store is an error.
func (sy system) localPorts() ([]policydb.Port, error) {
	text, err := sy.storeFile("ports.local")
	if err != nil {
		return nil, err
	}
	return parseLocalPorts(text)
}

// parseLocalPorts reads lines like
//
//	portcon tcp 2000 - 2010 system_u:object_r:http_port_t:s0
func parseLocalPorts(text string) ([]policydb.Port, error) {
	var records []policydb.Port
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		p, err := parsePortcon(line)
		if err != nil {
			return nil, fmt.Errorf("%w: ports.local: %q: %w", ErrUnknown, line, err)
		}
		records = append(records, p)
	}
	return records, nil
}

var errPortcon = errors.New("not a portcon statement")

func parsePortcon(line string) (policydb.Port, error) {
	f := strings.Fields(strings.Replace(line, "-", " - ", 1))
	switch {
	case len(f) == 4 && f[0] == "portcon":
		f = []string{f[0], f[1], f[2], "-", f[2], f[3]}
	case len(f) != 6 || f[0] != "portcon" || f[3] != "-":
		return policydb.Port{}, errPortcon
	}
	typ, err := contextType(f[5])
	if err != nil {
		return policydb.Port{}, err
	}
	return policydb.NewPort(f[1], f[2], f[4], typ)
}

// contextType returns the third field of user:role:type[:range].
func contextType(context string) (string, error) {
	f := strings.SplitN(context, ":", 4)
	if len(f) < 3 || f[0] == "" || f[1] == "" || !policydb.IsTypeName(f[2]) {
		return "", fmt.Errorf("%q is no context", context)
	}
	return f[2], nil
}
