package selinux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"wsprovision/selinux/policydb"
)

// OverlapError says that a local range of another type is in the way. SELinux accepts no local record inside another
// one, and taking the range apart is a decision for whoever made it.
type OverlapError struct {
	Proto string
	Port  int
	Type  string        // wanted
	Local policydb.Port // the range, with the type it has
}

func (e *OverlapError) Error() string {
	return fmt.Sprintf("port %s/%d: the local range %s is labelled %s, and no record may overlap it: an "+
		"administrator may relabel the range (semanage port -m -t %s -p %s %s) or delete it (semanage port -d -p %s "+
		"%s)",
		e.Proto, e.Port, e.Local, e.Local.Type, e.Type, e.Proto, e.Local.Numbers(), e.Proto, e.Local.Numbers())
}

// LabelPort decides how the port gets the type; a nil edit means that the store has it so. Before is what Port said.
//
// The rule is semanage's (seobject.py, portRecords): it looks for a record of exactly this port, whatever range around
// it has a type. -m wants one, the policy's or a local one. -a wants none: RHEL 7.9's looks for a local one only,
// within an import, and others for one of the policy's as well. So -m is right for all wherever there is one. A local
// record of the type, even a range, is left as it is.
//
// Without root it still answers where the answer is "nothing to do".
func (h Host) LabelPort(ctx context.Context, proto string, port int, typ string) (edit *Edit, before PortState,
	err error) {
	if !policydb.IsTypeName(typ) {
		return nil, before, fmt.Errorf("port %s/%d: %q is no type's name", proto, port, typ)
	}
	before, err = h.Port(ctx, proto, port)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) && before.Stored == typ {
			return nil, before, nil
		}
		return nil, before, err
	}
	edit, err = decide(before, policydb.Port{Proto: proto, Low: port, High: port, Type: typ})
	return edit, before, err
}

func decide(s PortState, want policydb.Port) (*Edit, error) {
	exact := false
	for _, p := range s.Local {
		if p.Type == want.Type {
			return nil, nil
		}
		if !p.Exactly(want.Proto, want.Low) {
			return nil, &OverlapError{Proto: want.Proto, Port: want.Low, Type: want.Type, Local: p}
		}
		exact = true
	}
	if s.Stored == want.Type {
		return nil, nil
	}
	for _, p := range s.Policy {
		exact = exact || p.Exactly(want.Proto, want.Low)
	}
	edit := AddPort(want)
	if exact {
		edit = ModifyPort(want)
	}
	return &edit, nil
}
