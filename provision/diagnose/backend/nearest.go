package backend

import (
	"context"
	"net/netip"

	"wsprovision/provision/diagnose/cause"
	"wsprovision/provision/diagnose/facts"
	"wsprovision/provision/nginx/conf"
)

// nearest is where the same port is listened on, at another address of the same family; "" where it is nowhere.
func nearest(ctx context.Context, e *facts.Evidence, address string) string {
	at, err := netip.ParseAddrPort(address)
	if err != nil || !facts.IsOwn(at.Addr()) {
		return ""
	}
	for _, s := range facts.Neighbours(ctx, e, int(at.Port())) {
		if s.Local.Addr().Unmap().Is4() == at.Addr().Unmap().Is4() {
			return s.Local.String()
		}
	}
	return ""
}

// orPassTo adds where to name another address of the backend: in the site's configuration, in the group, or in
// proxy_pass.
func orPassTo(e *facts.Evidence, mend cause.Mend, from, to string) cause.Mend {
	p := facts.Passed(e)
	if p == nil {
		return mend.Say(", or pass to ").Name(to)
	}
	at := &p.Directive
	if p.Upstream != "" {
		at = serverNaming(e, p.Upstream, from)
	}
	switch {
	case facts.Ours(e, p.Directive.File) || at != nil && facts.Ours(e, at.File):
		return mend.Say(", or give the site the backend ").Name(to).Say(" (key backend of the site), then ").
			Join(facts.ApplyCommand(e))
	case at == nil:
		return mend
	}
	return mend.Say(", or pass to ").Name(to).Say(" in ").Line(at.File, at.Line).Say(facts.ThenReload)
}

// serverNaming is the line of a group that names the address, or the only one with its port; nil for none.
func serverNaming(e *facts.Evidence, group, address string) *conf.Directive {
	var same []conf.Directive
	for _, s := range serversOf(e, group) {
		if s.Args[0] == address {
			return &s
		}
		if facts.PortOf(s.Args[0]) == facts.PortOf(address) {
			same = append(same, s)
		}
	}
	if len(same) != 1 {
		return nil
	}
	return &same[0]
}
